// Minimises a smooth convex function of some hundred weights. Knows no model and no data.
import { dot } from './numeric.ts'

const MOST_ITERATIONS = 200
/** Length of the gradient at which it ends, where no other is asked for: at a ridge of 0.1 it is within a thousandth of the minimum there. */
const ENOUGH = 1e-4
/** Moves that are remembered. */
const MEMORY = 10

/** What a minimiser asks: the loss at x, its gradient written into `gradient`. */
export type Objective = (x: Float64Array, gradient: Float64Array) => number

/**
 * L-BFGS (Nocedal 1980) with halved steps until the loss falls enough (Armijo 1966); for strongly convex losses.
 *
 * @param enough length of the gradient at which it ends. The distance to the minimum is at most that over the ridge: a weak one asks for less.
 */
export function minimise(objective: Objective, start: Float64Array, enough = ENOUGH): Float64Array {
  let x = start
  let gradient = new Float64Array(x.length)
  let loss = objective(x, gradient)
  const past: { moved: Float64Array; turned: Float64Array; curve: number }[] = []
  for (let i = 0; i < MOST_ITERATIONS && Math.sqrt(dot(gradient, gradient)) > enough; i++) {
    const direction = newtonLike(gradient, past)
    const slope = dot(gradient, direction)
    const next = { x, gradient: new Float64Array(x.length), loss: Number.POSITIVE_INFINITY }
    for (let step = 1; step > 1e-8 && !(next.loss <= loss - 1e-4 * step * slope); step /= 2) {
      next.x = x.map((v, j) => v - step * direction[j]!)
      next.loss = objective(next.x, next.gradient.fill(0))
    }
    const moved = next.x.map((v, j) => v - x[j]!)
    const turned = next.gradient.map((g, j) => g - gradient[j]!)
    const curve = dot(moved, turned)
    if (!(next.loss < loss) || curve <= 0) break
    past.push({ moved, turned, curve })
    if (past.length > MEMORY) past.shift()
    x = next.x
    gradient = next.gradient
    loss = next.loss
  }
  return x
}

/** The gradient times an estimate of the inverse Hessian from the last moves (two-loop recursion). */
function newtonLike(
  gradient: Float64Array,
  past: readonly { moved: Float64Array; turned: Float64Array; curve: number }[],
): Float64Array {
  const d = gradient.slice()
  const add = (v: Float64Array, by: number) => {
    for (let j = 0; j < d.length; j++) d[j]! += by * v[j]!
  }
  const shares = past.toReversed().map(({ moved, turned, curve }) => {
    const share = dot(moved, d) / curve
    add(turned, -share)
    return share
  })
  const last = past.at(-1)
  const scale = last ? last.curve / dot(last.turned, last.turned) : 1
  for (let j = 0; j < d.length; j++) d[j]! *= scale
  for (const [i, { moved, turned, curve }] of past.entries())
    add(moved, shares[past.length - 1 - i]! - dot(turned, d) / curve)
  return d
}
