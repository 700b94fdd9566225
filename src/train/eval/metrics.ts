// Figures of a step critic: ranking, calibration, first-error detection. Pure arithmetic; knows no model and no data format.
import type { Calibration, Reading } from '../../critic/manifest.ts'
import { sigmoid, softplus } from '../numeric.ts'

/** NaN for none. */
export const mean = (values: readonly number[]): number =>
  values.reduce((sum, x) => sum + x, 0) / values.length

/** A score with what it should have said. */
export interface Judged {
  readonly score: number
  readonly right: boolean
}

/** Area under the ROC curve: P(a right one scores above a wrong one), ties half. NaN when one class is missing. */
export function auc(judged: readonly Judged[]): number {
  const sorted = judged.toSorted((a, b) => a.score - b.score)
  let rankSum = 0
  for (let from = 0; from < sorted.length; ) {
    let to = from + 1 // a NaN equals nothing, itself included
    while (to < sorted.length && sorted[to]!.score === sorted[from]!.score) to++
    const rank = (from + 1 + to) / 2 // mean rank of the tie, from 1
    for (let i = from; i < to; i++) if (sorted[i]!.right) rankSum += rank
    from = to
  }
  const right = judged.filter(j => j.right).length
  const wrong = judged.length - right
  return (rankSum - (right * (right + 1)) / 2) / (right * wrong)
}

/** One bin of a reliability diagram. */
export interface CalibrationBin {
  readonly n: number
  /** Mean score and share of right ones; NaN when the bin is empty. */
  readonly score: number
  readonly right: number
}

/** Ten bins of equal width, from 0 to 1; a score of 1 is in the last. Scores in [0, 1]. */
export function calibrationBins(judged: readonly Judged[]): CalibrationBin[] {
  const bins = Array.from({ length: 10 }, () => ({ n: 0, score: 0, right: 0 }))
  for (const { score, right } of judged) {
    const bin = bins[Math.min(9, Math.floor(score * 10))]!
    bin.n++
    bin.score += score
    if (right) bin.right++
  }
  return bins.map(({ n, score, right }) => ({ n, score: score / n, right: right / n }))
}

/** Expected calibration error over ten bins of equal width (Guo et al. 2017, arXiv 1706.04599). Scores in [0, 1]. */
export function calibrationError(judged: readonly Judged[]): number {
  const gap = ({ n, score, right }: CalibrationBin) => (n === 0 ? 0 : n * Math.abs(score - right))
  return calibrationBins(judged).reduce((sum, bin) => sum + gap(bin), 0) / Math.max(1, judged.length)
}

/** Least slope, for one standard deviation of the logits: scores that say nothing or the opposite are read as the base rate. */
const LEAST_SLOPE = 1e-3

/**
 * Platt's map from logits to probabilities: maximum likelihood on smoothed targets (Platt 1999), by Newton's method with
 * a line search (Lin, Lin and Weng 2007) on standardised logits. Never turns the order around.
 */
export function fitPlatt(judged: readonly Judged[]): Calibration {
  const right = judged.filter(j => j.right).length
  const wrong = judged.length - right
  const count = Math.max(1, judged.length)
  const mean = judged.reduce((sum, j) => sum + j.score, 0) / count
  const spread = Math.sqrt(judged.reduce((sum, j) => sum + (j.score - mean) ** 2, 0) / count) || 1
  const points = judged.map(j => ({
    x: (j.score - mean) / spread,
    target: j.right ? (right + 1) / (right + 2) : 1 / (wrong + 2),
  }))
  const loss = (a: number, b: number): number =>
    points.reduce((sum, { x, target }) => sum + softplus(a * x + b) - target * (a * x + b), 0)
  const baseRate = Math.log((right + 1) / (wrong + 1))
  let [a, b] = [0, baseRate]
  for (let step = 0; step < 50; step++) {
    let [ga, gb, haa, hab, hbb] = [0, 0, 1e-9, 0, 1e-9]
    for (const { x, target } of points) {
      const p = sigmoid(a * x + b)
      const w = p * (1 - p)
      ga += (p - target) * x
      gb += p - target
      haa += w * x * x
      hab += w * x
      hbb += w
    }
    const det = haa * hbb - hab * hab
    const da = (hbb * ga - hab * gb) / det
    const db = (haa * gb - hab * ga) / det
    const before = loss(a, b)
    let size = 1
    while (size > 1e-6 && loss(a - size * da, b - size * db) > before) size /= 2
    if (size <= 1e-6) break
    a -= size * da
    b -= size * db
    if (Math.abs(da) + Math.abs(db) < 1e-9) break
  }
  if (a < LEAST_SLOPE) [a, b] = [LEAST_SLOPE, baseRate]
  return { kind: 'platt', a: a / spread, b: b - (a * mean) / spread }
}

/** A solution with its step scores and the index of its first wrong step, -1 when all are right. */
export interface Located {
  readonly scores: readonly (number | null)[]
  readonly firstError: number
}

/** Index of the first step below the threshold, -1 when there is none; unscored steps are passed over. */
export const firstBelow = (scores: readonly (number | null)[], threshold: number): number =>
  scores.findIndex(score => score !== null && score < threshold)

/** Solutions with and without an error, and those whose prediction is exactly right. */
export interface FirstErrorTally {
  readonly errors: number
  readonly errorHits: number
  readonly corrects: number
  readonly correctHits: number
}

/** What a threshold finds in some solutions. */
export function tallyFirstErrors(located: readonly Located[], threshold: number): FirstErrorTally {
  const tally = { errors: 0, errorHits: 0, corrects: 0, correctHits: 0 }
  for (const { scores, firstError } of located) {
    const isHit = firstBelow(scores, threshold) === firstError ? 1 : 0
    tally[firstError < 0 ? 'corrects' : 'errors']++
    tally[firstError < 0 ? 'correctHits' : 'errorHits'] += isHit
  }
  return tally
}

/** ProcessBench's figures of a tally, which may be weighted. In [0, 1]. */
export function readTally(tally: FirstErrorTally): { f1: number; accError: number; accCorrect: number } {
  const accError = tally.errors === 0 ? 0 : tally.errorHits / tally.errors
  const accCorrect = tally.corrects === 0 ? 0 : tally.correctHits / tally.corrects
  const sum = accError + accCorrect
  return { f1: sum === 0 ? 0 : (2 * accError * accCorrect) / sum, accError, accCorrect }
}

/** ProcessBench's figures (arXiv 2412.06559): accuracy on erroneous and on correct solutions, and their harmonic mean. In [0, 1]. */
export const processBench = (located: readonly Located[], threshold: number) =>
  readTally(tallyFirstErrors(located, threshold))

/**
 * Accuracy on single steps, right and wrong ones weighing the same (SPC, arXiv 2504.19162; never to be mixed with F1). In
 * [0, 1]; NaN when one kind is missing.
 */
export function balancedStepAccuracy(judged: readonly Judged[], threshold: number): number {
  const share = (right: boolean) => {
    const steps = judged.filter(j => j.right === right)
    return steps.filter(j => j.score >= threshold === right).length / steps.length
  }
  return (share(true) + share(false)) / 2
}

/** The threshold with the best F1; the lowest of equals. Candidates are the scores themselves, thinned to at most 400. */
export function bestThreshold(located: readonly Located[]): number {
  const scores = located
    .flatMap(item => item.scores.filter(score => score !== null))
    .toSorted((a, b) => a - b)
  const stride = Math.max(1, Math.ceil(scores.length / 400))
  let best = { threshold: 0.5, f1: -1 }
  for (let i = 0; i < scores.length; i += stride) {
    const { f1 } = processBench(located, scores[i]!)
    if (f1 > best.f1) best = { threshold: scores[i]!, f1 }
  }
  return best.threshold
}

/** Steps whose truth is known: right ones before the first error, the first error itself. */
export function judgedSteps(located: readonly Located[]): Judged[] {
  return located.flatMap(({ scores, firstError }) =>
    scores.flatMap((score, i) =>
      score === null || (firstError >= 0 && i > firstError) ? [] : [{ score, right: i !== firstError }],
    ),
  )
}

/** Steps that have both a label and a score, of examples with their scores: right where the label is at least 0.5. */
export function labelledSteps(
  examples: readonly { readonly labels: readonly (number | null)[] }[],
  scores: readonly (readonly (number | null)[])[],
): Judged[] {
  return examples.flatMap(({ labels }, e) =>
    labels.flatMap((label, i) => {
      const score = scores[e]![i] ?? null
      return label === null || score === null ? [] : [{ score, right: label >= 0.5 }]
    }),
  )
}

/** Calibration, threshold and calibration error from raw logits of held-back solutions. */
export function fitReading(located: readonly Located[]): Reading {
  const calibration = fitPlatt(judgedSteps(located))
  const scored = located.map(item => ({
    ...item,
    scores: item.scores.map(z => (z === null ? null : sigmoid(calibration.a * z + calibration.b))),
  }))
  return { calibration, threshold: bestThreshold(scored), ece: calibrationError(judgedSteps(scored)) }
}
