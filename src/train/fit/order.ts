// Fits weights of a linear score under which right candidates of a problem stand above its wrong ones: RankNet's loss (Burges et al. 2005)
// with a ridge that holds the weights near where they started. Convex, in seconds, from few problems. Knows no critic and no text.
import { minimise } from '../minimise.ts'
import { dot, sigmoid, softplus } from '../numeric.ts'

/** One candidate: its inputs, and what else enters its score whatever the weights are. */
export interface Ranked {
  readonly inputs: Float32Array
  readonly offset: number
}

/** Candidates that are compared with each other: those of one problem. */
export interface Contest {
  readonly right: readonly Ranked[]
  readonly wrong: readonly Ranked[]
  /** Weight of the whole contest, however many candidates it has. */
  readonly weight: number
}

/** An input that hardly ever changes must not be scaled up to one that does. */
const LEAST_SPREAD = 0.2
/** At the strongest hardly anything moves, which is what few or contradictory outcomes come to. */
export const RIDGES: readonly number[] = [0.1, 0.3, 1, 3, 10, 100]
const FOLDS = 5

/** Standard deviation of each input over all candidates, the least spread at least. */
function spreads(contests: readonly Contest[]): Float64Array {
  const rows = contests.flatMap(({ right, wrong }) => [...right, ...wrong])
  const size = rows[0]!.inputs.length
  const sums = new Float64Array(size)
  const squares = new Float64Array(size)
  for (const { inputs } of rows)
    for (let j = 0; j < size; j++) {
      sums[j]! += inputs[j]!
      squares[j]! += inputs[j]! ** 2
    }
  return sums.map((sum, j) =>
    Math.max(LEAST_SPREAD, Math.sqrt(Math.max(0, squares[j]! / rows.length - (sum / rows.length) ** 2))),
  )
}

/** Mean loss over contests at weights `w`; adds its gradient to `gradient` where one is given. */
function orderLoss(contests: readonly Contest[], w: ArrayLike<number>, gradient?: Float64Array): number {
  const total = contests.reduce((sum, { weight }) => sum + weight, 0)
  let loss = 0
  for (const { right, wrong, weight } of contests) {
    const share = weight / total / (right.length * wrong.length)
    const score = ({ inputs, offset }: Ranked) => offset + dot(inputs, w)
    const [above, below] = [right.map(score), wrong.map(score)]
    const pull = { right: new Float64Array(right.length), wrong: new Float64Array(wrong.length) }
    for (let i = 0; i < above.length; i++)
      for (let k = 0; k < below.length; k++) {
        const margin = above[i]! - below[k]!
        loss += share * softplus(-margin)
        const force = share * sigmoid(-margin)
        pull.right[i]! -= force
        pull.wrong[k]! += force
      }
    if (!gradient) continue
    const add = ({ inputs }: Ranked, by: number) => {
      for (let j = 0; j < inputs.length; j++) gradient[j]! += by * inputs[j]!
    }
    for (const [i, one] of right.entries()) add(one, pull.right[i]!)
    for (const [k, one] of wrong.entries()) add(one, pull.wrong[k]!)
  }
  return loss
}

/** Weights that minimise the loss plus ridge/2 · |distance from the start|², in standard deviations of the inputs. */
function fitWith(
  contests: readonly Contest[],
  start: ArrayLike<number>,
  unit: Float64Array,
  ridge: number,
): Float64Array {
  const at = (moved: Float64Array) => moved.map((x, j) => start[j]! + x / unit[j]!)
  const moved = minimise((x, gradient) => {
    const loss = orderLoss(contests, at(x), gradient)
    for (let j = 0; j < x.length; j++) gradient[j] = gradient[j]! / unit[j]! + ridge * x[j]!
    return loss + (ridge / 2) * dot(x, x)
  }, new Float64Array(unit.length))
  return at(moved)
}

/** What was fitted, and what fits with its ridge come to on contests they did not see. */
export interface OrderFit {
  readonly weights: Float32Array
  /** Null: nothing was worth changing, the weights are the start's. */
  readonly ridge: number | null
  /** Mean loss on contests left out, before and after; absent where there was one ridge to choose from. */
  readonly loss?: { readonly before: number; readonly after: number }
}

/**
 * Weights fitted from `start` on, with the ridge whose fits order best the contests they were not given, five-fold; the start itself where none
 * does better. Contests without right or without wrong candidates say nothing.
 *
 * @param ridges tried, in the loss's units for inputs of standard deviation 1; a single one is taken as it is
 */
export function fitOrder(
  all: readonly Contest[],
  start: Float32Array,
  ridges: readonly number[] = RIDGES,
): OrderFit {
  const contests = all.filter(({ right, wrong }) => right.length > 0 && wrong.length > 0)
  if (contests.length < 2) return { weights: start, ridge: null }
  const unit = spreads(contests)
  const fitted = (ridge: number) => Float32Array.from(fitWith(contests, start, unit, ridge))
  const [only] = ridges
  if (ridges.length === 1) return { weights: fitted(only!), ridge: only! }
  const count = Math.min(FOLDS, contests.length)
  const folds = Array.from({ length: count }, (_, fold) => ({
    given: contests.filter((_, i) => i % count !== fold),
    kept: contests.filter((_, i) => i % count === fold),
  }))
  const left = (weightsOf: (given: readonly Contest[]) => ArrayLike<number>) =>
    folds.reduce((sum, { given, kept }) => sum + orderLoss(kept, weightsOf(given)) / count, 0)
  const before = left(() => start)
  const tried = ridges.map(ridge => ({ ridge, after: left(given => fitWith(given, start, unit, ridge)) }))
  const { ridge, after } = tried.reduce((a, b) => (b.after < a.after ? b : a))
  if (after >= before) return { weights: start, ridge: null, loss: { before, after: before } }
  return { weights: fitted(ridge), ridge, loss: { before, after } }
}
