// The guard step by step: a step the critic refuses is sampled again before the solution goes on; several runs vote.
// Knows no LLM that cannot continue a partial answer: revise.ts is for those.
import { createBestWatch, type Entry, select, toEntry } from './candidate.ts'
import { type Extension, extend } from './extend.ts'
import { givesUp, passes, tryTemperature } from './guard-rule.ts'
import type { Method, MethodContext } from './method.ts'
import { argmax, pickMajority, scoreRank } from './pick.ts'
import { addNode, createTree, pathTo, ROOT, type Tree } from './tree.ts'
import type { SearchEvent } from './types.ts'

interface Attempt {
  readonly node: number
  readonly ended: boolean
  readonly score: number | null
}

interface Run {
  readonly index: number
  /** Node of the last accepted step. */
  tip: number
  /** Tries at the next step, texts or not. */
  tries: number
  attempts: Attempt[]
  state: 'going' | 'ended' | 'stopped'
}

function accept(tree: Tree, run: Run, { node, ended }: Attempt, maxSteps: number): void {
  const full = tree.nodes[node]!.depth >= maxSteps
  tree.nodes[node]!.state = ended ? 'ended' : full ? 'cut' : 'open'
  run.tip = node
  run.tries = 0
  run.attempts = []
  if (ended || full) run.state = ended ? 'ended' : 'stopped'
}

/** Takes the best try there is; a run without any stops where it stands. */
function acceptBest(tree: Tree, run: Run, maxSteps: number): void {
  const best = argmax(run.attempts.map(({ score }) => scoreRank(score)))
  if (best === null) run.state = 'stopped'
  else accept(tree, run, run.attempts[best]!, maxSteps)
}

function* takeStep(
  tree: Tree,
  run: Run,
  { step, ended, score }: Extract<Extension, { kind: 'step' }>,
  { threshold, params }: MethodContext,
): Generator<SearchEvent> {
  const branch = run.index
  const node = addNode(tree, { parent: run.tip, step, score, state: 'rejected' })
  const index = tree.nodes[node]!.depth - 1
  tree.nodes[node]!.visits = 1
  tree.nodes[node]!.value_sum = score ?? 0
  yield { type: 'step', branch, index, text: step }
  yield { type: 'score', branch, index, scores: [score] }
  const attempt = { node, ended, score }
  if (passes([score], threshold)) {
    accept(tree, run, attempt, params.max_steps)
    return
  }
  run.tries += 1
  run.attempts.push(attempt)
  yield { type: 'prune', branch, index, reason: 'rejected' }
}

function* advance(
  tree: Tree,
  run: Run,
  extension: Extension,
  context: MethodContext,
): Generator<SearchEvent> {
  const { max_steps: maxSteps, regenerations } = context.params
  switch (extension.kind) {
    case 'stopped':
      acceptBest(tree, run, maxSteps)
      if (run.state === 'going') run.state = 'stopped'
      return
    case 'failed':
      // Trying again is the LLM client's business; the guard goes on with what it has.
      acceptBest(tree, run, maxSteps)
      return
    case 'end':
      run.tip = addNode(tree, { parent: run.tip, step: '', score: null, state: 'ended' })
      run.state = 'ended'
      return
    case 'empty':
      run.tries += 1
      break
    case 'known': {
      run.tries += 1
      const again = run.attempts.find(({ node }) => tree.nodes[node]!.step === extension.step)!
      tree.nodes[again.node]!.visits += 1
      tree.nodes[again.node]!.value_sum += again.score ?? 0
      yield {
        type: 'prune',
        branch: run.index,
        index: tree.nodes[again.node]!.depth - 1,
        reason: 'duplicate',
      }
      break
    }
    case 'step':
      yield* takeStep(tree, run, extension, context)
      break
  }
  const scores = run.attempts.map(({ score }) => score)
  if (run.state === 'going' && givesUp(run.tries, regenerations, scores)) acceptBest(tree, run, maxSteps)
}

function toRunEntry(tree: Tree, run: Run, context: MethodContext): Entry | null {
  const { steps, scores } = pathTo(tree, run.tip)
  if (steps.length === 0 && run.state !== 'ended') return null
  return toEntry({ branch: run.index, steps, scores, ended: run.state === 'ended' }, context)
}

/**
 * All runs take one try at their next step in the same round, so that the critic judges them in one call and the order of
 * calls, with it the spending of the budget, does not depend on latencies.
 */
export const guardSteps: Method = async function* guardSteps(context) {
  const { runs: count, temperature } = context.params
  const tree = createTree()
  const runs = Array.from(
    { length: count },
    (_, index): Run => ({ index, tip: ROOT, tries: 0, attempts: [], state: 'going' }),
  )
  const entries: Entry[] = []
  const watchBest = createBestWatch(pickMajority)
  for (let going = runs; going.length > 0; going = going.filter(run => run.state === 'going')) {
    const extensions = await extend(
      context,
      going.map(run => ({
        place: [run.index, tree.nodes[run.tip]!.depth, run.tries],
        steps: pathTo(tree, run.tip).steps,
        temperature: tryTemperature(temperature, run.tries),
        known: new Set(run.attempts.map(({ node }) => tree.nodes[node]!.step)),
      })),
    )
    for (const [i, run] of going.entries()) {
      yield* advance(tree, run, extensions[i]!, context)
      if (run.state === 'going') continue
      const entry = toRunEntry(tree, run, context)
      if (entry === null) continue
      entries.push(entry)
      yield { type: 'candidate', branch: run.index, candidate: entry.candidate }
    }
    entries.sort((a, b) => a.branch - b.branch)
    yield* watchBest(entries)
  }
  return { ...select(entries, pickMajority), tree: tree.nodes }
}
