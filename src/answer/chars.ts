// Character classes and plain digits, the ground of every scanner in this folder. Knows no sign, fraction or per cent mark.
import { MAX_DIGITS, type Rational, rational } from './rational.ts'

/** Unsigned digits read at one place. */
export interface Digits {
  /** Null when there are more than `MAX_DIGITS` digits. */
  readonly value: Rational | null
  readonly end: number
  /** Digits after the decimal point. */
  readonly decimals: number
}

/** An ASCII digit, by its UTF-16 code. */
export function isDigit(code: number): boolean {
  return code >= 48 && code <= 57
}

/** Letters of alphabetic scripts. Signs, and scripts that write no spaces (from U+2000 on), do not count. */
export function isLetter(code: number): boolean {
  if (code < 0x80) return (code >= 97 && code <= 122) || (code >= 65 && code <= 90)
  return code >= 0xc0 && code < 0x2000 && code !== 0xd7 && code !== 0xf7
}

/** White space as `trim` has it. */
export function isSpace(text: string, at: number): boolean {
  const code = text.charCodeAt(at)
  return code === 32 || (code >= 9 && code <= 13) || (code > 127 && text.charAt(at).trim() === '')
}

// What may stand between thousands, as prose and LaTeX write it. No plain space: `2 300` is more often two numbers.
const THOUSANDS = [',', '{,}', '\\,', ',\\!'] as const

/** The end of the digits at `at` when exactly three stand there, else -1. */
export function threeDigits(text: string, at: number): number {
  for (let i = at; i < at + 3; i++) if (!isDigit(text.charCodeAt(i))) return -1
  return isDigit(text.charCodeAt(at + 3)) ? -1 : at + 3
}

/** The end of a separator and the three digits after it at `at`, else -1. */
function thousandsEnd(text: string, at: number): number {
  for (const separator of THOUSANDS) {
    if (!text.startsWith(separator, at)) continue
    const end = threeDigits(text, at + separator.length)
    if (end >= 0) return end
  }
  return -1
}

/**
 * Reads the unsigned number that starts at `at`: `12`, `1,234.5`, `1{,}234`, `.5`. Null when neither a digit nor a point
 * before a digit stands there.
 */
export function readDigits(text: string, at: number): Digits | null {
  let end = at
  while (isDigit(text.charCodeAt(end))) end++
  let digits = text.slice(at, end)
  if (end > at && end - at <= 3) {
    for (let next = thousandsEnd(text, end); next >= 0; next = thousandsEnd(text, end)) {
      digits += text.slice(next - 3, next)
      end = next
    }
  }
  let decimals = 0
  if (text.charCodeAt(end) === 46 && isDigit(text.charCodeAt(end + 1))) {
    const start = end + 1
    for (end = start; isDigit(text.charCodeAt(end)); ) end++
    decimals = end - start
    digits += text.slice(start, end)
  }
  if (end === at) return null
  if (digits.length > MAX_DIGITS) return { value: null, end, decimals }
  // A plain number is the faster way to a short BigInt.
  const n = digits.length <= 15 ? BigInt(+digits) : BigInt(digits)
  return { value: decimals === 0 ? { n, d: 1n } : rational(n, 10n ** BigInt(decimals)), end, decimals }
}
