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

/**
 * Means of several rows of paired differences over the same problems, null where a row has none. `highest` holds for all rows together: the
 * chance that one of the true means is above its bound is 2 % (a studentised bound by the largest deviation of each resample).
 */
export function bootstrapTogether(rows: readonly (readonly (number | null)[])[], rng: Rng): Interval[] {
  const means = (counts: readonly number[]) => rows.map(row => weightedMean(row, counts))
  const size = rows[0]?.length ?? 0
  const whole = means(Array.from({ length: size }, () => 1))
  const drawn = Array.from({ length: RESAMPLES }, () => means(drawCounts(size, rng)))
  const column = (g: number) => drawn.map(row => row[g]!).filter(Number.isFinite)
  const spread = rows.map((_, g) => deviation(column(g)))
  const largest = drawn.map(row =>
    Math.max(...row.map((m, g) => (spread[g]! > 0 && Number.isFinite(m) ? (whole[g]! - m) / spread[g]! : 0))),
  )
  const width = quantileOf(
    largest.toSorted((x, y) => x - y),
    0.98,
  )
  return rows.map((_, g) => {
    const sorted = column(g).toSorted((x, y) => x - y)
    const [low, high] = [0.1, 0.9].map(q => quantileOf(sorted, q)) as [number, number]
    return { difference: whole[g]!, low, high, highest: whole[g]! + width * spread[g]! }
  })
}

function weightedMean(values: readonly (number | null)[], counts: readonly number[]): number {
  let [sum, weight] = [0, 0]
  for (const [i, value] of values.entries()) {
    if (value === null) continue
    sum += counts[i]! * value
    weight += counts[i]!
  }
  return sum / weight
}

function deviation(values: readonly number[]): number {
  const mean = values.reduce((sum, x) => sum + x, 0) / values.length
  return Math.sqrt(values.reduce((sum, x) => sum + (x - mean) ** 2, 0) / values.length)
}

/** How often each of so many problems is drawn. */
function drawCounts(size: number, rng: Rng): number[] {
  const counts = Array.from({ length: size }, () => 0)
  for (let k = 0; k < size; k++) counts[rng.int(0, size - 1)]!++
  return counts
}

const quantileOf = (sorted: readonly number[], q: number): number =>
  sorted[Math.round(q * (sorted.length - 1))] ?? Number.NaN

function interval(size: number, statistic: (counts: readonly number[]) => number, rng: Rng): Interval {
  const whole = Array.from({ length: size }, () => 1)
  const drawn: number[] = []
  for (let i = 0; i < RESAMPLES && size > 0; i++) {
    const value = statistic(drawCounts(size, rng))
    if (Number.isFinite(value)) drawn.push(value) // a resample may lack one of the classes
  }
  drawn.sort((x, y) => x - y)
  const quantile = (q: number) => quantileOf(drawn, q)
  return { difference: statistic(whole), low: quantile(0.1), high: quantile(0.9), highest: quantile(0.98) }
}
