// Prioritised fictitious self-play: which frozen opponent to meet next. Knows no player and no game.
import type { Rng } from '../rng.ts'

/** How much an opponent is worth meeting, by the chance to win against it, in [0, 1]. */
export type Priority = (winRate: number) => number

/** Those that are hard to win against come first; whoever is always beaten is not met (but for the floor). */
const hard: Priority = winRate => (1 - winRate) ** 2

/** Share of meetings spread over all opponents alike, so that none is forgotten. */
const FLOOR = 0.2

/**
 * Chance of each opponent (Vinyals et al. 2019, AlphaStar: f_hard with p = 2), the sum is 1; empty for none. A priority of 0 for
 * all is a uniform choice.
 *
 * @param winRates the learner's chance to win against each, in [0, 1]
 * @param floor in [0, 1]; no opponent's chance is below floor / number of opponents
 */
export function opponentChances(
  winRates: readonly number[],
  { priority = hard, floor = FLOOR }: { readonly priority?: Priority; readonly floor?: number } = {},
): number[] {
  const weights = winRates.map(priority)
  const total = weights.reduce((sum, w) => sum + w, 0)
  const even = 1 / winRates.length
  return weights.map(w => floor * even + (1 - floor) * (total > 0 ? w / total : even))
}

/** An opponent drawn by its chance. @throws {RangeError} when there is none */
export function drawOpponent<T>(
  rng: Rng,
  opponents: readonly T[],
  winRate: (opponent: T) => number,
  options: Parameters<typeof opponentChances>[1] = {},
): T {
  return opponents[rng.weighted(opponentChances(opponents.map(winRate), options))]!
}
