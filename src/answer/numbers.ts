// Finds the numbers written in prose and light LaTeX. Knows nothing of equations or of what a number means.
import { type Digits, isDigit, isLetter, readDigits, threeDigits } from './chars.ts'
import { type Rational, rational } from './rational.ts'

/** A number as it stands in a text: `text === source.slice(start, end)`. */
export interface NumberRead {
  readonly text: string
  /** Null when it cannot be read: too many digits, or several points as in a version or an address. */
  readonly value: Rational | null
  readonly start: number
  readonly end: number
  /** For `a/b` and `\frac{a}{b}`: numerator and denominator as numbers of their own. */
  readonly parts?: readonly [NumberRead, NumberRead]
}

type Range = readonly [start: number, end: number]

/** Whether the letters that end at `end` are a LaTeX command, as in `\cdot2`. */
function isCommand(text: string, end: number): boolean {
  let at = end
  while (at > 0 && end - at < 16 && isLetter(text.charCodeAt(at - 1))) at--
  return text[at - 1] === '\\'
}

/** Digits after a letter or underscore belong to a name (`x2`, `a_1`, `x_{10}`). */
function inName(text: string, at: number): boolean {
  const before = text.charCodeAt(at - 1)
  if (before === 95) return true
  if (before === 123) return text[at - 2] === '_'
  return isLetter(before) && !isCommand(text, at)
}

/** Whether the dash at `at` is a sign: nothing before it can be subtracted from. */
function isSign(text: string, at: number): boolean {
  let before = at - 1
  // A few spaces are enough to look past; more would let a hostile text of spaces cost quadratic time.
  while (before >= 0 && text[before] === ' ' && at - before < 8) before--
  if (before < 0) return true
  const char = text[before]!
  if ('([{=<>,:;*/+^&\n\u00d7'.includes(char)) return true
  if (char === '$') return before === at - 1
  // `is -3` is a sign, `x -3` and `5 -3` are not.
  return before < at - 1 && isLetter(text.charCodeAt(before)) && isLetter(text.charCodeAt(before - 1))
}

/** Where the number at `at` begins when a sign, or a sign and a currency mark, stand directly before it. */
function signStart(text: string, at: number): number {
  const mark = text[at - 1] === '$' ? at - 2 : at - 1
  const dash = text[mark]
  return (dash === '-' || dash === '\u2212') && isSign(text, mark) ? mark : at
}

function fraction(text: string, at: number, end: number, top: Range, under: Range): NumberRead | null {
  const d = BigInt(text.slice(...under))
  if (d === 0n) return null
  const start = signStart(text, at)
  const size = BigInt(text.slice(...top))
  const n = start < at ? -size : size
  const topStart = top[0] === at ? start : top[0]
  const parts = [
    { text: text.slice(topStart, top[1]), value: { n, d: 1n }, start: topStart, end: top[1] },
    { text: text.slice(...under), value: { n: d, d: 1n }, start: under[0], end: under[1] },
  ] as const
  return { text: text.slice(start, end), value: rational(n, d), start, end, parts }
}

const FRAC = /^\\[dt]?frac(?:\{(\d{1,20})\}\{(\d{1,20})\}|(\d)(\d))/

/** `\frac{3}{4}` or `\frac34` at `at`, or null. */
function readFrac(text: string, at: number): NumberRead | null {
  const match = FRAC.exec(text.slice(at, at + 52))
  if (match === null) return null
  const closing = match[1] === undefined ? 0 : 1
  const end = at + match[0].length
  const underEnd = end - closing
  const underStart = underEnd - (match[2] ?? match[4]!).length
  const topEnd = underStart - 2 * closing
  const topStart = topEnd - (match[1] ?? match[3]!).length
  return fraction(text, at, end, [topStart, topEnd], [underStart, underEnd])
}

/** `3/4` whose numerator stands from `at` to `slash`, or null: dates, chains and decimals are left alone. */
function readSlash(text: string, at: number, slash: number): NumberRead | null {
  if (text[slash] !== '/' || text[at - 1] === '/' || slash - at > 20) return null
  for (let i = at; i < slash; i++) if (!isDigit(text.charCodeAt(i))) return null
  let end = slash + 1
  while (isDigit(text.charCodeAt(end))) end++
  if (end === slash + 1 || end - slash > 20 || text[end] === '/') return null
  if (text[end] === '.' && isDigit(text.charCodeAt(end + 1))) return null
  if (text[end] === ',' && threeDigits(text, end + 1) >= 0) return null
  return fraction(text, at, end, [at, slash], [slash + 1, end])
}

/** A number that is not a fraction, with its sign and per cent mark. */
function readOne(text: string, at: number, digits: Digits): NumberRead {
  let { value, end } = digits
  while (text[end] === '.' && isDigit(text.charCodeAt(end + 1))) {
    value = null // A version or an address.
    for (end++; isDigit(text.charCodeAt(end)); ) end++
  }
  const percent = text[end] === '%' ? 1 : text[end] === '\\' && text[end + 1] === '%' ? 2 : 0
  end += percent
  if (percent > 0 && value !== null) value = rational(value.n, value.d * 100n)
  const start = signStart(text, at)
  if (start < at && value !== null) value = { n: -value.n, d: value.d }
  return { text: text.slice(start, end), value, start, end }
}

/** The number that starts at `at`, if one does: a fraction has `parts`. */
function readNumber(text: string, at: number, digits: Digits | null): NumberRead | null {
  if (digits === null) return readFrac(text, at)
  return readSlash(text, at, digits.end) ?? readOne(text, at, digits)
}

/**
 * Numbers of a text from left to right, spans disjoint: `1,234`, `12.5`, `.5`, `3/4`, `\frac{3}{4}`, `50%` (value 1/2),
 * `-3` only where the dash is clearly a sign. A currency sign is not part of the span unless a sign stands before it.
 * `48/2` and `\frac{48}{2}`, which come out whole, are divisions: two numbers. Digits of names (`x2`, `a_1`) are left
 * out. A number is settled by the text up to its end and the character or two that end it. Linear in the text's length.
 */
export function readNumbers(text: string): NumberRead[] {
  const found: NumberRead[] = []
  for (let at = 0; at < text.length; ) {
    const code = text.charCodeAt(at)
    const isPoint = code === 46 && isDigit(text.charCodeAt(at + 1)) && text[at - 1] !== '.'
    if (code !== 92 && !isPoint && !isDigit(code)) {
      at++
      continue
    }
    const digits = code === 92 ? null : readDigits(text, at)
    if (digits !== null && inName(text, at)) {
      at = digits.end
      continue
    }
    const read = readNumber(text, at, digits)
    if (read?.value?.d === 1n && read.parts !== undefined) found.push(...read.parts)
    else if (read !== null) found.push(read)
    at = read?.end ?? at + 1
  }
  return found
}
