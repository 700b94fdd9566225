// The guard for an LLM that cannot continue a partial answer: whole solutions are refused and sampled again.
// Knows no partial paths; guard-steps.ts is the step-wise form.
import { createBestWatch, type Entry, select } from './candidate.ts'
import { givesUp, passes, tryTemperature } from './guard-rule.ts'
import type { Method, MethodContext } from './method.ts'
import { argmax, pickMajority, scoreRank } from './pick.ts'
import { type Sampled, sampleWhole, stepEvents } from './sample.ts'
import { addNode, createTree, ROOT, type Tree } from './tree.ts'
import type { SearchEvent } from './types.ts'

interface Attempt {
  readonly entry: Entry
  /** Nodes of its steps, first to last. */
  readonly nodes: readonly number[]
}

interface Run {
  readonly index: number
  tries: number
  readonly attempts: Attempt[]
  accepted: Attempt | null
  done: boolean
}

function addChain(tree: Tree, { candidate }: Entry): number[] {
  const nodes: number[] = []
  for (const [i, step] of candidate.steps.entries()) {
    const score = candidate.scores[i]!
    const node = addNode(tree, { parent: nodes.at(-1) ?? ROOT, step, score, state: 'open' })
    tree.nodes[node]!.visits = 1
    tree.nodes[node]!.value_sum = score ?? 0
    nodes.push(node)
  }
  return nodes
}

function accept(tree: Tree, run: Run, attempt: Attempt): void {
  for (const node of attempt.nodes) tree.nodes[node]!.state = 'expanded'
  const last = attempt.nodes.at(-1)
  if (last !== undefined) tree.nodes[last]!.state = attempt.entry.candidate.ended ? 'ended' : 'cut'
  run.accepted = attempt
  run.done = true
}

/** The answered come first, then the highest of the lowest scores. */
function acceptBest(tree: Tree, run: Run): void {
  const best = argmax(
    run.attempts.map(({ entry: { key, candidate } }) => [
      key === null ? 0 : 1,
      ...scoreRank(candidate.aggregates.min),
    ]),
  )
  if (best === null) run.done = true
  else accept(tree, run, run.attempts[best]!)
}

function* advance(
  tree: Tree,
  run: Run,
  sampled: Sampled,
  { threshold, params }: MethodContext,
): Generator<SearchEvent> {
  if (sampled.kind !== 'sampled') {
    acceptBest(tree, run)
    return
  }
  const { entry } = sampled
  const { steps, scores, ended } = entry.candidate
  yield* stepEvents(entry)
  const attempt = { entry, nodes: addChain(tree, entry) }
  if (ended && steps.length > 0 && passes(scores, threshold)) {
    accept(tree, run, attempt)
    return
  }
  run.tries += 1
  run.attempts.push(attempt)
  // A solution that was cut off is refused as a whole: at its last step.
  const firstBad = scores.findIndex(score => !passes([score], threshold))
  const index = firstBad === -1 ? Math.max(0, steps.length - 1) : firstBad
  for (const node of attempt.nodes.slice(index)) tree.nodes[node]!.state = 'rejected'
  yield { type: 'prune', branch: run.index, index, reason: 'rejected' }
  const minima = run.attempts.map(({ entry }) => entry.candidate.aggregates.min)
  if (givesUp(run.tries, params.regenerations, minima)) acceptBest(tree, run)
}

/** All runs take one try in the same round, so that calls and budget are spent in an order latencies cannot change. */
export const guardWhole: Method = async function* guardWhole(context) {
  const { runs: count, temperature } = context.params
  const tree = createTree()
  const runs = Array.from(
    { length: count },
    (_, index): Run => ({ index, tries: 0, attempts: [], accepted: null, done: false }),
  )
  const entries: Entry[] = []
  const watchBest = createBestWatch(pickMajority)
  for (let going = runs; going.length > 0; going = going.filter(run => !run.done)) {
    const samples = await Promise.all(
      going.map(({ index, tries }) =>
        sampleWhole(context, {
          place: [index, 0, tries],
          branch: index,
          temperature: tryTemperature(temperature, tries),
        }),
      ),
    )
    for (const [i, run] of going.entries()) {
      yield* advance(tree, run, samples[i]!, context)
      if (run.accepted === null) continue
      const { entry } = run.accepted
      entries.push(entry)
      yield { type: 'candidate', branch: run.index, candidate: entry.candidate }
    }
    entries.sort((a, b) => a.branch - b.branch)
    yield* watchBest(entries)
  }
  return { ...select(entries, pickMajority), tree: tree.nodes }
}
