// Revision: a whole solution is generated, and goes on again from before the first step the critic refuses. For an LLM that cannot
// continue a partial answer every try starts over, and the guard is this too; guard-steps.ts is its step-wise form.
import { createBestWatch, type Entry, select } from './candidate.ts'
import { givesUp, passes, tryTemperature } from './guard-rule.ts'
import type { Method, MethodContext } from './method.ts'
import { argmax, pickMajority, scoreRank } from './pick.ts'
import { type Sampled, sampleWhole, stepEvents } from './sample.ts'
import { addChain, createTree, pathTo, ROOT, type Tree } from './tree.ts'
import type { Aim, SearchEvent } from './types.ts'

interface Attempt {
  readonly entry: Entry
  /** Node of its last step. */
  readonly tip: number
}

interface Run {
  readonly index: number
  /** Node of the last step that stands: the next try goes on from it. */
  kept: number
  /** The step behind it that the critic refused last; null where none got a score below the threshold. */
  refused: string | null
  tries: number
  readonly attempts: Attempt[]
  accepted: Attempt | null
  done: boolean
}

/** Adds what a solution has behind the steps that were kept; returns the new nodes, first to last. */
function addFresh(tree: Tree, kept: number, { candidate }: Entry): number[] {
  const from = tree.nodes[kept]!.depth
  const fresh = candidate.steps.slice(from)
  // Kept steps that end without another word get a node for it, so that they stay open to the tries before and after.
  const texts = fresh.length === 0 && kept !== ROOT ? [''] : fresh
  return addChain(tree, kept, texts, candidate.scores.slice(from))
}

function accept(tree: Tree, run: Run, attempt: Attempt): void {
  for (let at = attempt.tip; at !== ROOT; at = tree.nodes[at]!.parent) tree.nodes[at]!.state = 'expanded'
  if (attempt.tip !== ROOT) {
    tree.nodes[attempt.tip]!.state = attempt.entry.candidate.ended ? 'ended' : 'cut'
  }
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
  { threshold, params, canContinue }: MethodContext,
): Generator<SearchEvent> {
  if (sampled.kind !== 'sampled') {
    acceptBest(tree, run)
    return
  }
  const { entry } = sampled
  const { steps, scores, ended } = entry.candidate
  const from = tree.nodes[run.kept]!.depth
  yield* stepEvents(entry, from)
  const nodes = addFresh(tree, run.kept, entry)
  const attempt = { entry, tip: nodes.at(-1) ?? run.kept }
  if (ended && steps.length > 0 && passes(scores, threshold)) {
    accept(tree, run, attempt)
    return
  }
  run.tries += 1
  run.attempts.push(attempt)
  // A solution that was cut off is refused as a whole: at its last step.
  const firstBad = scores.findIndex(score => !passes([score], threshold))
  const index = firstBad === -1 ? Math.max(from, steps.length - 1) : firstBad
  for (const node of nodes.slice(index - from)) tree.nodes[node]!.state = 'rejected'
  run.refused = typeof scores[firstBad] === 'number' ? steps[firstBad]! : null
  if (canContinue) run.kept = nodes[index - from - 1] ?? run.kept
  yield { type: 'prune', branch: run.index, index, reason: 'rejected' }
  const minima = run.attempts.map(({ entry }) => entry.candidate.aggregates.min)
  if (givesUp(run.tries, params.regenerations, minima)) acceptBest(tree, run)
}

/** The critique of the last try, for an LLM that can be told it; another one is only asked again. */
function critiqueFor({ refused }: Run, { canInstruct, world }: MethodContext): Aim | undefined {
  if (refused === null || !canInstruct) return undefined
  return { kind: 'avoid', step: refused, finding: world.finding(refused) }
}

/**
 * `runs` solutions, each generated whole and revised until the critic accepts every step, then a majority vote (revising at the
 * first error with the critique in context: Agent-R, Yuan et al. 2025). All runs take one try in the same round, so that calls and budget are spent in an
 * order latencies cannot change. Kept steps keep their scores, so a revision never goes back behind them.
 */
export const revise: Method = async function* revise(context) {
  const { runs: count, temperature } = context.params
  const tree = createTree()
  const runs = Array.from(
    { length: count },
    (_, index): Run => ({
      index,
      kept: ROOT,
      refused: null,
      tries: 0,
      attempts: [],
      accepted: null,
      done: false,
    }),
  )
  const entries: Entry[] = []
  const watchBest = createBestWatch(pickMajority)
  for (let going = runs; going.length > 0; going = going.filter(run => !run.done)) {
    const samples = await Promise.all(
      going.map(run => {
        const { index, kept, tries } = run
        return sampleWhole(context, {
          place: [index, 0, tries],
          branch: index,
          temperature: tryTemperature(temperature, tries),
          kept: pathTo(tree, kept),
          aim: critiqueFor(run, context),
        })
      }),
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
