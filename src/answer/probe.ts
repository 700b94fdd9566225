// Compares two formulas by their values at a few points. Knows no library and no text; cannot be held up.
import { type Formula, namesOf } from './formula.ts'
import { samePoint, valueAt } from './formula-value.ts'
import { type Rational, rational } from './rational.ts'

// Odd values of both signs and sizes around 1, where roots and logarithms mostly exist; the names of a formula get different ones.
const POINTS: readonly (readonly [n: bigint, d: bigint])[] = [
  [1009n, 701n],
  [2003n, 887n],
  [-613n, 431n],
  [311n, 977n],
  [-1511n, 563n],
  [4001n, 1709n],
]
/** Fewer common points than this say nothing about formulas with names. */
const MIN_POINTS = 3
/** Euler's number, to 30 digits. */
const E: Rational = { n: 2718281828459045235360287471353n, d: 10n ** 30n }

/**
 * Whether two formulas have equal values wherever both have one: false for certain, true as far as a handful of odd points
 * and twelve digits can tell, null where too few points have values. `e` is Euler's number; `i` has no value here.
 */
export function probeSame(a: Formula, b: Formula): boolean | null {
  const names = [...new Set([...namesOf(a), ...namesOf(b)])].filter(name => name !== 'e')
  if (names.includes('i')) return null
  let agreed = 0
  for (const [n, d] of names.length === 0 ? POINTS.slice(0, 1) : POINTS) {
    const point = new Map(names.map((name, k) => [name, rational(n + 19n * BigInt(k), d)!]))
    const same = samePoint(valueAt(a, point.set('e', E)), valueAt(b, point))
    if (same === false) return false
    if (same === true) agreed++
  }
  return agreed >= (names.length === 0 ? 1 : MIN_POINTS) ? true : null
}
