// Which child a simulation goes to: PUCT with virtual loss (research/algorithms.md, b7). Pure numbers; knows no tree.
import { argmax, scoreRank } from './pick.ts'

/** How slowly the exploration term grows with the visits of the parent (AlphaZero's pb_c_base). */
const EXPLORATION_BASE = 19652

export interface PuctChild {
  /** P(child | parent) in [0, 1]. */
  readonly prior: number
  /** Visits that were backed up. */
  readonly visits: number
  /** Sum of their values, each in [0, 1]. */
  readonly valueSum: number
  /** Value to assume before the first visit, in [0, 1]. */
  readonly firstValue: number
  /** Simulations on their way through it. Each counts as a visit of value 0: the virtual loss that keeps walkers apart. */
  readonly pending: number
  /** Of its own step, in [0, 1], which decides between equals; null when unscored. */
  readonly score: number | null
}

/**
 * Q(c) + [ln((N + base + 1) / base) + exploration] · P(c) · √N / (1 + N_c).
 *
 * @param parentVisits N: visits of the parent, those on their way included
 */
export function puctScore(child: PuctChild, parentVisits: number, exploration: number): number {
  const { prior, visits, valueSum, firstValue, pending } = child
  const value = (visits === 0 ? firstValue : valueSum) / (Math.max(1, visits) + pending)
  const growth = Math.log((parentVisits + EXPLORATION_BASE + 1) / EXPLORATION_BASE) + exploration
  return value + (growth * prior * Math.sqrt(parentVisits)) / (1 + visits + pending)
}

/**
 * Index of the child to go to; null when there are none. Of equals, as all are that stand below one weak step where the least score
 * counts, the one whose own step scores highest, then the first.
 */
export function selectChild(
  children: readonly PuctChild[],
  parentVisits: number,
  exploration: number,
): number | null {
  return argmax(
    children.map(child => [puctScore(child, parentVisits, exploration), ...scoreRank(child.score)]),
  )
}

/**
 * Priors P ∝ exp(worth / τ), summing to 1; a child of unknown worth gets the mean of the others, and all get the same when none is
 * known.
 * @param worths critic scores, or geometric means of token probabilities (research/algorithms.md, b7), in [0, 1]; null where unknown
 */
export function softmaxPriors(worths: readonly (number | null)[], temperature: number): number[] {
  const known = worths.filter(worth => worth !== null)
  if (known.length === 0) return worths.map(() => 1 / worths.length)
  const mean = known.reduce((sum, worth) => sum + worth, 0) / known.length
  // Worths are at most 1: subtracting 1 keeps every exponent at or below 0.
  const weights = worths.map(worth => Math.exp(((worth ?? mean) - 1) / temperature))
  const total = weights.reduce((sum, weight) => sum + weight, 0)
  return weights.map(weight => weight / total)
}
