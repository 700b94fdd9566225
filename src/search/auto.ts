// The method that picks a method: a few samples tell how hard the problem is, and that decides how to go on (compute-optimal
// scaling, Snell et al. 2024). Knows no search of its own.
import { beam } from './beam.ts'
import { createBestWatch, type Entry, select, toEntry } from './candidate.ts'
import { passes } from './guard-rule.ts'
import type { Method, MethodContext } from './method.ts'
import { pickMajority, pickWeighted } from './pick.ts'
import { sampleMany, sampleToVote } from './sample.ts'
import type { SearchEvent, Selection } from './types.ts'

/** Samples that tell how hard a problem is: enough to see a disagreement, few enough to be cheap. */
const PILOT = 4

/**
 * `easy`: nothing is left to find out. `medium`: samples find the answer and a vote will tell it. `hard`: samples hardly find it,
 * so the steps need guidance.
 */
type Difficulty = 'easy' | 'medium' | 'hard'

/** Judges by agreement and by the critic; without scores, by agreement alone. */
function difficultyOf(entries: readonly Entry[], asked: number, threshold: number): Difficulty {
  const { winner, votes } = pickMajority(entries)
  const leader = winner === null ? null : entries[winner]!.key
  const agreeing = leader === null ? 0 : votes![winner!]!
  const blind = entries.every(({ logScore }) => logScore === null)
  const accepted = entries.filter(({ candidate }) => passes(candidate.scores, threshold))
  if (agreeing > 0 && agreeing === asked && (blind || accepted.length > 0)) return 'easy'
  if (blind) return 'medium'
  return agreeing <= 1 || (agreeing < asked && accepted.length === 0) ? 'hard' : 'medium'
}

/** Runs beam search as part of a larger choice: its candidates join `entries`, its numbers are moved up by `shift`. */
async function* searchOn(
  context: MethodContext,
  entries: Entry[],
  shift: number,
): AsyncGenerator<SearchEvent, Pick<Selection, 'tree'>> {
  const events = beam(context)
  for (;;) {
    const next = await events.next()
    if (next.done === true) return next.value
    // What is best is for the larger choice to say.
    if (next.value.type === 'best') continue
    const event = 'branch' in next.value ? { ...next.value, branch: next.value.branch + shift } : next.value
    if (event.type === 'candidate')
      entries.push(toEntry({ ...event.candidate, branch: event.branch }, context))
    yield event
  }
}

/**
 * Samples a few solutions first. Easy: it stops there. Medium: it samples on, up to `n`, until the weighted vote is decided.
 * Hard: a beam search joins the vote, where the LLM can continue a partial answer; else it samples on.
 */
export const auto: Method = async function* auto(context) {
  const { n } = context.params
  const asked = Math.min(PILOT, n)
  const entries: Entry[] = []
  const watchBest = createBestWatch(pickWeighted)
  yield* sampleMany(context, { first: 0, count: asked, entries, watchBest })
  const difficulty = difficultyOf(entries, asked, context.threshold)
  if (difficulty === 'hard' && context.canContinue) {
    const { tree } = yield* searchOn(context, entries, asked)
    yield* watchBest(entries)
    return { ...select(entries, pickWeighted), ...(tree && { tree }) }
  }
  if (difficulty !== 'easy')
    yield* sampleToVote(context, { first: asked, choose: pickWeighted, entries, watchBest })
  return select(entries, pickWeighted)
}
