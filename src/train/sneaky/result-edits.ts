// Edits that leave the computation and get its result wrong: near misses, slips, carries, places, miscopied operands.
import { add, div, equals, mul, type Rational, sub } from '../../answer/rational.ts'
import { type Equation, evaluate } from '../problems/arithmetic.ts'
import { finish } from './arithmetic-edits.ts'
import { digitSlips, forgottenBorrows, forgottenCarries, forgottenProducts } from './digits.ts'
import { formatLike, includes, passes, type StepRead, splice, whole } from './step.ts'
import type { Draft, SneakyOperator } from './types.ts'

/** Edits after which an equation of the step does not hold. */
export function resultEdits(step: StepRead): Draft[] {
  return step.equations.flatMap(equation => [
    // First, because the others reach some of the same values without a reason.
    ...withResults(step, equation, 'carry_error', carries(equation), 'A carry is forgotten'),
    ...withResults(step, equation, 'factor', dropped(equation), 'A factor is left out'),
    ...withResults(step, equation, 'near_miss', nearMisses(equation), 'The result is off by a little'),
    ...withResults(
      step,
      equation,
      'digit_slip',
      digitSlips(equation.result.text),
      'A digit of the result is wrong',
    ),
    ...withResults(step, equation, 'factor', scaled(equation, 2), 'The result is off by a factor of two'),
    ...withResults(
      step,
      equation,
      'power_of_ten',
      scaled(equation, 10),
      'The decimal point is off by one place',
    ),
    ...miscopies(step, equation),
  ])
}

function withResults(
  step: StepRead,
  equation: Equation,
  operator: SneakyOperator,
  values: readonly (Rational | null)[],
  why: string,
): Draft[] {
  const { result } = equation
  return values.flatMap(to => {
    if (to === null || !passes(to, result.value, result.text)) return []
    const label = { operator, why: `${why}: ${formatLike(to, result.text)} instead of ${result.text}` }
    return finish(step, equation, to, [], label) ?? []
  })
}

function nearMisses({ result }: Equation): (Rational | null)[] {
  return [1, 10, 2].flatMap(d => [add(result.value, whole(d)), sub(result.value, whole(d))])
}

function scaled({ result }: Equation, by: number): (Rational | null)[] {
  return [mul(result.value, whole(by)), div(result.value, whole(by))]
}

/** Results with one of three or more numbers left out of a product or quotient; the left side stays as long as it was. */
function dropped({ operands, ops }: Equation): (Rational | null)[] {
  if (operands.length < 3) return []
  return ops.flatMap(({ op }, i) => {
    if (op !== '*' && op !== '/') return []
    const rest = operands.toSpliced(i + 1, 1).map(term => term.value)
    return [
      evaluate(
        rest,
        ops.toSpliced(i, 1).map(o => o.op),
      ),
    ]
  })
}

function carries({ operands, ops }: Equation): Rational[] {
  const [a, b] = operands.map(term => term.value)
  if (a === undefined || b === undefined || operands.length > 2) return []
  if (a.d !== 1n || b.d !== 1n || a.n < 0n || b.n < 0n) return []
  const op = ops[0]?.op
  const values =
    op === '+'
      ? forgottenCarries(a.n, b.n)
      : op === '-' && a.n >= b.n
        ? forgottenBorrows(a.n, b.n)
        : op === '*'
          ? forgottenProducts(a.n, b.n)
          : []
  return values.map(n => ({ n, d: 1n }))
}

/** Another known number stands where an operand stood, and the result is still the old one. */
function miscopies(step: StepRead, equation: Equation): Draft[] {
  const own = equation.operands.map(term => term.value)
  return equation.operands.flatMap(term =>
    step.known.flatMap(value => {
      const text = formatLike(value, term.text)
      if (text === null || includes(own, value) || equals(value, equation.result.value)) return []
      if (Math.abs(text.length - term.text.length) > 1 || value.n <= 0n) return []
      return {
        operator: 'copied_number' as const,
        text: splice(step.text, [{ start: term.start, end: term.end, text }]),
        why: `Writes ${text} where ${term.text} belongs`,
      }
    }),
  )
}
