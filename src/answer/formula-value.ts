// What a formula comes to at a point: exactly as a rational where it stays one, and as a double. Knows no text.
import type { Binary, Formula, Unary } from './formula.ts'
import { add, choose, div, factorial, mul, pow, type Rational, rational, sub, toNumber } from './rational.ts'

/** A value; `exact` is null where it is irrational or too long, `approx` NaN where there is none. */
export interface Point {
  readonly exact: Rational | null
  readonly approx: number
  /** Largest size met on the way: what rounding errors are measured by. */
  readonly scale: number
}

const NOTHING: Point = { exact: null, approx: Number.NaN, scale: 0 }

const certain = (exact: Rational, scale: number): Point => {
  const approx = toNumber(exact)
  return { exact, approx, scale: Math.max(scale, Math.abs(approx)) }
}
const about = (approx: number, scale: number): Point => ({
  exact: null,
  approx,
  scale: Math.max(scale, Math.abs(approx)),
})

function exactBinary(op: Binary, a: Rational, b: Rational): Rational | null {
  switch (op) {
    case '+':
      return add(a, b)
    case '-':
      return sub(a, b)
    case '*':
      return mul(a, b)
    case '/':
      return div(a, b)
    case '^':
      return b.d === 1n ? pow(a, b) : null
    case 'root':
      return exactRoot(a, b)
    case 'C':
      return choose(a, b)
  }
}

/** The root of a when it is a rational of moderate size, else null. */
function exactRoot(a: Rational, degree: Rational): Rational | null {
  if (degree.d !== 1n || degree.n < 1n || degree.n > 20n) return null
  const k = Number(degree.n)
  const sign = a.n < 0n && k % 2 === 1 ? -1 : 1
  if (a.n < 0n && sign > 0) return null
  const of = (whole: bigint): bigint | null => {
    const guess = BigInt(Math.round(Number(whole) ** (1 / k)))
    return guess ** degree.n === whole ? guess : null
  }
  const n = of(sign < 0 ? -a.n : a.n)
  const d = of(a.d)
  return n === null || d === null ? null : rational(n * BigInt(sign), d)
}

function approxBinary(op: Binary, a: number, b: number): number {
  switch (op) {
    case '+':
      return a + b
    case '-':
      return a - b
    case '*':
      return a * b
    case '/':
      return a / b
    case '^':
      return a ** b
    case 'root':
      return a < 0 && b % 2 === 1 ? -((-a) ** (1 / b)) : a ** (1 / b)
    case 'C':
      return Number.NaN
  }
}

function applyUnary(op: Unary, a: Point): Point {
  const { exact, approx, scale } = a
  switch (op) {
    case 'neg':
      return exact === null ? about(-approx, scale) : certain({ n: -exact.n, d: exact.d }, scale)
    case 'abs':
      if (exact === null) return about(Math.abs(approx), scale)
      return certain({ n: exact.n < 0n ? -exact.n : exact.n, d: exact.d }, scale)
    case '!': {
      const product = exact === null ? null : factorial(exact)
      return product === null ? NOTHING : certain(product, scale)
    }
    case 'degrees':
      return about((approx * Math.PI) / 180, scale)
    case 'sin':
      return about(Math.sin(approx), scale)
    case 'cos':
      return about(Math.cos(approx), scale)
    case 'tan':
      return about(Math.tan(approx), scale)
    case 'cot':
      return about(1 / Math.tan(approx), scale)
    case 'sec':
      return about(1 / Math.cos(approx), scale)
    case 'csc':
      return about(1 / Math.sin(approx), scale)
    case 'ln':
      return about(Math.log(approx), scale)
  }
}

/** The value of a formula where each name has the value of `point`; a name without one gives nothing (`approx` NaN). */
export function valueAt(formula: Formula, point: ReadonlyMap<string, Rational>): Point {
  if (formula.kind === 'number') return certain(formula.value, 0)
  if (formula.kind === 'name') {
    const value = point.get(formula.name)
    if (value !== undefined) return certain(value, 0)
    return formula.name === 'π' ? about(Math.PI, 0) : NOTHING
  }
  if (formula.kind === 'unary') return applyUnary(formula.op, valueAt(formula.of, point))
  const a = valueAt(formula.a, point)
  const b = valueAt(formula.b, point)
  const scale = Math.max(a.scale, b.scale)
  const exact = a.exact === null || b.exact === null ? null : exactBinary(formula.op, a.exact, b.exact)
  if (exact !== null) return certain(exact, scale)
  return about(approxBinary(formula.op, a.approx, b.approx), scale)
}

/** Where rounding may hide a difference this large, values that look equal say nothing. */
const MOST_HIDDEN = 1e-3

/** Whether two values are equal: exactly where both are exact, else to twelve digits; null where that cannot be told. */
export function samePoint(a: Point, b: Point): boolean | null {
  if (a.exact !== null && b.exact !== null) return a.exact.n === b.exact.n && a.exact.d === b.exact.d
  if (!Number.isFinite(a.approx) || !Number.isFinite(b.approx)) return null
  const hidden = 1e-12 * Math.max(1, a.scale, b.scale)
  if (Math.abs(a.approx - b.approx) > hidden) return false
  return hidden <= MOST_HIDDEN ? true : null
}
