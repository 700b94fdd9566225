// Ordering candidates of one problem: the share of (right, wrong) pairs that an aggregate puts in the right order. Knows no model.
import { mean } from './metrics.ts'

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
  return mean(problems.map(pairShare).filter(share => !Number.isNaN(share)))
}
