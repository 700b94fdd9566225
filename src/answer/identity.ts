// Decides whether two formulas are equal, for numbers or for every value of their names. Knows no prose and no solution.
import { type Formula, someFormula } from './formula.ts'
import { type Point, samePoint, valueAt } from './formula-value.ts'
import { coefficient, type Polynomial, polynomialIn, sharedTerms, writePolynomial } from './polynomial.ts'
import { equals, format, type Rational, rational, sub } from './rational.ts'

/** A verdict and, in words, what it rests on. */
export interface Decision {
  readonly holds: boolean
  readonly detail: string
}

/** Formulas on both sides, with a written decimal, that differ by less than this share may be rounded. */
const ROUNDING = 0.06
const NOWHERE: ReadonlyMap<string, Rational> = new Map()
// Odd values: no formula that people write takes equal values at them by chance. Names of one formula get different ones.
const PROBES: readonly (readonly [n: bigint, d: bigint])[] = [
  [1009n, 7n],
  [-2003n, 11n],
  [613n, 5n],
]

/** Whether a number in it is written with a decimal, and may be rounded. */
export const hasDecimal = (formula: Formula): boolean =>
  someFormula(formula, part => part.kind === 'number' && part.decimals > 0)

function write({ exact, approx }: Point): string {
  if (exact === null) return `about ${Number(approx.toPrecision(6))}`
  const text = format(exact)
  return text.length <= 24 ? text : `about ${Number(approx.toPrecision(6))}`
}

/**
 * Whether two formulas have one value where each name has that of `point`: exactly, or to twelve digits where roots and π
 * come in. Null where a value is missing, or a decimal may have been rounded (`isRounded`: one of the point's).
 */
export function compareAt(
  a: Formula,
  b: Formula,
  point: ReadonlyMap<string, Rational> = NOWHERE,
  isRounded = false,
): Decision | null {
  const [x, y] = [valueAt(a, point), valueAt(b, point)]
  const holds = samePoint(x, y)
  if (holds === null) return null
  if (holds) return { holds, detail: `both sides are ${write(x)}` }
  const off = Math.abs(x.approx - y.approx) / Math.max(Math.abs(x.approx), Math.abs(y.approx))
  if (off < ROUNDING && (isRounded || hasDecimal(a) || hasDecimal(b))) return null
  return { holds, detail: `the left side is ${write(x)}, the right side ${write(y)}` }
}

/** Polynomials that no equation to solve has: they differ by a constant, or by a term or two while they share others. */
function isSlip(p: Polynomial, q: Polynomial): boolean {
  if (p.length !== q.length || p.length < 2) return false
  const apart = p.flatMap((value, power) => (equals(value, coefficient(q, power)) ? [] : [power]))
  return (apart.length === 1 && apart[0] === 0) || (apart.length <= 2 && sharedTerms(p, q) >= 2)
}

function comparePolynomials(p: Polynomial, q: Polynomial, name: string): Decision | null {
  const [left, right] = [writePolynomial(p, name), writePolynomial(q, name)]
  if (left === right) return { holds: true, detail: `both sides are ${left}` }
  // Complex numbers are values: an equation between two different ones is no equation to solve.
  if (name !== 'i' && !isSlip(p, q)) return null
  return { holds: false, detail: `the left side is ${left}, the right side ${right}` }
}

/** What the two differ by when it is the same at every probe, else null. */
function constantGap(pairs: readonly (readonly [Point, Point])[]): Rational | null {
  const gaps = pairs.map(([x, y]) => (x.exact === null || y.exact === null ? null : sub(x.exact, y.exact)))
  const [first] = gaps
  if (first == null) return null
  return gaps.every(gap => gap !== null && equals(gap, first)) ? first : null
}

/**
 * Whether two formulas are equal whatever their names stand for. True means so by polynomials or, beyond those, at three odd
 * points. False is said only of what cannot be an equation to solve: the sides differ by a constant, are complex
 * numbers, or are polynomials in one name that share all but a few terms.
 */
export function decideIdentity(a: Formula, b: Formula, names: ReadonlySet<string>): Decision | null {
  const [name] = names
  if (name !== undefined && names.size === 1) {
    const p = polynomialIn(a, name)
    const q = p === null ? null : polynomialIn(b, name)
    if (p !== null && q !== null) return comparePolynomials(p, q, name)
  }
  if (names.has('i')) return null // It is no name, and there is no arithmetic for it here.
  const pairs = PROBES.map(([n, d]) => {
    const point = new Map([...names].map((of, k) => [of, rational(n + 30n * BigInt(k), d)!]))
    return [valueAt(a, point), valueAt(b, point)] as const
  })
  const verdicts = pairs.map(([x, y]) => samePoint(x, y))
  const every = [...names].join(', ')
  if (verdicts.every(same => same === true)) return { holds: true, detail: `equal for every ${every}` }
  if (verdicts.includes(null) || verdicts.includes(true)) return null
  const gap = constantGap(pairs)
  return gap && { holds: false, detail: `the sides differ by ${format(gap)} for every ${every}` }
}
