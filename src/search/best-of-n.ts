// Best-of-N, weighted best-of-N and self-consistency: sample whole solutions, score them, choose. They differ in the choice
// only (research/algorithms.md, b1 to b3). Run on every LLM.
import { createBestWatch, type Entry, select } from './candidate.ts'
import type { Method } from './method.ts'
import { type Choose, pickBest, pickMajority, pickWeighted } from './pick.ts'
import { sampleMany, sampleToVote } from './sample.ts'

function sampling(choose: Choose): Method {
  return async function* sampleAndChoose(context) {
    const { n, early_stop: earlyStop } = context.params
    const entries: Entry[] = []
    const watchBest = createBestWatch(choose)
    if (earlyStop) yield* sampleToVote(context, { first: 0, choose, entries, watchBest })
    else yield* sampleMany(context, { first: 0, count: n, entries, watchBest })
    return select(entries, choose)
  }
}

/** Samples `n` solutions and takes the one with the highest score. */
export const bestOfN: Method = sampling(pickBest)

/** Samples `n` solutions and takes the best one of the answer with the highest summed score. */
export const weightedBestOfN: Method = sampling(pickWeighted)

/** Samples `n` solutions and takes the best one of the most frequent answer. */
export const selfConsistency: Method = sampling(pickMajority)
