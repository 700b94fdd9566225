// The sneaky generator's words: operators, edits, and what it may look at. Knows no policy and no critic.
import type { Rational } from '../../answer/rational.ts'

/** Ways to make a right step wrong. The order is that of every policy array; new ones go to the end. */
export const SNEAKY_OPERATORS = [
  /** Another known number in place of an operand, result recomputed. */
  'wrong_operand',
  /** An operand with a digit slip, result recomputed. */
  'miscopied_operand',
  /** The result off by one or ten. */
  'near_miss',
  /** The result with a digit changed or two digits exchanged. */
  'digit_slip',
  /** The result with a carry or a borrow forgotten. */
  'carry_error',
  /** Another operator, result recomputed. */
  'wrong_operator',
  /** A factor of two too much or too little, or a factor left out. */
  'factor',
  /** A percentage taken the wrong way. */
  'percent_slip',
  /** A sign turned, or a difference the wrong way round. */
  'sign',
  /** A decimal point moved by one place. */
  'power_of_ten',
  /** A number copied wrongly while the rest stays. */
  'copied_number',
  /** A comparison or an order turned round (`more`, `fewer`; `first`, `last`). */
  'swapped_words',
  /** Somebody else's name. */
  'swapped_names',
  /** The next step, which needs a result that was never computed. */
  'skipped_step',
  /** The step before once more. */
  'repeated_step',
  /** A wrong final answer, unit or general claim beside right arithmetic. */
  'false_claim',
] as const

export type SneakyOperator = (typeof SNEAKY_OPERATORS)[number]

/** What surrounds a right step. */
export interface SneakyContext {
  readonly problem: string
  /** Steps before it, all right. */
  readonly previous: readonly string[]
  /** The step after it, where there is one; `skipped_step` needs it. */
  readonly next?: string
  /** For a generated problem, its `values`: results off this list are wrong for sure. */
  readonly legitimate?: readonly number[]
}

/** A result that an edit changed, for later steps to follow. */
export interface ChangedValue {
  readonly from: Rational
  readonly to: Rational
}

export interface SneakyEdit {
  readonly operator: SneakyOperator
  /** The whole step as edited; never equal to the step it was made from. */
  readonly text: string
  /** True only when an equation of the text fails, or the value of the trusted step's result has changed. */
  readonly provably_wrong: boolean
  /** One sentence for people. */
  readonly why: string
  readonly changed: ChangedValue | null
}

/** An edit before it is known whether it can be proven wrong. */
export interface Draft {
  readonly operator: SneakyOperator
  readonly text: string
  readonly why: string
  readonly changed?: ChangedValue
  /** The new operand, where one was put in. */
  readonly operand?: Rational
}
