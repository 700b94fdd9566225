// Best-of-N pools: does a critic pick the right one of several solutions? Pairs within a problem, best-of-N and weighted votes,
// chosen by the very functions that a search chooses with. Prints nothing.
import { AGGREGATIONS, type Aggregation, aggregate, logAggregate } from '../../search/aggregate.ts'
import { type Ballot, type Choose, pickBest, pickMajority, pickWeighted } from '../../search/pick.ts'
import { createRng } from '../rng.ts'
import type { StepJudge } from './judge.ts'
import { type CalibrationBin, calibrationBins, calibrationError, type Judged, mean } from './metrics.ts'
import { pairShare } from './pairs.ts'
import { drawSubsets, isMixed, type Pool } from './pool-data.ts'
import { type Scored, scoreAll, sizesFor } from './pool-scores.ts'
import { drawResamples, type Estimate, percentOf } from './resample.ts'

/** Draws of N candidates of a problem that has more. */
export const DRAWS = 5
/** What is said of a candidate as a whole in the reliability diagram: a search's default. */
export const CALIBRATED: Aggregation = 'min'

/** Shares of problems solved in percent, in the order of the figures' `sizes`. */
export type BySize = readonly Estimate[]

/** What one critic chooses under one aggregation. */
export interface ChoiceRow {
  readonly critic: string
  readonly source: Scored['source']
  readonly aggregation: Aggregation
  readonly best: BySize
  readonly weighted: BySize
}

/** What is chosen among N candidates, and what to compare it with. */
export interface ChoiceFigures {
  readonly sizes: readonly number[]
  /** Share of candidates that are right, mean over problems, in percent. */
  readonly one_sample: Estimate
  readonly majority: BySize
  /** Some candidate is right: the most any choice can reach. */
  readonly oracle: BySize
  readonly rows: readonly ChoiceRow[]
}

interface PoolRow extends ChoiceRow {
  /** Share of (right, wrong) pairs of one problem in the right order, mean over problems, in percent. */
  readonly pairs: Estimate
  /** Expected calibration error of the aggregate as P(solution is right); null for scores that are no probabilities. */
  readonly ece: number | null
}

export interface PoolFigures extends ChoiceFigures {
  readonly problems: number
  readonly candidates: number
  /** Problems with right and wrong candidates: those that pairs are counted in. */
  readonly mixed: number
  readonly rows: readonly PoolRow[]
  /** The first judge's lowest step score against whether the answer is right. */
  readonly calibration: readonly CalibrationBin[]
  readonly ece: number
}

/** Measures every judge, the first of which is the one under test, and the critics whose scores came with the pools. */
export async function evalPools(
  pools: readonly Pool[],
  judges: readonly StepJudge[],
  { seed, signal }: { seed: number; signal?: AbortSignal },
): Promise<PoolFigures> {
  const rng = createRng(seed).fork('pools')
  const draws = drawResamples(pools.length, rng.fork('bootstrap'))
  const sizes = sizesFor(pools)
  const subsets = sizes.map(n =>
    pools.map(({ candidates }, p) => drawSubsets(candidates.length, n, DRAWS, rng.fork(`draw ${n} of ${p}`))),
  )
  const estimate = (shares: readonly number[]): Estimate => percentOf(shares, draws)
  /** Mean share of draws that satisfy, per problem. */
  const bySize = (share: (pool: number, subset: readonly number[]) => number): BySize =>
    subsets.map(perPool => estimate(perPool.map((drawn, p) => mean(drawn.map(subset => share(p, subset))))))

  const scored = await scoreAll(pools, judges, signal)
  const rows = scored.flatMap(({ critic, source, isProbability, scores }) =>
    AGGREGATIONS.map((aggregation): PoolRow => {
      const ballots = pools.map(({ candidates }, p) =>
        candidates.map(
          ({ key }, c): Ballot => ({ key, logScore: logAggregate(scores[p]![c]!, aggregation) }),
        ),
      )
      const shares = pools.map(({ candidates }, p) =>
        pairShare(
          candidates.map(({ correct }, c) => ({
            score: ballots[p]![c]!.logScore ?? Number.NEGATIVE_INFINITY,
            correct,
          })),
        ),
      )
      return {
        critic,
        source,
        aggregation,
        pairs: estimate(shares),
        best: bySize((p, subset) => solved(pools[p]!, ballots[p]!, subset, pickBest)),
        weighted: bySize((p, subset) => solved(pools[p]!, ballots[p]!, subset, pickWeighted)),
        ece: isProbability ? calibrationError(judgedWholes(pools, scores, aggregation)) : null,
      }
    }),
  )
  const right = (p: number, c: number) => (pools[p]!.candidates[c]!.correct ? 1 : 0)
  const unscored = pools.map(({ candidates }) =>
    candidates.map(({ key }): Ballot => ({ key, logScore: null })),
  )
  const wholes = judgedWholes(pools, scored[0]!.scores, CALIBRATED)
  return {
    problems: pools.length,
    candidates: pools.reduce((sum, { candidates }) => sum + candidates.length, 0),
    mixed: pools.filter(isMixed).length,
    sizes,
    one_sample: estimate(pools.map(({ candidates }, p) => mean(candidates.map((_, c) => right(p, c))))),
    majority: bySize((p, subset) => solved(pools[p]!, unscored[p]!, subset, pickMajority)),
    oracle: bySize((p, subset) => Math.max(...subset.map(c => right(p, c)))),
    rows,
    calibration: calibrationBins(wholes),
    ece: calibrationError(wholes),
  }
}

/** 1 when the candidate chosen from a subset is right, else 0. */
function solved(pool: Pool, ballots: readonly Ballot[], subset: readonly number[], choose: Choose): number {
  const { winner } = choose(subset.map(c => ballots[c]!))
  return winner !== null && pool.candidates[subset[winner]!]!.correct ? 1 : 0
}

function judgedWholes(pools: readonly Pool[], scores: Scored['scores'], by: Aggregation): Judged[] {
  return pools.flatMap(({ candidates }, p) =>
    candidates.flatMap(({ correct }, c) => {
      const score = aggregate(scores[p]![c]!)[by]
      return score === null ? [] : [{ score, right: correct }]
    }),
  )
}
