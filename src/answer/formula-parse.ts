// Parses a formula, LaTeX or plain, into a tree: `\frac{x^2-1}{2}`, `3(x + 1)`, `2\sqrt{3}`. Knows no prose and computes nothing.
import { isDigit, isLetter, readDigits } from './chars.ts'
import type { Binary, Formula, Unary } from './formula.ts'
import { expect, NOT_UNDERSTOOD, type Parse, skip, take } from './formula-scan.ts'

/** Longer and deeper formulas are refused: nobody writes them, and the work must stay bounded. */
const MAX_CHARS = 400
const MAX_DEPTH = 40

const GREEK =
  /^(?:alpha|beta|gamma|delta|epsilon|varepsilon|zeta|eta|theta|lambda|mu|nu|xi|rho|sigma|tau|phi|varphi|psi|omega)$/
const FUNCTION = /^(?:sin|cos|tan|cot|sec|csc|ln)$/
const APPLIED = /^\\(?:sin|cos|tan|cot|sec|csc|ln)/
const WRAPPER = /^(?:boxed|fbox|mathbf|mathit)$/
// Letters before a bracket that are functions more often than factors.
const FUNCTION_LETTER = /^[fghpqFGHPQRST]$/
const CLOSE: Readonly<Record<string, string>> = { '(': ')', '[': ']', '{': '}', '\\{': '\\}', '|': '|' }

const number = (n: number): Formula => ({ kind: 'number', value: { n: BigInt(n), d: 1n }, decimals: 0 })
const unary = (op: Unary, of: Formula): Formula => ({ kind: 'unary', op, of })
const binary = (op: Binary, a: Formula, b: Formula): Formula => ({ kind: 'binary', op, a, b })

function whole(s: Parse): Formula {
  const formula = sum(s)
  skip(s)
  if (s.at < s.text.length) throw NOT_UNDERSTOOD
  return formula
}

function sum(s: Parse): Formula {
  if (++s.depth > MAX_DEPTH) throw NOT_UNDERSTOOD
  take(s, '+')
  let left = product(s)
  for (;;) {
    const op = take(s, '+', '-', '−', '–')
    if (op === null) break
    const right = product(s)
    left = binary(op === '+' ? '+' : '-', left, right)
  }
  s.depth--
  return left
}

function product(s: Parse): Formula {
  let left = signed(s)
  let divided = false
  for (;;) {
    const op = take(s, '*', '\\cdot', '\\times', '×', '·', '⋅', '/', '\\div', '÷')
    if (op !== null) {
      divided = op === '/' || op === '\\div' || op === '÷'
      left = binary(divided ? '/' : '*', left, signed(s))
    } else if (beginsFactor(s)) {
      // `1/2x` has two readings; `2\frac{1}{3}` is a mixed number or a product.
      if (divided || isMixed(s, left)) throw NOT_UNDERSTOOD
      left = binary('*', left, power(s))
    } else return left
  }
}

function isMixed(s: Parse, left: Formula): boolean {
  return left.kind === 'number' && /^\\[dt]?frac(?:\d\d|\{\d+\}\{\d+\})/.test(s.text.slice(s.at, s.at + 20))
}

/** Whether what comes next goes on a product without a sign. Digits do not: `x 2`, `3 4`. */
function beginsFactor(s: Parse): boolean {
  skip(s)
  const char = s.text[s.at]
  if (char === undefined) return false
  if (char === '|') return s.bars === 0
  if ('([{'.includes(char) || isLetter(char.charCodeAt(0))) return true
  return char === '\\' && /^\\(?:[a-zA-Z]|\{)/.test(s.text.slice(s.at, s.at + 2))
}

function signed(s: Parse): Formula {
  const sign = take(s, '-', '−', '–')
  if (sign === null) return power(s)
  if (++s.depth > MAX_DEPTH) throw NOT_UNDERSTOOD
  const of = signed(s)
  s.depth--
  return unary('neg', of)
}

function power(s: Parse): Formula {
  let base = atom(s)
  for (;;) {
    if (take(s, '!') !== null) base = unary('!', base)
    else if (take(s, '°', '^\\circ', '^{\\circ}') !== null) base = unary('degrees', base)
    else if (take(s, '²') !== null) base = binary('^', base, number(2))
    else if (take(s, '³') !== null) base = binary('^', base, number(3))
    else break
  }
  return take(s, '^', '**') === null ? base : binary('^', base, exponent(s))
}

function exponent(s: Parse): Formula {
  if (++s.depth > MAX_DEPTH) throw NOT_UNDERSTOOD
  const exponent = signed(s)
  s.depth--
  return exponent
}

function atom(s: Parse): Formula {
  skip(s)
  const { text, at } = s
  const code = text.charCodeAt(at)
  const digits = isDigit(code) || code === 46 ? readDigits(text, at) : null
  if (digits !== null) {
    s.at = digits.end
    if (digits.value === null) throw NOT_UNDERSTOOD
    return { kind: 'number', value: digits.value, decimals: digits.decimals }
  }
  if (code === 92 && text[at + 1] !== '{') return command(s)
  const open = take(s, '(', '[', '{', '\\{', '|')
  if (open !== null) return bracket(s, open)
  if (isLetter(code)) return letters(s)
  throw NOT_UNDERSTOOD
}

function bracket(s: Parse, open: string): Formula {
  if (open === '|') s.bars++
  const bars = s.bars
  if (open !== '|') s.bars = 0
  const inner = sum(s)
  expect(s, CLOSE[open]!)
  s.bars = open === '|' ? bars - 1 : bars
  return open === '|' ? unary('abs', inner) : inner
}

/** A name: one letter with its index and primes, or the ends of a segment such as AB. */
function letters(s: Parse): Formula {
  const match = /^(?:sqrt(?=\s*\()|[A-Z]{2,4}(?![a-z])|\p{L})/u.exec(s.text.slice(s.at, s.at + 8))
  if (match === null) throw NOT_UNDERSTOOD
  s.at += match[0].length
  if (match[0] === 'sqrt') return binary('root', atom(s), number(2))
  return named(s, match[0])
}

function named(s: Parse, letters: string): Formula {
  const index = /^(?:_(?:\{[\p{L}\d,+\- ]{1,8}\}|[\p{L}\d]))?'{0,3}/u.exec(s.text.slice(s.at, s.at + 16))![0]
  s.at += index.length
  if (FUNCTION_LETTER.test(letters) && s.text[s.at] === '(') throw NOT_UNDERSTOOD
  return { kind: 'name', name: letters + index.replace(/[{} ]/g, '') }
}

/** `{…}`, or what LaTeX takes without braces: one digit or letter. */
function argument(s: Parse): Formula {
  skip(s)
  const char = s.text[s.at] ?? ''
  if (char === '{' || char === '\\') return atom(s)
  s.at++
  if (/\d/.test(char)) return number(Number(char))
  if (/\p{L}/u.test(char)) return { kind: 'name', name: char }
  throw NOT_UNDERSTOOD
}

function command(s: Parse): Formula {
  const name = /^[a-zA-Z]+/.exec(s.text.slice(s.at + 1, s.at + 16))?.[0] ?? ''
  s.at += 1 + name.length
  if (/^[dt]?frac$/.test(name)) return binary('/', argument(s), argument(s))
  if (/^[dt]?binom$/.test(name)) return binary('C', argument(s), argument(s))
  if (name === 'sqrt') return root(s)
  if (FUNCTION.test(name)) return applied(s, name as Unary)
  if (WRAPPER.test(name) && s.text[s.at] === '{') return atom(s)
  if (name === 'pi') return { kind: 'name', name: 'π' }
  if (GREEK.test(name)) return named(s, `\\${name}`)
  throw NOT_UNDERSTOOD
}

function root(s: Parse): Formula {
  const degree = s.text[s.at] === '[' ? atom(s) : number(2)
  return binary('root', argument(s), degree)
}

/** `\sin x`, `\sin(2x)`, `\sin^2 x`, `\cos 2x \sin x`: up to the next sign or function; `\sin x(x + 1)` has two readings. */
function applied(s: Parse, op: Unary): Formula {
  const exponent = take(s, '^') === null ? null : argument(s)
  skip(s)
  const isBracketed = s.text[s.at] === '('
  let of = power(s)
  while (!isBracketed && beginsFactor(s) && !APPLIED.test(s.text.slice(s.at, s.at + 5))) {
    if (s.text[s.at] === '(' || isMixed(s, of)) throw NOT_UNDERSTOOD
    of = binary('*', of, power(s))
  }
  const value = unary(op, of)
  if (exponent === null) return value
  // `\sin^{-1}` is the inverse function.
  if (exponent.kind !== 'number') throw NOT_UNDERSTOOD
  return binary('^', value, exponent)
}

/**
 * The tree of a formula, or null unless every sign is understood and has one common reading: numbers, names (single
 * letters, Greek ones, `x_1`, segments such as AB), + - * / ^ !, products without a sign, brackets, bars, `\frac`, `\sqrt`,
 * `\binom`, sine and its kin, `\pi` (the name `π`). `1/2x` and `2\frac{1}{3}` are refused. At most 400 characters.
 */
export function parseFormula(text: string): Formula | null {
  if (text.length > MAX_CHARS) return null
  try {
    return whole({ text, at: 0, depth: 0, bars: 0 })
  } catch (error) {
    if (error === NOT_UNDERSTOOD) return null
    throw error
  }
}
