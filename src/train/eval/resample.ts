// How sure a figure is: the percentile bootstrap over problems (Efron 1979). Figures are functions of how often each problem
// was drawn. Knows no critic and no data format.
import type { Rng } from '../rng.ts'
import { type Judged, type Located, mean, readTally, tallyFirstErrors } from './metrics.ts'

/** How often each problem was drawn. */
export type Counts = ArrayLike<number>

/** A figure as a function of the draw; NaN where it cannot be said. */
export type Statistic = (counts: Counts) => number

/** A figure with the middle 95 % of its resamples. NaN where nothing can be said. */
export interface Estimate {
  readonly value: number
  readonly low: number
  readonly high: number
}

/** A figure and its value in each resample. */
export interface Sampled {
  readonly value: number
  readonly samples: readonly number[]
}

/** Resamples of every interval. */
export const RESAMPLES = 1000

/** Draws of `size` problems with replacement. The same draws serve every critic, so that they are compared on equal terms. */
export function drawResamples(size: number, rng: Rng, times = RESAMPLES): Uint16Array[] {
  return Array.from({ length: times }, () => {
    const counts = new Uint16Array(size)
    for (let k = 0; k < size; k++) counts[rng.int(0, size - 1)]!++
    return counts
  })
}

/** A figure on all problems and on each draw of them. */
export function resample(statistic: Statistic, size: number, draws: readonly Counts[]): Sampled {
  return { value: statistic(new Uint16Array(size).fill(1)), samples: draws.map(statistic) }
}

/** The mean of figures whose draws are independent (of several subsets). */
export function meanSampled(parts: readonly Sampled[]): Sampled {
  return {
    value: mean(parts.map(part => part.value)),
    samples: (parts[0]?.samples ?? []).map((_, i) => mean(parts.map(part => part.samples[i]!))),
  }
}

/** Percentiles 2.5 and 97.5 of the resamples that say something, widened where needed to hold the figure itself. */
export function interval95({ value, samples }: Sampled): Estimate {
  const sorted = samples.filter(Number.isFinite).sort((a, b) => a - b)
  if (!Number.isFinite(value) || sorted.length === 0) return { value, low: Number.NaN, high: Number.NaN }
  const quantile = (q: number) => sorted[Math.round(q * (sorted.length - 1))]!
  return { value, low: Math.min(value, quantile(0.025)), high: Math.max(value, quantile(0.975)) }
}

/** Mean over problems; those whose value is NaN do not count. */
export function weightedMean(values: readonly number[]): Statistic {
  return counts => {
    let [sum, weight] = [0, 0]
    values.forEach((value, i) => {
      if (Number.isNaN(value)) return
      sum += value * counts[i]!
      weight += counts[i]!
    })
    return sum / weight
  }
}

/** Mean over problems of shares in [0, 1], in percent; NaN where a problem has none. */
export const percentOf = (shares: readonly number[], draws: readonly Counts[]): Estimate =>
  interval95(resample(weightedMean(shares.map(share => 100 * share)), shares.length, draws))

/** ProcessBench's F1 at a threshold; `groups[g]` holds the solutions of problem g. */
export function weightedF1(groups: readonly (readonly Located[])[], threshold: number): Statistic {
  const hits = groups.map(group => tallyFirstErrors(group, threshold))
  return counts => {
    const total = { errors: 0, errorHits: 0, corrects: 0, correctHits: 0 }
    hits.forEach((hit, g) => {
      total.errors += hit.errors * counts[g]!
      total.errorHits += hit.errorHits * counts[g]!
      total.corrects += hit.corrects * counts[g]!
      total.correctHits += hit.correctHits * counts[g]!
    })
    return readTally(total).f1
  }
}

/** AUC when each problem counts as often as it was drawn: sorted once, then one pass a draw. `groups[g]`: judged steps of problem g. */
export function weightedAuc(groups: readonly (readonly Judged[])[]): Statistic {
  const sorted = groups
    .flatMap((steps, group) => steps.map(step => ({ ...step, group })))
    .sort((x, y) => x.score - y.score)
  const group = Int32Array.from(sorted, step => step.group)
  const isRight = Uint8Array.from(sorted, step => (step.right ? 1 : 0))
  const score = Float64Array.from(sorted, step => step.score)
  return counts => {
    let [ordered, below, right] = [0, 0, 0]
    for (let from = 0; from < score.length; ) {
      const tie = score[from]!
      let [tiedRight, tiedWrong] = [0, 0]
      do {
        const count = counts[group[from]!]!
        if (isRight[from] === 1) tiedRight += count
        else tiedWrong += count
      } while (score[++from] === tie) // at the end undefined; a NaN equals nothing, itself included
      ordered += tiedRight * (below + tiedWrong / 2)
      below += tiedWrong
      right += tiedRight
    }
    return ordered / (right * below)
  }
}
