// Decides whether two answers are the same, by a canonical form. Knows no algebra beyond exact numbers.
import { ATTACHED_UNITS } from './lexicon.ts'
import { add, div, format, parseRational, type Rational, rational } from './rational.ts'

/** Longer answers are only trimmed: nobody writes them, and the work must stay bounded. */
const MAX_CHARS = 500

/** Takes off what wraps a whole answer: math delimiters, a box, emphasis. */
function unwrap(text: string): string {
  const wraps = [
    ['$$', '$$'],
    ['$', '$'],
    ['\\(', '\\)'],
    ['\\[', '\\]'],
    ['**', '**'],
    ['`', '`'],
    ['\\boxed{', '}'],
    ['\\text{', '}'],
    ['\\textbf{', '}'],
    ['\\mathrm{', '}'],
  ] as const
  for (let rounds = 0; rounds < 8; rounds++) {
    const wrap = wraps.find(
      ([open, close]) =>
        text.length >= open.length + close.length &&
        text.startsWith(open) &&
        text.endsWith(close) &&
        isWhole(text.slice(open.length, text.length - close.length), open),
    )
    if (wrap === undefined) return text
    text = text.slice(wrap[0].length, text.length - wrap[1].length).trim()
  }
  return text
}

/** Whether the delimiters around `inner` belong together: `$3$ and $4$` is not one formula. */
function isWhole(inner: string, open: string): boolean {
  if (!open.endsWith('{')) return !inner.includes(open)
  let depth = 0
  for (const char of inner) {
    if (char === '{') depth++
    else if (char === '}' && --depth < 0) return false
  }
  return depth === 0
}

/** LaTeX that only lays out is dropped, and each thing that can be written in several ways is written in one. */
function plainLatex(text: string): string {
  return text
    .replace(/\\(?:left|right|displaystyle|bigl?|bigr?)(?![a-zA-Z])/g, '')
    .replace(/\\[!,;:]|\\ |~|\\q?quad(?![a-z])/g, ' ')
    .replace(/\\[dt]frac(?![a-zA-Z])/g, '\\frac')
    .replace(/\\frac(\d)(\d)/g, '\\frac{$1}{$2}')
    .replace(/\\sqrt(?:\s*(\d)|\s+([a-zA-Z]))/g, '\\sqrt{$1$2}')
    .replace(/\^\{?\\circ\}?|\\degree|°/g, '')
    .replace(/\\([%$#&])/g, '$1')
    .replace(/\{,\}/g, ',')
    .replace(/[\u2212\u2013]/g, '-')
    .replace(/\\(?:cdot|times)(?![a-zA-Z])/g, '*')
    .trim()
}

const UNIT =
  /(?:\s*\\(?:text|mathrm|mbox|textbf)\{[^{}]*\}(?:\^\{?\d\}?)?|(?:\s|(?<=\d))[a-z][a-z .\-/]*[a-z]\.?(?:\^\{?\d\}?)?|\s*¢)$/i
// Words and letters that change the value they stand beside.
const NOT_UNIT =
  /\b(?:pi|sqrt|sin|cos|tan|cot|csc|log|ln|exp|mod|or|and|i|e|to|thousand|million|billion|hundred|dozen|half)\b|^\s*[a-z](?:\s+[a-z])+$|\\/i
const FUNCTION_OF = /^(?:sin|cos|tan|cot|csc|log|ln|exp)[a-z]?$/i

/** Whether letters written onto a number are a unit: `5cm` and `36eggs`, not the product `2ab`. */
function isAttachedUnit(word: string): boolean {
  if (ATTACHED_UNITS.has(word) || ATTACHED_UNITS.has(word.toLowerCase()) || /^[ap]m$/i.test(word)) return true
  return word.length >= 4 && /[aeiou]/i.test(word) && !FUNCTION_OF.test(word)
}

/** The number an answer states, its currency, units and per cent sign dropped, or null. */
function readValue(text: string): Rational | null {
  let body = text.replace(/^(-?)\s*(?:\$|€|£|USD|US\$)\s*/, '$1').replace(/\s*(?:%|percent)$/i, '')
  const unit = UNIT.exec(body)
  const attached = /^[a-z]+/i.exec(unit?.[0] ?? '')
  if (
    unit !== null &&
    (attached === null || isAttachedUnit(attached[0])) &&
    /\d|\}/.test(body.slice(0, unit.index)) &&
    (unit[0].includes('{') || !NOT_UNIT.test(unit[0]))
  ) {
    body = body.slice(0, unit.index)
  }
  body = body.replace(/\s*%$/, '').trim()
  return parseRational(body) ?? readFraction(body) ?? readScientific(body)
}

/** `\frac{a}{b}`, `-\frac{a}{b}`, and mixed numbers `2\frac{1}{3}` and `2 1/3`. */
function readFraction(text: string): Rational | null {
  const match =
    /^(-?)(\d{1,20})?\s*(?:\\frac\{(-?[\d.,]{1,20})\}\{(-?[\d.,]{1,20})\}|(?<=\d\s+)(\d{1,20})\/(\d{1,20}))$/.exec(
      text,
    )
  if (match === null) return null
  const top = parseRational(match[3] ?? match[5]!)
  const under = parseRational(match[4] ?? match[6]!)
  const part = top === null || under === null ? null : div(top, under)
  const value = part === null ? null : add({ n: BigInt(match[2] ?? 0), d: 1n }, part)
  return value !== null && match[1] === '-' ? rational(-value.n, value.d) : value
}

/** `1.5*10^3`, `1.5 * 10^{-3}`. */
function readScientific(text: string): Rational | null {
  const match = /^(-?[\d.,]{1,40})\s*\*\s*10\^(?:(-?\d{1,2})|\{(-?\d{1,2})\})$/.exec(text)
  const size = match === null ? null : parseRational(match[1]!)
  if (match === null || size === null) return null
  const exponent = Number(match[2] ?? match[3])
  const power = 10n ** BigInt(Math.abs(exponent))
  return exponent < 0 ? rational(size.n, size.d * power) : rational(size.n * power, size.d)
}

/** An answer that is no number: spaces out of formulas, words in lower case. */
function plainText(text: string): string {
  const choice = /^(?:choice[_ ])?\(?([A-Za-z])\)?[.:]?$/i.exec(text) ?? /^\(([A-J])\)\s*[\w$\\]/.exec(text)
  if (choice !== null) return choice[1]!.toLowerCase()
  const words = text.replace(/\\(?:text|mathrm|mbox|textbf)\{([^{}]*)\}/g, '$1')
  if (/^[\p{L}\s.,'’"-]+$/u.test(words)) {
    const bare = words.toLowerCase().replace(/["'’.]/g, '')
    return bare.replace(/\s+/g, ' ').trim()
  }
  const dense = words.replace(/\s+/g, '').replace(/([_^])\{(\w)\}/g, '$1$2')
  // Names of three letters and more are words, not variables; a command keeps its case.
  return /\p{L}{3}/u.test(dense) && !dense.includes('\\') ? dense.toLowerCase() : dense
}

/** Elements of a pair, interval or list, cut at its outermost commas; one element when there are none. */
function elements(text: string): string[] {
  const parts: string[] = []
  let depth = 0
  let start = 0
  for (let at = 0; at < text.length; at++) {
    const char = text[at]!
    if ('([{'.includes(char)) depth++
    else if (')]}'.includes(char)) depth--
    else if (char === ',' && depth === 0) {
      parts.push(text.slice(start, at))
      start = at + 1
    }
  }
  parts.push(text.slice(start))
  return parts
}

function canonElement(text: string): string {
  const value = readValue(text.trim())
  return value === null ? plainText(text.trim()) : format(value)
}

/** A pair, interval, set or list: its brackets, '' where it has none, and its elements. */
interface Tuple {
  readonly open: string
  readonly close: string
  readonly parts: readonly string[]
}

/** `(1, 2)`, `[0, 1)`, `\{1, 2\}` and `1, 2` cut into two elements or more; null for anything else. */
export function splitTuple(text: string): Tuple | null {
  const match = /^(\(|\[|\\\{|)(.*?)(\)|\]|\\\}|)$/s.exec(text)
  if (match === null || (match[1] === '') !== (match[3] === '')) return null
  const parts = elements(match[2]!)
  if (parts.length < 2 || parts.some(part => part.trim() === '')) return null
  return { open: match[1]!, close: match[3]!, parts }
}

/** A tuple with each element in its own canonical form; those of a set in one order. */
function canonTuple(text: string): string | null {
  const tuple = splitTuple(text)
  if (tuple === null) return null
  const parts = tuple.parts.map(canonElement)
  if (tuple.open === '\\{') parts.sort()
  return tuple.open + parts.join(',') + tuple.close
}

/** What a calculation comes to that an answer spells out, `15` of `10 + 5 = 15`; null where it is none. */
function resultOf(text: string): string | null {
  const match = /^([\d\s.,$€£%()+*/×÷=-]+)=([^=]*\d[^=]*)$/.exec(text)
  return match !== null && /[\d)%]\s*[+*/×÷-]/.test(match[1]!) ? match[2]!.trim() : null
}

/**
 * The canonical form of an answer: a number as `n` or `n/d` in lowest terms, whatever its currency, unit, thousands
 * separators, LaTeX or per cent sign (50% is 50, as data sets grade it); a choice as its letter; pairs and lists element by
 * element; any other text with its layout evened out. Equal forms mean the same answer; different forms may still be equal
 * mathematically.
 */
export function canonAnswer(answer: string): string {
  const trimmed = answer.trim()
  if (trimmed.length > MAX_CHARS) return trimmed
  let text = plainLatex(unwrap(trimmed.replace(/(?<=[^.])\.$/, '')))
  text = unwrap(text.replace(/^(?:the )?(?:final )?answer(?: is|:)\s*/i, ''))
  const named = /^[A-Za-z](?:_\{?\w\}?)?\s*=\s*([^=]+)$/.exec(text)
  if (named !== null) text = named[1]!.trim()
  text = resultOf(text) ?? text
  const value = readValue(text)
  if (value !== null) return format(value)
  return canonTuple(text) ?? plainText(text)
}

/** Whether two answers are the same as far as `canonAnswer` can tell. */
export function sameAnswer(a: string, b: string): boolean {
  return canonAnswer(a) === canonAnswer(b)
}
