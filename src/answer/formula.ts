// The tree of a formula, and what can be asked of it without computing. Knows no text.
import type { Rational } from './rational.ts'

/** Operators of two operands. `C`: n over k; `root`: the b-th root of a. */
export type Binary = '+' | '-' | '*' | '/' | '^' | 'C' | 'root'
export type Unary = 'neg' | 'abs' | '!' | 'degrees' | 'sin' | 'cos' | 'tan' | 'cot' | 'sec' | 'csc' | 'ln'

/** A formula as a tree. */
export type Formula =
  | { readonly kind: 'number'; readonly value: Rational; readonly decimals: number }
  | { readonly kind: 'name'; readonly name: string }
  | { readonly kind: 'unary'; readonly op: Unary; readonly of: Formula }
  | { readonly kind: 'binary'; readonly op: Binary; readonly a: Formula; readonly b: Formula }

/** Names in a formula but π, in order of first appearance. */
export function namesOf(formula: Formula, into: Set<string> = new Set()): Set<string> {
  if (formula.kind === 'name' && formula.name !== 'π') into.add(formula.name)
  else if (formula.kind === 'unary') namesOf(formula.of, into)
  else if (formula.kind === 'binary') {
    namesOf(formula.a, into)
    namesOf(formula.b, into)
  }
  return into
}

/** Whether a formula or a part of it passes the test. */
export function someFormula(formula: Formula, test: (part: Formula) => boolean): boolean {
  if (test(formula)) return true
  if (formula.kind === 'unary') return someFormula(formula.of, test)
  return formula.kind === 'binary' && (someFormula(formula.a, test) || someFormula(formula.b, test))
}
