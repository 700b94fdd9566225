// Slips of the pen on written numbers and forgotten carries. Knows digits, not steps.
import type { Rational } from '../../answer/rational.ts'
import { parseNumber } from './step.ts'

/** Values of `text` with two neighbouring digits exchanged or one digit off by one to three; lengths stay, no leading zero. */
export function digitSlips(text: string): Rational[] {
  const places = [...text.matchAll(/\d/g)].map(match => match.index)
  const out = new Set<string>()
  places.forEach((at, i) => {
    const digit = Number(text[at])
    for (const shift of [-3, -2, -1, 1, 2, 3]) {
      const other = digit + shift
      if (other >= 0 && other <= 9) out.add(put(text, at, String(other)))
    }
    const next = places[i + 1]
    if (next !== undefined) out.add(put(put(text, at, text.charAt(next)), next, text.charAt(at)))
  })
  out.delete(text)
  return [...out].filter(slip => !/^-?0\d/.test(slip)).flatMap(slip => parseNumber(slip) ?? [])
}

const put = (text: string, at: number, digit: string) => text.slice(0, at) + digit + text.slice(at + 1)

/** Results of `a + b` with one carry forgotten, each value once; whole numbers only. */
export function forgottenCarries(a: bigint, b: bigint): bigint[] {
  const out: bigint[] = []
  for (let unit = 10n; unit <= a + b; unit *= 10n) {
    const carry = (a % unit) + (b % unit) >= unit
    if (carry) out.push(a + b - unit)
  }
  return out
}

/** Results of `a - b` (a ≥ b) with one borrow forgotten, and with the smaller digit taken from the larger throughout. */
export function forgottenBorrows(a: bigint, b: bigint): bigint[] {
  const out: bigint[] = []
  let digitwise = 0n
  for (let unit = 1n; unit <= a; unit *= 10n) {
    const top = (a / unit) % 10n
    const under = (b / unit) % 10n
    digitwise += (top > under ? top - under : under - top) * unit
    if (a % (unit * 10n) < b % (unit * 10n)) out.push(a - b + unit * 10n)
  }
  out.push(digitwise)
  return [...new Set(out)].filter(value => value !== a - b)
}

/** Results of `a * b` with the carry out of one column of `a` forgotten (or added once more), for one factor of one digit. */
export function forgottenProducts(a: bigint, b: bigint): bigint[] {
  if (b > 9n) return a > 9n ? [] : forgottenProducts(b, a)
  if (a <= 9n) return []
  const out: bigint[] = []
  for (let unit = 1n; unit <= a; unit *= 10n) {
    const carry = (((a / unit) % 10n) * b) / 10n
    if (carry > 0n) out.push(a * b - carry * unit * 10n, a * b + carry * unit * 10n)
  }
  return out
}
