// Ordering candidates of one problem: the share of (right, wrong) pairs that an aggregate puts in the right order. Knows no model.

/** A candidate's aggregate score and whether its answer is right. */
export interface Candidate {
  readonly score: number
  readonly correct: boolean
}

/** Share of one problem's (right, wrong) pairs in the right order, ties half; NaN when it lacks one kind. */
export function pairShare(candidates: readonly Candidate[]): number {
  const right = candidates.filter(c => c.correct)
  const wrong = candidates.filter(c => !c.correct)
  let won = 0
  for (const r of right) for (const w of wrong) won += r.score > w.score ? 1 : r.score === w.score ? 0.5 : 0
  return won / (right.length * wrong.length)
}

/** Mean over problems that have both kinds of the share of ordered pairs; NaN when no problem has both. */
export function pairsWithinProblem(problems: readonly (readonly Candidate[])[]): number {
  const shares = problems.map(pairShare).filter(share => !Number.isNaN(share))
  return shares.reduce((sum, share) => sum + share, 0) / shares.length
}

/** Aggregates of a solution's step scores; null where nothing was scored. */
export const AGGREGATES: Readonly<Record<string, (scores: readonly number[]) => number>> = {
  min: scores => Math.min(...scores),
  mean: scores => scores.reduce((a, b) => a + b, 0) / scores.length,
  prod: scores => scores.reduce((sum, p) => sum + Math.log(Math.max(p, 1e-12)), 0),
  last: scores => scores.at(-1)!,
}
