// The tokens of arithmetic in prose, and the state of the scan that makes them. Knows no spelling beyond single signs.
import { isSpace } from './chars.ts'
import type { Rational } from './rational.ts'

/**
 * What a token can be. `word`: prose or a unit. `function`: a word that changes a value. `relation`: < and the like.
 * `stop`: the end of a clause. `strange`: anything the checker must not pretend to understand (a variable, `|`, `\sqrt`).
 */
export type TokenKind =
  | 'number'
  | 'operator'
  | 'open'
  | 'close'
  | 'equal'
  | 'approx'
  | 'relation'
  | 'word'
  | 'of'
  | 'function'
  | 'percent'
  | 'factorial'
  | 'comma'
  | 'stop'
  | 'strange'

export interface Token {
  readonly kind: TokenKind
  readonly start: number
  readonly end: number
  /**
   * An operator as one of + - * / ^ C (n over k); a word in lower case; `frac` for the bracket that `\frac` or `\binom`
   * opens; else ''.
   */
  readonly text: string
  /** Of a number; null when it has too many digits. */
  readonly value: Rational | null
  /** Digits after the point of a number. */
  readonly decimals: number
  /** White space or layout stands between this token and the one before. */
  readonly gap: boolean
  /** Inside a calculator mark `<<48/2=24>>`, which is a text of its own. */
  readonly marked: boolean
}

/** What an open brace was opened by. */
type Brace = 'plain' | 'power' | 'text' | 'over' | 'choose' | 'under'

/** A scan in progress; lives for one call of `scan`. */
export interface Scan {
  readonly text: string
  readonly tokens: Token[]
  readonly braces: Brace[]
  at: number
  gap: boolean
  marked: boolean
}

// One character each: the kind of its token and, for an operator, what it does.
const SIGNS: ReadonlyMap<string, readonly [kind: TokenKind, text: string]> = new Map(
  (
    [
      ['operator', '+', '+'],
      ['operator', '-', '-–−'],
      ['operator', '*', '*×·⋅•∗'],
      ['operator', '/', '/÷'],
      ['equal', '', '='],
      ['approx', '', '≈'],
      ['relation', '', '<>≤≥≠≡'],
      ['open', '', '(['],
      ['close', '', ')]'],
      ['percent', '', '%'],
      ['comma', '', ','],
      ['stop', '', ';?"“”—→⇒'],
    ] as const
  ).flatMap(([kind, text, signs]) => [...signs].map(sign => [sign, [kind, text]] as const)),
)

/** Appends a token from where the scan stands to `end`, and goes there. */
export function push(
  s: Scan,
  kind: TokenKind,
  end: number,
  text = '',
  value: Rational | null = null,
  decimals = 0,
): void {
  s.tokens.push({ kind, start: s.at, end, text, value, decimals, gap: s.gap, marked: s.marked })
  s.at = end
  s.gap = false
}

/** Appends the token of a sign known by its character; `strange` for any other. */
export function pushSign(s: Scan, sign: string, end: number): void {
  const known = SIGNS.get(sign)
  if (known === undefined) push(s, 'strange', end)
  else push(s, known[0], end, known[1])
}

/** Goes to `end` over white space or layout. */
export function skip(s: Scan, end: number): void {
  s.at = end
  s.gap = true
}

/** The first place from `at` on that is not white space or layout: where the next token begins. */
export function peek(text: string, at: number): number {
  while (isSpace(text, at) || text[at] === '$' || text[at] === '&') at++
  return at
}

/** The end of a line: a stop, unless the next line goes on with `=`. */
export function scanLineEnd(s: Scan, end: number): void {
  let next = peek(s.text, end)
  if (s.text.startsWith('\\\\', next)) next = peek(s.text, next + 2)
  if (s.text[next] !== '=' && !s.text.startsWith('\\approx', next)) push(s, 'stop', end)
  skip(s, next)
}

/** The end of a power that belongs to a unit (`cm^2`) or marks degrees (`^\circ`), or `at` when there is none. */
export function unitPowerEnd(text: string, at: number): number {
  if (text[at] !== '^') return at
  const match = /^\^(?:-?\d|\{-?\d\}|\\circ|\{\\circ\})/.exec(text.slice(at, at + 8))
  return match === null ? at : at + match[0].length
}
