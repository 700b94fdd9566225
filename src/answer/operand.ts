// Arithmetic on one value that is exact and also has bounds, as a written decimal may have been rounded. Knows no tokens.
import { add, choose, div, factorial, mul, pow, type Rational, sub, toNumber } from './rational.ts'

/** A value and where the true one may lie if every decimal it came from was rounded at its last digit. */
export interface Operand {
  readonly exact: Rational
  readonly low: number
  readonly high: number
  /** Still a per cent: 20% rather than what 20% of something is. */
  readonly percent: boolean
}

const HUNDRED: Rational = { n: 100n, d: 1n }
const ANYTHING = [-Infinity, Infinity] as const

function bounds(...values: readonly number[]): readonly [number, number] {
  const low = Math.min(...values)
  const high = Math.max(...values)
  // Not a number means unknown: then nothing is ever out of bounds.
  return Number.isNaN(low) || Number.isNaN(high) ? ANYTHING : [low, high]
}

/** A written number with `decimals` digits after its point; whole numbers are exact. */
export function written(exact: Rational, decimals: number): Operand {
  const size = toNumber(exact)
  const slack = decimals === 0 ? 0 : 0.5 * 10 ** -decimals
  return { exact, low: size - slack, high: size + slack, percent: false }
}

function certain(exact: Rational | null): Operand | null {
  return exact === null ? null : { exact, low: toNumber(exact), high: toNumber(exact), percent: false }
}

/** x% as x / 100. A whole per cent may be rounded too: 33% of 60. */
export function percentOf(a: Operand, isWhole: boolean): Operand | null {
  const exact = div(a.exact, HUNDRED)
  const slack = isWhole ? 0.5 : 0
  return exact && { exact, low: (a.low - slack) / 100, high: (a.high + slack) / 100, percent: true }
}

/** -a. */
export function negate(a: Operand): Operand {
  return { exact: { n: -a.exact.n, d: a.exact.d }, low: -a.high, high: -a.low, percent: a.percent }
}

/** n! for whole n up to 40, else null. */
export function factorialOf(a: Operand): Operand | null {
  return certain(factorial(a.exact))
}

/** a operator b for + - * / ^, C (a over b) and & (a mixed number); null when out of reach. */
export function apply(operator: string, a: Operand, b: Operand): Operand | null {
  let exact: Rational | null
  let range: readonly [number, number]
  switch (operator) {
    case '+':
    case '&':
      exact = add(a.exact, b.exact)
      range = [a.low + b.low, a.high + b.high]
      break
    case '-':
      exact = sub(a.exact, b.exact)
      range = [a.low - b.high, a.high - b.low]
      break
    case '*':
      exact = mul(a.exact, b.exact)
      range = bounds(a.low * b.low, a.low * b.high, a.high * b.low, a.high * b.high)
      break
    case '/':
      exact = div(a.exact, b.exact)
      range =
        b.low <= 0 && b.high >= 0
          ? ANYTHING
          : bounds(a.low / b.low, a.low / b.high, a.high / b.low, a.high / b.high)
      break
    case '^': {
      exact = pow(a.exact, b.exact)
      const e = toNumber(b.exact)
      range = a.low > 0 || a.low === a.high ? bounds(a.low ** e, a.high ** e) : ANYTHING
      break
    }
    default:
      return certain(choose(a.exact, b.exact))
  }
  const percent = a.percent && b.percent && (operator === '+' || operator === '-')
  return exact && { exact, low: range[0], high: range[1], percent }
}
