// Where a critic draws the line: its calibration and its threshold τ, from its logits on held-back solutions. Knows no artifact and no model.
import type { Reading } from '../../critic/manifest.ts'
import type { Source } from '../data/example.ts'
import { firstBelow, fitReading, judgedSteps, type Located, processBench } from '../eval/metrics.ts'

/** A located solution with where its labels come from. */
export interface Sourced extends Located {
  readonly source: Source
}

/** Thresholds tried for τ, as quantiles of the slice's step scores. */
const CANDIDATES = 200

const bySource = <T extends { readonly source: string }>(located: readonly T[]): T[][] => [
  ...Map.groupBy(located, item => item.source).values(),
]

/** Variance of the F1 of `n` solutions with an error and `m` without, by the delta method. */
function f1Variance(group: readonly Located[], threshold: number): number {
  const { accError: e, accCorrect: c } = processBench(group, threshold)
  if (e + c === 0) return 0
  const wrong = group.filter(item => item.firstError >= 0).length
  const slope = (x: number) => (2 * x * x) / (e + c) ** 2
  return (slope(c) ** 2 * e * (1 - e)) / wrong + (slope(e) ** 2 * c * (1 - c)) / (group.length - wrong)
}

/** Share of solutions without an error in which no step is below the threshold, as the mean over their sources; null where there are none. In [0, 1]. */
export function passRate(
  scored: readonly (Located & { readonly source: string })[],
  threshold: number,
): number | null {
  const rates = bySource(scored.filter(({ firstError }) => firstError < 0)).map(
    group => group.filter(({ scores }) => firstBelow(scores, threshold) < 0).length / group.length,
  )
  return rates.length === 0 ? null : rates.reduce((sum, rate) => sum + rate, 0) / rates.length
}

/**
 * Calibration over all steps, and τ. Where a pass rate is given τ is the highest that lets as many right solutions pass: a critic that takes
 * another's place flags as often as that one did. Else it is chosen by the mean F1 over the sources, so that the most frequent one does not
 * set it alone: of all thresholds within a standard error of the best the lowest. Other writers' steps score lower than the slice's
 * (models/LOG.md), and what is in doubt is not to be flagged.
 */
export function fitBySource(located: readonly Sourced[], passing?: number): Reading {
  const reading = fitReading(located)
  const scored = readWith(reading, located)
  const groups = bySource(scored).filter(
    group => group.some(item => item.firstError >= 0) && group.some(item => item.firstError < 0),
  )
  const scores = judgedSteps(scored)
    .map(step => step.score)
    .toSorted((a, b) => a - b)
  if (passing !== undefined) {
    const threshold = scores.findLast(score => (passRate(scored, score) ?? 0) >= passing)
    if (threshold !== undefined) return { ...reading, threshold }
  }
  if (groups.length < 2) return reading
  const meanF1 = (threshold: number): number =>
    groups.reduce((sum, group) => sum + processBench(group, threshold).f1, 0) / groups.length
  const tried = Array.from({ length: CANDIDATES }, (_, i) => {
    const threshold = scores[Math.floor((i / CANDIDATES) * scores.length)]!
    return { threshold, f1: meanF1(threshold) }
  })
  const best = tried.reduce((a, b) => (b.f1 > a.f1 ? b : a))
  const variance = groups.reduce((sum, group) => sum + f1Variance(group, best.threshold), 0)
  const enough = best.f1 - Math.sqrt(variance) / groups.length
  return { ...reading, threshold: tried.find(({ f1 }) => f1 >= enough)!.threshold }
}

/** Scores as a reading would give them. */
export function readWith<T extends Located>(reading: Reading, located: readonly T[]): T[] {
  return located.map(item => ({ ...item, scores: probabilities(reading, item.scores) }))
}

export const probabilities = ({ calibration: { a, b } }: Reading, logits: readonly (number | null)[]) =>
  logits.map(z => (z === null ? null : 1 / (1 + Math.exp(-(a * z + b)))))
