// What critics are worth in a search: recorded samples replayed through the service's own search methods, at equal samples.
// Prints nothing.
import { AGGREGATIONS } from '../../search/aggregate.ts'
import { createRng } from '../rng.ts'
import type { StepJudge } from './judge.ts'
import { mean } from './metrics.ts'
import type { Pool } from './pool-data.ts'
import { scoreAll, sizesFor } from './pool-scores.ts'
import type { BySize, ChoiceFigures, ChoiceRow } from './pools.ts'
import { createReplay, type ReplayedSearch } from './replay.ts'
import { drawResamples, percentOf } from './resample.ts'

export interface SearchFigures extends ChoiceFigures {
  readonly problems: number
  readonly candidates: number
  /** Searches run. */
  readonly searches: number
}

/**
 * Runs best_of_n and weighted_best_of_n with every critic under every aggregation, and self_consistency without one, on the
 * first N samples of each problem.
 *
 * @param judge the critic under test; null for the critics whose scores came with the pools alone
 */
export async function evalSearch(
  pools: readonly Pool[],
  judge: StepJudge | null,
  { seed, signal = new AbortController().signal }: { seed: number; signal?: AbortSignal },
): Promise<SearchFigures> {
  const draws = drawResamples(pools.length, createRng(seed).fork('search').fork('bootstrap'))
  const sizes = sizesFor(pools)
  const replays = pools.map(createReplay)
  const right = pools.map(({ candidates }) => candidates.map(({ correct }) => (correct ? 1 : 0)))
  let searches = 0

  async function solved(searchOf: (pool: number) => Omit<ReplayedSearch, 'n'>): Promise<BySize> {
    const bySize = []
    for (const n of sizes) {
      const shares: number[] = []
      for (const [p, replay] of replays.entries()) {
        signal.throwIfAborted()
        shares.push((await replay({ ...searchOf(p), n }, signal)) ? 1 : 0)
        searches++
      }
      bySize.push(percentOf(shares, draws))
    }
    return bySize
  }

  const scored = await scoreAll(pools, judge === null ? [] : [judge], signal)
  const rows: ChoiceRow[] = []
  for (const { critic, source, scores } of scored) {
    for (const aggregation of AGGREGATIONS) {
      const by = (method: ReplayedSearch['method']) =>
        solved(p => ({ method, aggregation, scores: scores[p]! }))
      const [best, weighted] = [await by('best_of_n'), await by('weighted_best_of_n')]
      rows.push({ critic, source, aggregation, best, weighted })
    }
  }
  return {
    problems: pools.length,
    candidates: right.flat().length,
    sizes,
    one_sample: percentOf(right.map(mean), draws),
    majority: await solved(() => ({ method: 'self_consistency', aggregation: 'min' })),
    oracle: sizes.map(n =>
      percentOf(
        right.map(shares => Math.max(...shares.slice(0, n))),
        draws,
      ),
    ),
    rows,
    searches,
  }
}
