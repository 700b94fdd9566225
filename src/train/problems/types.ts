// What the problem generator gives: a problem, its verified solution, and the values a right solution may pass through.

/** 1 asks for about two steps, 5 for about six. */
export type Difficulty = 1 | 2 | 3 | 4 | 5

/** A word problem whose answer and steps are right by construction. */
export interface GeneratedProblem {
  readonly problem: string
  /** One computation each, `48 / 2 = 24`; the last one ends with `The answer is X.` */
  readonly steps: readonly string[]
  /** A non-negative integer, or money with two decimals. */
  readonly answer: string
  /** Results a right solution may reach: those of the reference, of other orders, and the answer. Sorted, distinct. */
  readonly values: readonly number[]
  /** Numbers the text gives, words included (`half` gives 2, `a week` gives 7). Distractors are not among them. */
  readonly givens: readonly number[]
  /** The kind of story, e.g. `shop`. */
  readonly kind: string
  readonly difficulty: Difficulty
}

/** What construction can tell about one step of somebody's solution. */
export type StepTruth = 'right' | 'wrong' | 'unknown'

export type Op = '+' | '-' | '*' | '/'

/** A number of the story: given, or computed from two others. */
export interface Quantity {
  readonly value: number
  /** As equations write it: `24`, `1.50`. */
  readonly text: string
  readonly from?: { readonly op: Op; readonly left: Quantity; readonly right: Quantity }
}
