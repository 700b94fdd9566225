// Polynomials in one name with exact coefficients, to see how two formulas differ. Knows no text but how to write one.
import type { Formula } from './formula.ts'
import { add, div, equals, format, mul, type Rational, sub } from './rational.ts'

/** Coefficients from the constant up; the last is not 0, and [] is the zero polynomial. */
export type Polynomial = readonly Rational[]

const MAX_DEGREE = 24
const ZERO: Rational = { n: 0n, d: 1n }
const ONE: Rational = { n: 1n, d: 1n }

/** The coefficient of name^power. */
export const coefficient = (p: Polynomial, power: number): Rational => p[power] ?? ZERO

function collect(terms: readonly (Rational | null)[]): Polynomial | null {
  if (terms.includes(null) || terms.length > MAX_DEGREE + 1) return null
  let length = terms.length
  while (length > 0 && terms[length - 1]!.n === 0n) length--
  return terms.slice(0, length) as Rational[]
}

function combine(a: Polynomial, b: Polynomial, operation: typeof add): Polynomial | null {
  const length = Math.max(a.length, b.length)
  return collect(Array.from({ length }, (_, k) => operation(coefficient(a, k), coefficient(b, k))))
}

function multiply(a: Polynomial, b: Polynomial): Polynomial | null {
  if (a.length === 0 || b.length === 0) return []
  if (a.length + b.length > MAX_DEGREE + 2) return null
  const terms: (Rational | null)[] = Array(a.length + b.length - 1).fill(ZERO)
  for (const [i, x] of a.entries()) {
    for (const [j, y] of b.entries()) {
      const product = mul(x, y)
      const term = terms[i + j]
      terms[i + j] = product === null || term == null ? null : add(term, product)
    }
  }
  return collect(terms)
}

/** i^2 = -1. */
function reduceImaginary(p: Polynomial): Polynomial | null {
  const terms: (Rational | null)[] = [ZERO, ZERO]
  p.forEach((value, power) => {
    const term = terms[power % 2]
    if (term == null) return
    terms[power % 2] = power % 4 < 2 ? add(term, value) : sub(term, value)
  })
  return collect(terms)
}

function power(base: Polynomial, exponent: Polynomial): Polynomial | null {
  const [e = ZERO] = exponent
  if (exponent.length > 1 || e.d !== 1n || e.n < 0n || e.n > BigInt(MAX_DEGREE)) return null
  let value: Polynomial | null = [ONE]
  for (let i = 0n; i < e.n && value !== null; i++) value = multiply(value, base)
  return value
}

function expand(formula: Formula, name: string): Polynomial | null {
  if (formula.kind === 'number') return collect([formula.value])
  if (formula.kind === 'name') return formula.name === name ? [ZERO, ONE] : null
  if (formula.kind === 'unary') {
    const of = formula.op === 'neg' ? expand(formula.of, name) : null
    return of === null ? null : combine([], of, sub)
  }
  const a = expand(formula.a, name)
  const b = a === null ? null : expand(formula.b, name)
  if (a === null || b === null) return null
  switch (formula.op) {
    case '+':
      return combine(a, b, add)
    case '-':
      return combine(a, b, sub)
    case '*':
      return multiply(a, b)
    case '/':
      return b.length === 1 ? collect(a.map(term => div(term, b[0]!))) : null
    case '^':
      return power(a, b)
    default:
      return null
  }
}

/**
 * A formula as a polynomial in `name`, or null when it is none, has another name in it, or a degree over 24. The name `i` is
 * the imaginary unit, whose square is -1.
 */
export function polynomialIn(formula: Formula, name: string): Polynomial | null {
  const expanded = expand(formula, name)
  return expanded !== null && name === 'i' ? reduceImaginary(expanded) : expanded
}

/** Coefficients, other than 0, that two polynomials share. */
export function sharedTerms(a: Polynomial, b: Polynomial): number {
  return a.filter((value, power) => value.n !== 0n && equals(value, coefficient(b, power))).length
}

/** As people write it: `x^2 - 3/2x + 1`. */
export function writePolynomial(p: Polynomial, name: string): string {
  const terms = p.flatMap((value, power) => {
    if (value.n === 0n) return []
    const size = format({ n: value.n < 0n ? -value.n : value.n, d: value.d })
    const letters = power === 0 ? '' : power === 1 ? name : `${name}^${power}`
    const factor = size === '1' && power > 0 ? '' : size.includes('/') && power > 0 ? `(${size})` : size
    return [{ sign: value.n < 0n ? '-' : '+', text: factor + letters }]
  })
  if (terms.length === 0) return '0'
  return terms
    .reverse()
    .map(({ sign, text }, i) => (i === 0 ? (sign === '-' ? `-${text}` : text) : `${sign} ${text}`))
    .join(' ')
}
