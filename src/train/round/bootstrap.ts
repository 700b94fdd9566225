// Paired bootstrap of a difference between two critics, resampled over problems (Efron 1979). Knows no critic.
import type { Judged } from '../eval/metrics.ts'
import { weightedAuc } from '../eval/resample.ts'
import type { Rng } from '../rng.ts'

/** A difference and the middle 80 % of its resamples: `high` is its upper 90 % bound, `highest` that of 98 %. NaN where nothing can be said. */
export interface Interval {
  readonly difference: number
  readonly low: number
  readonly high: number
  readonly highest: number
}

const RESAMPLES = 500

/** Mean of paired differences. */
export function bootstrapMean(differences: readonly number[], rng: Rng): Interval {
  const mean = (counts: readonly number[]) =>
    differences.reduce((sum, d, i) => sum + d * counts[i]!, 0) / counts.reduce((sum, n) => sum + n, 0)
  return interval(differences.length, mean, rng)
}

/** AUC of the second minus AUC of the first; `first[g]` and `second[g]` hold the judged steps of problem g. */
export function bootstrapAuc(
  first: readonly (readonly Judged[])[],
  second: readonly (readonly Judged[])[],
  rng: Rng,
): Interval {
  const a = weightedAuc(first)
  const b = weightedAuc(second)
  return interval(first.length, counts => b(counts) - a(counts), rng)
}

function interval(size: number, statistic: (counts: readonly number[]) => number, rng: Rng): Interval {
  const whole = Array.from({ length: size }, () => 1)
  const drawn: number[] = []
  for (let i = 0; i < RESAMPLES && size > 0; i++) {
    const counts = Array.from({ length: size }, () => 0)
    for (let k = 0; k < size; k++) counts[rng.int(0, size - 1)]!++
    const value = statistic(counts)
    if (Number.isFinite(value)) drawn.push(value) // a resample may lack one of the classes
  }
  drawn.sort((x, y) => x - y)
  const quantile = (q: number) => drawn[Math.round(q * (drawn.length - 1))] ?? Number.NaN
  return { difference: statistic(whole), low: quantile(0.1), high: quantile(0.9), highest: quantile(0.98) }
}
