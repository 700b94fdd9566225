// How a critic orders the candidates of each problem under every aggregation, and which aggregation to take. Knows no service.
import { AGGREGATIONS, type Aggregation, logAggregate } from '../../search/aggregate.ts'
import type { StepJudge } from '../eval/judge.ts'
import { mean } from '../eval/metrics.ts'
import { pairShare } from '../eval/pairs.ts'
import { isMixed, type Pool } from '../eval/pool-data.ts'
import { scorePools } from '../eval/pool-scores.ts'

/** By aggregation, for each problem with right and wrong candidates the share of its pairs in the right order. */
export type Shares = Readonly<Record<Aggregation, readonly number[]>>

/** Compares the candidates of each problem that has pairs; the others are not asked about. @throws the signal's reason when aborted */
export async function orderedShares(
  judge: StepJudge,
  pools: readonly Pool[],
  signal?: AbortSignal,
): Promise<Shares> {
  const mixed = pools.filter(isMixed)
  const scores = await scorePools(judge, mixed, signal)
  const sharesBy = (by: Aggregation) =>
    mixed.map(({ candidates }, p) =>
      pairShare(
        candidates.map(({ correct }, c) => ({
          correct,
          score: logAggregate(scores[p]![c]!, by) ?? Number.NEGATIVE_INFINITY,
        })),
      ),
    )
  return { last: sharesBy('last'), min: sharesBy('min'), prod: sharesBy('prod'), mean: sharesBy('mean') }
}

/** The aggregation that orders these problems best; where they tell of none, `last`, for outcomes are learned where solutions end (decision 9). */
export const bestAggregation = (shares: Shares): Aggregation =>
  AGGREGATIONS.reduce<Aggregation>((best, by) => (mean(shares[by]) > mean(shares[best]) ? by : best), 'last')
