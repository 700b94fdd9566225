// The values a right solution may pass through: the reference's own, and those of other orders of the same sums and products.
import type { Quantity } from './types.ts'

/** At most this many terms of one sum or product are combined in every way; 2^6 subsets stay cheap and few. */
const MAX_TERMS = 6

/** Distinct values reachable on a right way to `final`, at most hundredths, ascending. */
export function legitimateValues(final: Quantity, others: readonly Quantity[]): number[] {
  const found = new Set<number>()
  const seen = new Set<Quantity>()
  const visit = (q: Quantity): void => {
    if (q.from === undefined || seen.has(q)) return
    seen.add(q)
    add(found, q.value)
    for (const value of sumOrders(q)) add(found, value)
    for (const value of productOrders(q)) add(found, value)
    for (const value of distributed(q)) add(found, value)
    visit(q.from.left)
    visit(q.from.right)
  }
  visit(final)
  for (const other of others) visit(other)
  return [...found].sort((a, b) => a - b)
}

/** Keeps what a solution would write: positive, at most hundredths. */
function add(found: Set<number>, raw: number): void {
  const value = Math.round(Math.abs(raw) * 1e6) / 1e6
  if (Number.isInteger(Math.round(value * 1e8) / 1e6)) found.add(value)
}

/** Partial sums of a chain of + and -: its start with any of the other terms, or terms of one sign alone. */
function sumOrders(q: Quantity): number[] {
  const chain = terms(q, 1)
  const fits = (part: readonly number[]) =>
    part[0] === chain[0] || part.every(value => value >= 0) || part.every(value => value <= 0)
  return subsets(chain)
    .filter(fits)
    .map(part => part.reduce((sum, value) => sum + value, 0))
}

function terms(q: Quantity, sign: number): number[] {
  if (q.from === undefined || q.from.op === '*' || q.from.op === '/') return [sign * q.value]
  return [...terms(q.from.left, sign), ...terms(q.from.right, q.from.op === '-' ? -sign : sign)]
}

/** Partial products of a chain of * and /, whatever the order of its factors. */
function productOrders(q: Quantity): number[] {
  return subsets(factors(q, false)).map(part => part.reduce((product, value) => product * value, 1))
}

function factors(q: Quantity, inverse: boolean): number[] {
  if (q.from === undefined || q.from.op === '+' || q.from.op === '-') return [inverse ? 1 / q.value : q.value]
  return [...factors(q.from.left, inverse), ...factors(q.from.right, q.from.op === '/' ? !inverse : inverse)]
}

/** `(a + b) * k` may be done as `a * k + b * k`, and `(a + b) / k` as `a / k + b / k`. */
function distributed(q: Quantity): number[] {
  if (q.from === undefined) return []
  const { op, left, right } = q.from
  if (op === '/') return isSum(left) ? terms(left, 1).map(term => term / right.value) : []
  if (op !== '*') return []
  return [
    ...(isSum(left) ? terms(left, 1).map(term => term * right.value) : []),
    ...(isSum(right) ? terms(right, 1).map(term => term * left.value) : []),
  ]
}

const isSum = (q: Quantity) => q.from?.op === '+' || q.from?.op === '-'

/** Every choice of two or more of `values`; only neighbours when there are many. */
function subsets(values: readonly number[]): number[][] {
  const out: number[][] = []
  if (values.length > MAX_TERMS) {
    for (let i = 0; i < values.length; i++)
      for (let j = i + 2; j <= values.length; j++) out.push(values.slice(i, j))
    return out
  }
  for (let mask = 1; mask < 1 << values.length; mask++) {
    const part = values.filter((_, i) => (mask >> i) & 1)
    if (part.length > 1) out.push(part)
  }
  return out
}
