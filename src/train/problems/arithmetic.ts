// Finds `48 / 2 = 24` in a text, with the place of every number. Knows no problem; src/answer says what a number is.
import { type NumberRead, readNumbers } from '../../answer/numbers.ts'
import { add, div, equals, mul, type Rational, sub, toNumber } from '../../answer/rational.ts'
import type { Op } from './types.ts'

/** A number of an equation: `text === source.slice(start, end)`. */
export interface Term {
  readonly text: string
  readonly value: Rational
  readonly start: number
  readonly end: number
}

/** An operator with its place. */
interface OpSpan {
  readonly op: Op
  readonly start: number
  readonly end: number
}

/** `operands[0] ops[0] operands[1] … = result`; ops.length = operands.length - 1, at least 1. */
export interface Equation {
  readonly start: number
  readonly end: number
  readonly operands: readonly Term[]
  readonly ops: readonly OpSpan[]
  readonly result: Term
  /** Decided exactly; false for a division by zero. */
  readonly holds: boolean
}

const OPS: ReadonlyMap<string, Op> = new Map([
  ['+', '+'],
  ['-', '-'],
  ['–', '-'],
  ['−', '-'],
  ['*', '*'],
  ['x', '*'],
  ['×', '*'],
  ['·', '*'],
  ['\\times', '*'],
  ['\\cdot', '*'],
  ['/', '/'],
  ['÷', '/'],
  ['\\div', '/'],
])

// A unit may stand between a number and its operator (`3 hours * $35/hour`), a currency sign before a number.
const JOIN = /^(?:\s+[A-Za-z]+){0,2}(?:\/[a-z]+)?\s*(\\times|\\cdot|\\div|[-+*/x×·÷–−])\s*\\?\$?\s*$/
const EQUALS = /^(?:\s+[A-Za-z]+){0,2}(?:\/[a-z]+)?\s*=\s*\\?\$?\s*(?:<<)?$/
const GOES_ON = /^(?:\s+[A-Za-z]+){0,1}(?:\/[a-z]+)?\s*(?:\\times|\\cdot|\\div|[-+*/×·÷–−^]|=|\()/
const COMES_FROM = /(?:\\times|\\cdot|\\div|[-+*/×·÷–−^)=]|(?<!\\)\()\s*\\?\$?\s*$/

/** Every equation of plain numbers in `text`, left to right. What stands in brackets or goes on after `=` is left out. */
export function readEquations(text: string): Equation[] {
  const numbers = readNumbers(text)
  const found: Equation[] = []
  for (let i = 1; i < numbers.length; i++) {
    const result = numbers[i] as NumberRead
    const before = numbers[i - 1] as NumberRead
    // `100 - 50 = 50%` reckons in percent: the sign is a unit there, not a division by 100.
    if (
      result.value === null ||
      result.text.endsWith('%') ||
      !EQUALS.test(text.slice(before.end, result.start))
    )
      continue
    if (GOES_ON.test(text.slice(result.end, result.end + 24))) continue
    const equation = readBackwards(text, numbers, i - 1, { ...result, value: result.value })
    if (equation !== null) found.push(equation)
  }
  return found
}

/** Collects operands to the left of `last` as long as operators join them. */
function readBackwards(
  text: string,
  numbers: readonly NumberRead[],
  last: number,
  result: Term,
): Equation | null {
  const operands: Term[] = []
  const ops: OpSpan[] = []
  for (let i = last; i >= 0; i--) {
    const number = numbers[i] as NumberRead
    if (number.value === null) return null
    if (i < last) {
      const gap = text.slice(number.end, numbers[i + 1]?.start)
      const match = JOIN.exec(gap)
      const op = OPS.get(match?.[1] ?? '')
      if (match === null || op === undefined) break
      const start = number.end + gap.lastIndexOf(match[1] as string)
      ops.unshift({ op, start, end: start + (match[1] as string).length })
    }
    const [top, under] = number.parts ?? []
    if (top?.value && under?.value) {
      operands.unshift({ ...top, value: top.value }, { ...under, value: under.value })
      ops.unshift({ op: '/', start: top.end, end: under.start })
    } else operands.unshift({ ...number, value: number.value })
  }
  const first = operands[0]
  if (
    first === undefined ||
    operands.length < 2 ||
    COMES_FROM.test(text.slice(Math.max(0, first.start - 12), first.start))
  )
    return null
  const values = operands.map(term => term.value)
  const value = evaluate(
    values,
    ops.map(o => o.op),
  )
  const holds = value !== null && equals(value, result.value)
  return { start: first.start, end: result.end, operands, ops, result, holds }
}

/** `values[0] ops[0] values[1] …`, `*` and `/` before `+` and `-`; null for a division by zero or when it grows too long. */
export function evaluate(values: readonly Rational[], ops: readonly Op[]): Rational | null {
  let sum: Rational | null = { n: 0n, d: 1n }
  let term: Rational | null = values[0] ?? null
  ops.forEach((op, i) => {
    const next = values[i + 1]
    if (sum === null || term === null || next === undefined) term = null
    else if (op === '*') term = mul(term, next)
    else if (op === '/') term = div(term, next)
    else {
      sum = add(sum, term)
      term = op === '-' ? sub({ n: 0n, d: 1n }, next) : next
    }
  })
  return sum === null || term === null ? null : add(sum, term)
}

/** The nearest double, for sets and comparisons of sizes. */
export const numberOf = (term: Term): number => toNumber(term.value)
