// Logistic regression on a few dozen features by Newton's method: standardised, class-balanced, L2. Knows no steps and no files.

export interface LogisticModel {
  /** P(right) of a row of features, as if right and wrong were equally common. */
  predict(row: ArrayLike<number>): number
  /** Per standard deviation of each feature. */
  readonly weights: readonly number[]
  /** The same on features as they are: the logit is `bias` plus the sum of `slopes` times features. */
  readonly linear: { readonly slopes: readonly number[]; readonly bias: number }
}

/** 1 / (1 + e^-z). */
export const sigmoid = (z: number): number => 1 / (1 + Math.exp(-z))
/** ln(1 + e^z), for any z. */
export const softplus = (z: number): number => Math.max(z, 0) + Math.log1p(Math.exp(-Math.abs(z)))

/**
 * Minimises Σ wᵢ·log-loss + l2/2·|weights|², each class weighing half of the rows together, the bias free. Newton's method
 * (iteratively reweighted least squares) with step halving; the loss is convex, so the result does not depend on a start.
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
  const weightOf = (isRight: boolean) => n / (2 * (isRight ? rights : n - rights))
  const loss = (w: Float64Array): number => {
    let sum = 0
    for (let j = 0; j < size; j++) sum += (l2 / 2) * w[j]! ** 2
    for (let i = 0; i < n; i++)
      sum += weightOf(right[i]!) * softplus(right[i] ? -dot(w, scaled[i]!) : dot(w, scaled[i]!))
    return sum
  }
  let w = new Float64Array(size + 1)
  let before = loss(w)
  for (let round = 0; round < 40; round++) {
    const step = newtonStep(scaled, right, w, weightOf, l2)
    let scale = 1
    let next = w
    let after = before
    for (; scale > 1e-6; scale /= 2) {
      next = w.map((x, j) => x - scale * step[j]!)
      after = loss(next)
      if (after <= before) break
    }
    if (!(after <= before)) break
    const gain = before - after
    w = next
    before = after
    if (gain < 1e-9 * n) break
  }
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

/** Σ aᵢ·bᵢ; as long as `a`. */
export const dot = (a: ArrayLike<number>, b: ArrayLike<number>): number => {
  let sum = 0
  for (let j = 0; j < a.length; j++) sum += a[j]! * b[j]!
  return sum
}

/** Mean and standard deviation of each feature; 1 where a feature never changes. */
function moments(rows: readonly ArrayLike<number>[], size: number): { mean: number[]; spread: number[] } {
  const over = (value: (row: ArrayLike<number>, j: number) => number) =>
    Array.from({ length: size }, (_, j) => rows.reduce((sum, row) => sum + value(row, j), 0) / rows.length)
  const mean = over((row, j) => row[j]!)
  const spread = over((row, j) => (row[j]! - mean[j]!) ** 2).map(v => (v > 1e-12 ? Math.sqrt(v) : 1))
  return { mean, spread }
}

/** Inverse Hessian times gradient. */
function newtonStep(
  rows: readonly Float64Array[],
  right: readonly boolean[],
  w: Float64Array,
  weightOf: (isRight: boolean) => number,
  l2: number,
): Float64Array {
  const size = w.length
  const gradient = Float64Array.from(w, (x, j) => (j < size - 1 ? l2 * x : 0))
  const hessian = Array.from({ length: size }, (_, j) => {
    const line = new Float64Array(size)
    line[j] = j < size - 1 ? l2 : 1e-9
    return line
  })
  rows.forEach((row, i) => {
    const p = sigmoid(dot(w, row))
    const error = weightOf(right[i]!) * (p - (right[i] ? 1 : 0))
    const curve = weightOf(right[i]!) * p * (1 - p)
    for (let j = 0; j < size; j++) {
      gradient[j]! += error * row[j]!
      const line = hessian[j]!
      for (let k = 0; k <= j; k++) line[k]! += curve * row[j]! * row[k]!
    }
  })
  return solvePositive(hessian, gradient)
}

/** Solves A·x = b by Cholesky's decomposition; only the lower half of A is read, and overwritten. */
function solvePositive(a: readonly Float64Array[], b: Float64Array): Float64Array {
  const x = b.slice()
  for (let j = 0; j < x.length; j++) {
    for (let k = 0; k < j; k++) {
      let sum = a[j]![k]!
      for (let m = 0; m < k; m++) sum -= a[j]![m]! * a[k]![m]!
      a[j]![k] = sum / a[k]![k]!
    }
    let diagonal = a[j]![j]!
    for (let m = 0; m < j; m++) diagonal -= a[j]![m]! ** 2
    a[j]![j] = Math.sqrt(Math.max(diagonal, 1e-12))
    for (let m = 0; m < j; m++) x[j]! -= a[j]![m]! * x[m]!
    x[j]! /= a[j]![j]!
  }
  for (let j = x.length - 1; j >= 0; j--) {
    for (let m = j + 1; m < x.length; m++) x[j]! -= a[m]![j]! * x[m]!
    x[j]! /= a[j]![j]!
  }
  return x
}
