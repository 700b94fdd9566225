// When a vote is over: how many further ballots it takes until nothing can change the winning answer. Knows no text.
import type { Ballot, Choose } from './pick.ts'

/** Far above the rounding of a sum of scores, far below what a score tells. */
const ROUNDING = 1e-9

/**
 * The fewest further ballots after which a vote can be decided; 0 when it is. Decided means that the leading answer wins
 * whatever the ballots left say; a vote that could still be tied is not. Sampling so many at once, and asking again, stops
 * exactly where asking after each sample would (Aggarwal et al. 2023, Adaptive-Consistency, with certainty for its bound).
 *
 * @param choose a vote in which one ballot adds at most 1 to its answer: a majority, or a weighted vote of scores in [0, 1]
 * @param left ballots that may still come
 */
export function ballotsToDecide(choose: Choose, ballots: readonly Ballot[], left: number): number {
  const { winner, votes } = choose(ballots)
  const leader = winner === null ? null : ballots[winner]!.key
  let lead = 0
  let second = 0
  for (const [i, { key }] of ballots.entries()) {
    if (key === null || votes === null) continue
    if (key === leader) lead = votes[i]!
    else second = Math.max(second, votes[i]!)
  }
  const toCatch = second + left - lead
  // A ballot for the leader adds to its lead and can no longer be one against it: it counts twice.
  return toCatch < -ROUNDING ? 0 : Math.min(left, Math.floor((toCatch + ROUNDING) / 2) + 1)
}
