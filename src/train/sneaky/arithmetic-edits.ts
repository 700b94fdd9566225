// Edits that change what is computed: operands, operators, factors, percentages, differences. The arithmetic stays consistent.
import { div, equals, mul, type Rational, sub, toNumber } from '../../answer/rational.ts'
import { type Equation, evaluate, type Term } from '../problems/arithmetic.ts'
import type { Op } from '../problems/types.ts'
import { digitSlips } from './digits.ts'
import { changesOf, follow } from './follow.ts'
import { formatLike, includes, passes, type Splice, type StepRead, splice, whole } from './step.ts'
import type { Draft, SneakyOperator } from './types.ts'

/** Consistent edits of every equation of a step. */
export function arithmeticEdits(step: StepRead): Draft[] {
  return step.equations.flatMap(equation => [
    ...wrongOperands(step, equation),
    ...miscopied(step, equation),
    ...wrongOperators(step, equation),
    ...factors(step, equation),
    ...percentSlips(step, equation),
    ...turned(step, equation),
  ])
}

/**
 * The step with the left side of one equation changed, its result computed again, and the rest of the step following.
 * Null when the new result would catch the eye.
 */
function recomputed(
  step: StepRead,
  equation: Equation,
  change: {
    readonly operands: readonly Rational[]
    readonly ops: readonly Op[]
    readonly splices: readonly Splice[]
  },
  label: { readonly operator: SneakyOperator; readonly why: string; readonly operand?: Rational },
): Draft | null {
  const { result } = equation
  const to = evaluate(change.operands, change.ops)
  if (to === null || !passes(to, result.value, result.text)) return null
  return finish(step, equation, to, change.splices, label)
}

/** The step with the given changes, `to` as the new result, and what comes after the equation following it. */
export function finish(
  step: StepRead,
  { result }: Equation,
  to: Rational,
  splices: readonly Splice[],
  label: { readonly operator: SneakyOperator; readonly why: string; readonly operand?: Rational },
): Draft | null {
  const written = formatLike(to, result.text)
  const changed = { from: result.value, to }
  const rest = follow(step.text.slice(result.end), changesOf(changed))
  if (written === null || rest === null) return null
  const head = splice(step.text.slice(0, result.end), [
    ...splices,
    { start: result.start, end: result.end, text: written },
  ])
  return { ...label, text: head + rest.text, changed }
}

const opsOf = (equation: Equation): Op[] => equation.ops.map(o => o.op)

function withOperand(
  step: StepRead,
  equation: Equation,
  at: number,
  value: Rational,
  operator: SneakyOperator,
  why: string,
): Draft[] {
  const term = equation.operands[at] as Term
  const text = formatLike(value, term.text)
  if (text === null || equals(value, term.value)) return []
  const draft = recomputed(
    step,
    equation,
    {
      operands: equation.operands.map((t, i) => (i === at ? value : t.value)),
      ops: opsOf(equation),
      splices: [{ start: term.start, end: term.end, text }],
    },
    { operator, why: `${why}: ${text} instead of ${term.text}`, operand: value },
  )
  return draft === null ? [] : [draft]
}

function wrongOperands(step: StepRead, equation: Equation): Draft[] {
  const own = equation.operands.map(term => term.value)
  return equation.operands.flatMap((term, at) =>
    step.known
      .filter(value => !includes(own, value) && !equals(value, equation.result.value))
      .filter(value => value.n > 0n && alike(value, term.value))
      .flatMap(value =>
        withOperand(step, equation, at, value, 'wrong_operand', 'Computes with another number'),
      ),
  )
}

/** Within a factor of twenty, so that the number may have been mistaken for the other. */
function alike(a: Rational, b: Rational): boolean {
  const ratio = Math.abs(toNumber(a) / toNumber(b))
  return ratio < 20 && ratio > 0.05
}

function miscopied(step: StepRead, equation: Equation): Draft[] {
  return equation.operands.flatMap((term, at) =>
    digitSlips(term.text).flatMap(value =>
      withOperand(step, equation, at, value, 'miscopied_operand', 'Copies a number wrongly'),
    ),
  )
}

const SIGNS: readonly Op[] = ['+', '-', '*', '/']

function wrongOperators(step: StepRead, equation: Equation): Draft[] {
  return equation.ops.flatMap((own, at) =>
    SIGNS.filter(op => op !== own.op).flatMap(op => {
      const text = signLike(op, step.text.slice(own.start, own.end), step.text.slice(0, own.start))
      if (text === null) return []
      const draft = recomputed(
        step,
        equation,
        {
          operands: equation.operands.map(term => term.value),
          ops: opsOf(equation).with(at, op),
          splices: [{ start: own.start, end: own.end, text }],
        },
        { operator: 'wrong_operator', why: `Computes with ${op} where ${own.op} belongs` },
      )
      return draft === null ? [] : [draft]
    }),
  )
}

/** The operator in the manner of the one it replaces; null inside `\frac`, where there is no sign to replace. */
function signLike(op: Op, own: string, before: string): string | null {
  if (own.includes('}') || own === '') return null
  const latex = own.startsWith('\\') || (/\\\(|\$/.test(before) && /\\times|\\cdot|\\div/.test(before))
  if (latex) return op === '*' ? '\\times' : op === '/' ? '\\div' : op
  return op
}

function factors(step: StepRead, equation: Equation): Draft[] {
  return equation.operands.flatMap((term, at) =>
    [mul(term.value, whole(2)), div(term.value, whole(2))].flatMap(value =>
      value === null || !sameKind(value, term.value)
        ? []
        : withOperand(step, equation, at, value, 'factor', 'A factor of two too much or too little'),
    ),
  )
}

const sameKind = (a: Rational, b: Rational) => a.d === 1n || b.d !== 1n

/** Takes 30 percent for 70, or moves the point of the rate: needs a rate between 0 and 1, or one out of 100. */
function percentSlips(step: StepRead, equation: Equation): Draft[] {
  const aboutPercent = /%|per\s?cent/.test(step.text)
  const one = whole(1)
  return equation.operands.flatMap((term, at) => {
    const { value } = term
    const rate = value.n > 0n && value.n < value.d
    const outOf100 = aboutPercent && value.d === 1n && value.n > 0n && value.n < 100n && hasHundred(equation)
    const base = rate ? one : outOf100 ? whole(100) : null
    if (base === null) return []
    const slips = [sub(base, value), div(value, whole(10)), mul(value, whole(10))]
    return slips.flatMap(slip =>
      slip === null || slip.n <= 0n || toNumber(slip) >= toNumber(base)
        ? []
        : withOperand(step, equation, at, slip, 'percent_slip', 'Takes the wrong percentage'),
    )
  })
}

const hasHundred = (equation: Equation) => equation.operands.some(term => equals(term.value, whole(100)))

/** `20 - 8 = 12` as `8 - 20 = -12`. */
function turned(step: StepRead, equation: Equation): Draft[] {
  const [a, b] = equation.operands
  if (a === undefined || b === undefined || equation.operands.length > 2 || equation.ops[0]?.op !== '-')
    return []
  const to = sub(b.value, a.value)
  if (to === null || equals(to, equation.result.value)) return []
  const draft = finish(
    step,
    equation,
    to,
    [
      { start: a.start, end: a.end, text: b.text },
      { start: b.start, end: b.end, text: a.text },
    ],
    { operator: 'sign', why: 'Subtracts the wrong way round' },
  )
  return draft === null ? [] : [draft]
}
