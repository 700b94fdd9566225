// Best-of-N, weighted best-of-N and self-consistency: sample whole solutions, score them, choose. They differ in the choice
// only (research/algorithms.md, b1 to b3). Run on every LLM.
import { arrivals } from './arrivals.ts'
import { createBestWatch, type Entry, select } from './candidate.ts'
import type { Method } from './method.ts'
import { type Choose, pickBest, pickMajority, pickWeighted } from './pick.ts'
import { sampleWhole, stepEvents } from './sample.ts'

function sampling(choose: Choose): Method {
  return async function* sampleAndChoose(context) {
    const { n, temperature } = context.params
    const entries: Entry[] = []
    const watchBest = createBestWatch(choose)
    const work = Array.from({ length: n }, (_, i) =>
      sampleWhole(context, { place: [i], branch: i, temperature }),
    )
    for await (const { index, value: sampled } of arrivals(work)) {
      if (sampled.kind !== 'sampled') continue
      const { entry } = sampled
      // Ties go to the first, and first means the number of the sample: latencies must not decide.
      const later = entries.findIndex(({ branch }) => branch > index)
      entries.splice(later === -1 ? entries.length : later, 0, entry)
      yield* stepEvents(entry)
      yield { type: 'candidate', branch: index, candidate: entry.candidate }
      yield* watchBest(entries)
    }
    return select(entries, choose)
  }
}

/** Samples `n` solutions and takes the one with the highest score. */
export const bestOfN: Method = sampling(pickBest)

/** Samples `n` solutions and takes the best one of the answer with the highest summed score. */
export const weightedBestOfN: Method = sampling(pickWeighted)

/** Samples `n` solutions and takes the best one of the most frequent answer. */
export const selfConsistency: Method = sampling(pickMajority)
