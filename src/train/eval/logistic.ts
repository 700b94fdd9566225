// Logistic regression on some hundred features: standardised, class-balanced, L2. Knows no steps and no files.
import { minimise } from '../minimise.ts'
import { dot, sigmoid, softplus } from '../numeric.ts'

export interface LogisticModel {
  /** P(right) of a row of features, as if right and wrong were equally common. */
  predict(row: ArrayLike<number>): number
  /** Per standard deviation of each feature. */
  readonly weights: readonly number[]
  /** The same on features as they are: the logit is `bias` plus the sum of `slopes` times features. */
  readonly linear: { readonly slopes: readonly number[]; readonly bias: number }
}

/** Length of the gradient at which a fit ends: of many rows the ridge is weak, and leaves a longer one far from the minimum. */
const ENOUGH = 1e-6

/**
 * Minimises Σ wᵢ·log-loss + l2/2·|weights|², each class weighing half of the rows together, the bias free. The loss is
 * convex, so the result does not depend on a start.
 *
 * @throws Error when one class is missing
 */
export function fitLogistic(
  rows: readonly ArrayLike<number>[],
  right: readonly boolean[],
  l2 = 1,
): LogisticModel {
  const n = rows.length
  const size = rows[0]?.length ?? 0
  const rights = right.filter(Boolean).length
  if (rights === 0 || rights === n) throw new Error('a regression needs both right and wrong examples')
  const { mean, spread } = moments(rows, size)
  const scaled = rows.map(row =>
    Float64Array.from({ length: size + 1 }, (_, j) => (j === size ? 1 : (row[j]! - mean[j]!) / spread[j]!)),
  )
  const weightOf = (isRight: boolean) => 1 / (2 * (isRight ? rights : n - rights))
  const w = minimise(
    (at, gradient) => {
      gradient.set(at.map((x, j) => (j < size ? (l2 / n) * x : 0)))
      let loss = dot(at, gradient) / 2
      for (const [i, row] of scaled.entries()) {
        const z = dot(at, row)
        loss += weightOf(right[i]!) * softplus(right[i] ? -z : z)
        const error = weightOf(right[i]!) * (sigmoid(z) - (right[i] ? 1 : 0))
        for (let j = 0; j <= size; j++) gradient[j]! += error * row[j]!
      }
      return loss
    },
    new Float64Array(size + 1),
    ENOUGH,
  )
  const slopes = spread.map((unit, j) => w[j]! / unit)
  return {
    weights: [...w.subarray(0, size)],
    linear: { slopes, bias: slopes.reduce((sum, slope, j) => sum - slope * mean[j]!, w[size]!) },
    predict(row) {
      let z = w[size]!
      for (let j = 0; j < size; j++) z += (w[j]! * (row[j]! - mean[j]!)) / spread[j]!
      return sigmoid(z)
    },
  }
}

/** Mean and standard deviation of each feature; 1 where a feature never changes. */
function moments(rows: readonly ArrayLike<number>[], size: number): { mean: number[]; spread: number[] } {
  const over = (value: (row: ArrayLike<number>, j: number) => number) =>
    Array.from({ length: size }, (_, j) => rows.reduce((sum, row) => sum + value(row, j), 0) / rows.length)
  const mean = over((row, j) => row[j]!)
  const spread = over((row, j) => (row[j]! - mean[j]!) ** 2).map(v => (v > 1e-12 ? Math.sqrt(v) : 1))
  return { mean, spread }
}
