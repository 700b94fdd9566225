// Which candidate wins: one argmax, one grouping, three ways to choose. Knows no text, only answer keys and log scores.
import { logSum } from './aggregate.ts'
import type { ParamValues } from './params.ts'

/** What a candidate brings to the choice. */
export interface Ballot {
  /** Canonical answer; null when none could be read. */
  readonly key: string | null
  /** Natural logarithm of its aggregate score; null when unscored. */
  readonly logScore: number | null
  /** Times it was drawn, for methods that come to the same solution more than once; 1 when left out. */
  readonly count?: number
}

interface Choice {
  /** Index of the winning ballot; null when there are no ballots. */
  readonly winner: number | null
  /** What each ballot's answer got, in the order of the ballots; null for a choice without votes. */
  readonly votes: readonly number[] | null
}

export type Choose = (ballots: readonly Ballot[]) => Choice

/** Relative difference below which two ranks tie, so that rounding in a sum never decides. */
const TIE = 1e-12

function exceeds(a: number, b: number): boolean {
  if (!Number.isFinite(a) || !Number.isFinite(b)) return a > b
  return a - b > TIE * Math.max(1, Math.abs(a), Math.abs(b))
}

function outranks(a: readonly number[], b: readonly number[]): boolean {
  for (const [i, value] of a.entries()) {
    if (exceeds(value, b[i]!)) return true
    if (exceeds(b[i]!, value)) return false
  }
  return false
}

/** Index of the greatest rank, ranks compared place by place; the first of equals; null for an empty list. */
export function argmax(ranks: readonly (readonly number[])[]): number | null {
  let best: number | null = null
  for (const [i, rank] of ranks.entries()) {
    if (best === null || outranks(rank, ranks[best]!)) best = i
  }
  return best
}

/** Indices of the `count` greatest ranks, the greatest first; ties as in `argmax`. */
export function greatest(ranks: readonly (readonly number[])[], count: number): number[] {
  const left = [...ranks.keys()]
  const chosen: number[] = []
  while (chosen.length < count && left.length > 0) {
    chosen.push(...left.splice(argmax(left.map(i => ranks[i]!))!, 1))
  }
  return chosen
}

/** Rank of a score that may be missing: everything scored comes before everything unscored. */
export function scoreRank(score: number | null): [number, number] {
  return score === null ? [0, 0] : [1, score]
}

/** Ballots by answer, in order of first appearance; a ballot without an answer is a group of its own. */
export function groupByAnswer(ballots: readonly Ballot[]): number[][] {
  const groups: number[][] = []
  const byKey = new Map<string, number[]>()
  for (const [i, { key }] of ballots.entries()) {
    const group = key === null ? undefined : byKey.get(key)
    if (group !== undefined) {
      group.push(i)
      continue
    }
    const fresh = [i]
    groups.push(fresh)
    if (key !== null) byKey.set(key, fresh)
  }
  return groups
}

// An unanswered candidate never beats an answered one, however well it scores: a cut-off solution has had fewer chances
// to be wrong, and so scores high.
export const answered = (ballot: Ballot) => (ballot.key === null ? 0 : 1)

function best(ballots: readonly Ballot[], among: readonly number[]): number | null {
  const i = argmax(among.map(i => [answered(ballots[i]!), ...scoreRank(ballots[i]!.logScore)]))
  return i === null ? null : among[i]!
}

const countOf = ({ count = 1 }: Ballot) => count

function groupSize(ballots: readonly Ballot[], group: readonly number[]): number {
  return group.reduce((sum, i) => sum + countOf(ballots[i]!), 0)
}

function groupLogSum(ballots: readonly Ballot[], group: readonly number[]): number | null {
  const scored = group.map(i => ballots[i]!).filter(({ logScore }) => logScore !== null)
  return logSum(scored.map(ballot => ballot.logScore! + Math.log(countOf(ballot))))
}

function chooseGroup(
  ballots: readonly Ballot[],
  rank: (size: number, logTotal: number | null) => readonly number[],
  vote: (size: number, logTotal: number | null) => number,
): Choice {
  const groups = groupByAnswer(ballots)
  const sizes = groups.map(group => groupSize(ballots, group))
  const totals = groups.map(group => groupLogSum(ballots, group))
  const winner = argmax(
    groups.map((group, g) => [answered(ballots[group[0]!]!), ...rank(sizes[g]!, totals[g]!)]),
  )
  const votes = ballots.map(() => 0)
  for (const [g, group] of groups.entries()) {
    for (const i of group) votes[i] = vote(sizes[g]!, totals[g]!)
  }
  return { winner: winner === null ? null : best(ballots, groups[winner]!), votes }
}

/** Best-of-N: the highest score among the answered (b1); ties go to the first. */
export const pickBest: Choose = ballots => ({ winner: best(ballots, [...ballots.keys()]), votes: null })

/** Self-consistency: the largest group, then the highest summed score, then the first seen (b3). Votes are group sizes. */
export const pickMajority: Choose = ballots =>
  chooseGroup(
    ballots,
    (size, logTotal) => [size, ...scoreRank(logTotal)],
    size => size,
  )

/**
 * Weighted best-of-N: the group with the highest summed score, its best member (b2). Unscored members add nothing; a group
 * without any scored member comes after every other and counts by size. Votes are the sums.
 */
export const pickWeighted: Choose = ballots =>
  chooseGroup(
    ballots,
    (size, logTotal) => [...scoreRank(logTotal), size],
    (_, logTotal) => (logTotal === null ? 0 : Math.exp(logTotal)),
  )

/** The ways to choose, by the name a request gives them. */
export const CHOICES: Readonly<Record<ParamValues['select'], Choose>> = {
  best: pickBest,
  weighted: pickWeighted,
  majority: pickMajority,
}
