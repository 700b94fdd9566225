// A step taken apart into numbers and equations that hold, and put together again with some of them changed.
import { type NumberRead, readNumbers } from '../../answer/numbers.ts'
import { equals, format, parseRational, type Rational } from '../../answer/rational.ts'
import { type Equation, readEquations } from '../problems/arithmetic.ts'
import type { SneakyContext } from './types.ts'

/** A right step as read. */
export interface StepRead {
  readonly text: string
  readonly numbers: readonly NumberRead[]
  /** Only those that hold: anything else was not understood, since the step is right. */
  readonly equations: readonly Equation[]
  /** Distinct numbers of the problem and of the steps before, in order of appearance. */
  readonly known: readonly Rational[]
}

/** Replacement of text[start, end). */
export interface Splice {
  readonly start: number
  readonly end: number
  readonly text: string
}

/** Reads a right step in its context. */
export function readStep(text: string, context: SneakyContext): StepRead {
  return {
    text,
    numbers: readNumbers(text),
    equations: readEquations(text).filter(equation => equation.holds),
    known: distinct([context.problem, ...context.previous].flatMap(valuesIn)),
  }
}

/** Values of the numbers of a text, in order, those too long to read left out. */
export function valuesIn(text: string): Rational[] {
  return readNumbers(text).flatMap(number =>
    (number.parts ?? [number]).flatMap(part => (part.value === null ? [] : [part.value])),
  )
}

/** Values without repetition. */
function distinct(values: readonly Rational[]): Rational[] {
  return [...new Map(values.map(value => [format(value), value])).values()]
}

/** Whether a value is among others. */
export const includes = (values: readonly Rational[], value: Rational): boolean =>
  values.some(other => equals(other, value))

/** `text` with the replacements made; they must not overlap. */
export function splice(text: string, changes: readonly Splice[]): string {
  let out = text
  for (const { start, end, text: part } of changes.toSorted((a, b) => b.start - a.start))
    out = out.slice(0, start) + part + out.slice(end)
  return out
}

/**
 * A value written in the manner of `like`: with its thousands commas, its decimals, its per cent mark.
 * Null when it would take more than four decimals.
 */
export function formatLike(value: Rational, like: string): string | null {
  const percent = /\\?%$/.exec(like)?.[0] ?? ''
  const n = percent === '' ? value.n : value.n * 100n
  const decimals = /\.(\d+)/.exec(like)?.[1]?.length ?? 0
  const places = decimals === 2 || decimals === 0 ? [0, 2, 4] : [0, 1, 2, 3, 4]
  const fixed = decimals === 2 && /\.00/.test(like) ? [2, 4] : places
  const place = fixed.find(p => (n * 10n ** BigInt(p)) % value.d === 0n)
  if (place === undefined) return null
  const scaled = ((n < 0n ? -n : n) * 10n ** BigInt(place)) / value.d
  const digits = scaled.toString().padStart(place + 1, '0')
  const whole = digits.slice(0, digits.length - place)
  const grouped = like.includes(',') ? whole.replace(/\B(?=(\d{3})+$)/g, ',') : whole
  const part = place > 0 ? `.${digits.slice(digits.length - place)}` : ''
  return `${n < 0n ? '-' : ''}${grouped}${part}${percent}`
}

/** A small whole number as an exact one. */
export const whole = (n: number): Rational => ({ n: BigInt(n), d: 1n })

/** The value as text reads it, or null; `formatLike` and this are inverse to each other. */
export const parseNumber = (text: string): Rational | null => parseRational(text.replace('\\%', '%'))

/**
 * Whether `to` may pass for `from` at a glance: of the same kind (whole or not), not negative where `from` was not, and
 * at most one character longer or shorter, so that lengths tell nothing.
 */
export function passes(to: Rational, from: Rational, like: string): boolean {
  const written = formatLike(to, like)
  return (
    written !== null &&
    !equals(to, from) &&
    (to.d === 1n || from.d !== 1n) &&
    (to.n > 0n || from.n < 0n) &&
    Math.abs(written.length - like.length) <= 1
  )
}
