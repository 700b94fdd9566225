// Exact rational numbers on BigInt. Knows nothing of text around a number; refuses numbers too long to be honest.

/** n / d in lowest terms with d > 0. */
export interface Rational {
  readonly n: bigint
  readonly d: bigint
}

/** Numerators and denominators of more digits than this are refused (null), so that hostile input costs nothing. */
export const MAX_DIGITS = 60
const LIMIT = 10n ** BigInt(MAX_DIGITS)
const MAX_EXPONENT = 200n
const MAX_FACTORIAL = 40n

function gcd(a: bigint, b: bigint): bigint {
  while (b !== 0n) {
    if (a <= 9007199254740991n && b <= 9007199254740991n) {
      // Plain numbers are some ten times faster, and nearly every number in a solution fits.
      let x = Number(a)
      let y = Number(b)
      while (y !== 0) [x, y] = [y, x % y]
      return BigInt(x)
    }
    ;[a, b] = [b, a % b]
  }
  return a
}

/** n / d brought to lowest terms; null when d is 0 or the result has more than `MAX_DIGITS` digits. */
export function rational(n: bigint, d = 1n): Rational | null {
  if (d === 0n) return null
  if (d < 0n) {
    n = -n
    d = -d
  }
  if (d !== 1n) {
    const g = gcd(n < 0n ? -n : n, d)
    if (g !== 1n) {
      n /= g
      d /= g
    }
  }
  return n >= LIMIT || -n >= LIMIT || d >= LIMIT ? null : { n, d }
}

const DECIMAL = /^([+-]?)\$?(\d{1,3}(?:,\d{3})+|\d+)?(?:\.(\d*))?$/

function parseDecimal(text: string): Rational | null {
  const match = DECIMAL.exec(text)
  if (match === null) return null
  const whole = (match[2] ?? '').replaceAll(',', '')
  const part = match[3] ?? ''
  if (whole === '' && part === '') return null
  const n = BigInt(whole + part)
  return rational(match[1] === '-' ? -n : n, 10n ** BigInt(part.length))
}

/**
 * Reads `12`, `-3.50`, `.5`, `1,234`, `$48`, `3/4`, `50%` (value / 100) as an exact number; spaces around it are ignored.
 * Null for anything else, for a zero denominator and for more than `MAX_DIGITS` digits.
 */
export function parseRational(text: string): Rational | null {
  if (text.length > 2 * MAX_DIGITS) return null
  let body = text.trim()
  const percent = body.endsWith('%')
  if (percent) body = body.slice(0, -1)
  const slash = body.indexOf('/')
  const top = parseDecimal(slash < 0 ? body : body.slice(0, slash).trimEnd())
  if (top === null) return null
  let value: Rational | null = top
  if (slash >= 0) {
    const under = parseDecimal(body.slice(slash + 1).trimStart())
    value = under === null ? null : div(top, under)
  }
  return percent && value !== null ? div(value, { n: 100n, d: 1n }) : value
}

/** a + b, or null when it grows beyond `MAX_DIGITS`. */
export function add(a: Rational, b: Rational): Rational | null {
  if (a.d === 1n && b.d === 1n) return rational(a.n + b.n)
  return rational(a.n * b.d + b.n * a.d, a.d * b.d)
}

/** a - b, or null when it grows beyond `MAX_DIGITS`. */
export function sub(a: Rational, b: Rational): Rational | null {
  if (a.d === 1n && b.d === 1n) return rational(a.n - b.n)
  return rational(a.n * b.d - b.n * a.d, a.d * b.d)
}

/** a * b, or null when it grows beyond `MAX_DIGITS`. */
export function mul(a: Rational, b: Rational): Rational | null {
  return rational(a.n * b.n, a.d * b.d)
}

/** a / b, or null when b is 0 or the result grows beyond `MAX_DIGITS`. */
export function div(a: Rational, b: Rational): Rational | null {
  return rational(a.n * b.d, a.d * b.n)
}

/** a ^ e for a whole e of at most 200 in size; null otherwise, for 0 ^ negative, and beyond `MAX_DIGITS`. */
export function pow(a: Rational, e: Rational): Rational | null {
  if (e.d !== 1n || e.n > MAX_EXPONENT || e.n < -MAX_EXPONENT) return null
  const size = e.n < 0n ? -e.n : e.n
  // Lowest terms stay so: what is too long is known before it is computed, which could take a second.
  const digits = Number(size) * Math.log10(Math.max(Math.abs(Number(a.n)), Number(a.d)))
  if (digits > MAX_DIGITS + 1) return null
  const power = rational(a.n ** size, a.d ** size)
  return power !== null && e.n < 0n ? rational(power.d, power.n) : power
}

/** n! for whole n up to 40, else null. */
export function factorial({ n, d }: Rational): Rational | null {
  if (d !== 1n || n < 0n || n > MAX_FACTORIAL) return null
  let product = 1n
  for (let i = 2n; i <= n; i++) product *= i
  return { n: product, d: 1n }
}

/** a over b for whole 0 <= b <= a up to 200, else null. */
export function choose(a: Rational, b: Rational): Rational | null {
  if (a.d !== 1n || b.d !== 1n || b.n < 0n || b.n > a.n || a.n > 200n) return null
  let value = 1n
  for (let i = 1n; i <= b.n; i++) value = (value * (a.n - b.n + i)) / i
  return rational(value)
}

/** Negative, zero or positive as a is below, equal to or above b. */
export function compare(a: Rational, b: Rational): number {
  const left = a.n * b.d
  const right = b.n * a.d
  return left < right ? -1 : left > right ? 1 : 0
}

/** Same value: lowest terms are unique, so this compares two pairs of integers. */
export function equals(a: Rational, b: Rational): boolean {
  return a.n === b.n && a.d === b.d
}

/** Canonical text: `n` for a whole number, else `n/d` in lowest terms. */
export function format(a: Rational): string {
  return a.d === 1n ? a.n.toString() : `${a.n}/${a.d}`
}

/** The nearest double; exact enough to compare sizes, not to decide equality. */
export function toNumber(a: Rational): number {
  return Number(a.n) / Number(a.d)
}
