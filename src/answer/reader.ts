// Reads the steps of one solution in order: which value each number is, and where it comes from. Knows no model.
import { type Algebra, createAlgebra } from './algebra.ts'
import { isDigit, isLetter } from './chars.ts'
import { checkEquations } from './equations.ts'
import { readNumberWords } from './number-words.ts'
import { type NumberRead, readNumbers } from './numbers.ts'
import { format, mul, type Rational, toNumber } from './rational.ts'
import type { Evidence } from './types.ts'

/**
 * Where a number comes from; the index is a model input, so new flags go to the end.
 * `given`: its value stands in the problem (as digits or as a word). `known`: it stood in an earlier step or earlier in
 * this one. `holds`, `fails`: it ends an equation that holds, or does not. `nowhere`: none of these. `unread`: no value
 * could be read. `derived`: new, but 0, 1, 2 or one operation + - * / away from two known values.
 */
export const NUMBER_FLAGS = ['given', 'known', 'holds', 'fails', 'nowhere', 'unread', 'derived'] as const
type NumberFlag = (typeof NUMBER_FLAGS)[number]

/** One number of a text: its place, its value's id and where it comes from. */
export interface NumberMark {
  readonly start: number
  readonly end: number
  /** 1 to 512: the same value, however written, has the same slot; in order of first appearance. 512 is shared by the rest. */
  readonly slot: number
  readonly flag: NumberFlag
}

/** What reading one step yields: its numbers from left to right, and what can be said about it exactly. */
export interface StepReading {
  readonly numbers: NumberMark[]
  readonly evidence: Evidence[]
}

/** Reads one solution; `read` takes its steps in order and remembers their values. */
export interface Reader {
  readonly problemNumbers: readonly NumberMark[]
  read(step: string): StepReading
  /** A reader of its own for another solution that begins as this one does so far. */
  fork(): Reader
}

/** Values remembered at most; what comes later is forgotten again, so that a hostile text costs linear time. */
const MAX_VALUES = 512
/** Values tried as operands of a derived number, the earliest ones: those of the problem come first. */
const MAX_OPERANDS = 64
const FROM_NOWHERE =
  'not in the problem, not stated before, and not one operation away from two numbers that were'
const HUNDRED: Rational = { n: 100n, d: 1n }

// Numbers of everyday knowledge: no surprise, so no evidence.
const COMMON: ReadonlySet<string> = new Set(
  '3 4 5 7 10 12 24 30 31 50 52 60 90 100 180 360 365 366 1000 3600 1000000 1/2 1/3 1/4 157/50'.split(' '),
)

interface Memory {
  readonly slots: Map<string, number>
  readonly origins: Map<string, 'given' | 'known'>
  readonly operands: number[]
}

const copyOf = ({ slots, origins, operands }: Memory): Memory => ({
  slots: new Map(slots),
  origins: new Map(origins),
  operands: [...operands],
})

function remember(memory: Memory, value: Rational, origin: 'given' | 'known'): void {
  const key = format(value)
  if (memory.origins.has(key) || memory.origins.size >= MAX_VALUES) return
  memory.origins.set(key, origin)
  if (memory.operands.length < MAX_OPERANDS) memory.operands.push(toNumber(value))
}

/** A number and, for a per cent, the number before its sign: who knows 20% knows the 20 of 20/100. */
function rememberNumber(memory: Memory, read: NumberRead, origin: 'given' | 'known'): void {
  if (read.value === null) return
  remember(memory, read.value, origin)
  const whole = read.text.endsWith('%') ? mul(read.value, HUNDRED) : null
  if (whole !== null) remember(memory, whole, origin)
}

function slotOf(memory: Memory, read: NumberRead): number {
  const key = read.value === null ? read.text : format(read.value)
  const known = memory.slots.get(key)
  if (known !== undefined) return known
  const slot = Math.min(memory.slots.size + 1, MAX_VALUES)
  if (memory.slots.size < MAX_VALUES) memory.slots.set(key, slot)
  return slot
}

/** `2.` or `2)` at the start of a line, the 2 of `Step 2`: a marker, not a quantity. */
function isMarker(text: string, read: NumberRead): boolean {
  if (read.end - read.start > 2 || read.value === null || read.value.d !== 1n) return false
  const next = text[read.end]
  if ((next === '.' || next === ')') && !isDigit(text.charCodeAt(read.end + 1))) {
    let at = read.start - 1
    while (at >= 0 && read.start - at < 8 && ' *#('.includes(text[at]!)) at--
    if (at < 0 || text[at] === '\n') return true
  }
  return /(?:^|[^a-z])(?:step|part|case) $/i.test(text.slice(Math.max(0, read.start - 6), read.start))
}

/** One operation away from two known values, within the rounding of the number's own decimals. */
function isDerived(operands: readonly number[], read: NumberRead): boolean {
  const value = toNumber(read.value!)
  if (value === 0 || value === 1 || value === 2) return true
  const point = read.parts === undefined ? read.text.indexOf('.') : -1
  const slack = point < 0 ? 0 : 0.5 * 10 ** -(read.end - read.start - point - 1)
  const edge = Math.max(slack, 1e-9 * Math.abs(value))
  const near = (x: number) => Math.abs(x - value) <= edge
  for (let i = 0; i < operands.length; i++) {
    const a = operands[i]!
    if (near(-a) || near(100 * a) || near(a / 100)) return true
    for (let j = 0; j <= i; j++) {
      const b = operands[j]!
      if (near(a + b) || near(a - b) || near(b - a) || near(a * b) || near(a / b) || near(b / a)) return true
    }
  }
  return false
}

/** `750/60` of two known values is a division, not a number of its own, unless its value is known too. */
function splitKnown(memory: Memory, read: NumberRead): readonly NumberRead[] {
  const knows = (number: NumberRead) => number.value !== null && memory.origins.has(format(number.value))
  return read.parts !== undefined && !knows(read) && read.parts.every(knows) ? read.parts : [read]
}

/** Whether a number that comes from nowhere is worth telling a person: not an exponent, coefficient, ordinal or year. */
function isReportable(text: string, read: NumberRead): boolean {
  const value = read.value!
  if (COMMON.has(format(value)) || isLetter(text.charCodeAt(read.end))) return false
  const before = text[read.start - 1]
  if (before === '^' || (before === '{' && text[read.start - 2] === '^')) return false
  return !(value.d === 1n && value.n >= 1900n && value.n <= 2100n && read.end - read.start === 4)
}

/**
 * A reader for one solution of `problem`. Slot and flag of a number depend on the problem, the earlier steps and this step
 * up to the number's end and the character or two that end it: text added after a finished number changes no earlier mark.
 * Markers such as `Step 2` and `2.` at the start of a line are not marked.
 */
export function createReader(problem: string): Reader {
  const memory: Memory = { slots: new Map(), origins: new Map(), operands: [] }
  const given = readNumbers(problem)
  for (const read of given) {
    rememberNumber(memory, read, 'given')
    for (const part of read.parts ?? []) remember(memory, part.value!, 'given')
  }
  for (const value of readNumberWords(problem)) remember(memory, value, 'given')
  const problemNumbers = given.map(read => ({
    start: read.start,
    end: read.end,
    slot: slotOf(memory, read),
    flag: read.value === null ? ('unread' as const) : ('given' as const),
  }))

  return readerAfter(memory, problemNumbers, createAlgebra(problem))
}

function readerAfter(memory: Memory, problemNumbers: readonly NumberMark[], algebra: Algebra): Reader {
  return {
    problemNumbers,
    read(step) {
      const numbers: NumberMark[] = []
      const { evidence, verdicts } = checkEquations(step)
      evidence.push(...algebra.read(step))
      for (const whole of readNumbers(step)) {
        for (const read of splitKnown(memory, whole)) {
          if (isMarker(step, read)) continue
          const flag = flagOf(memory, read, verdicts.get(read.end))
          numbers.push({ start: read.start, end: read.end, slot: slotOf(memory, read), flag })
          if (flag === 'nowhere' && isReportable(step, read)) {
            evidence.push({ kind: 'number_from_nowhere', text: read.text, holds: null, detail: FROM_NOWHERE })
          }
          rememberNumber(memory, read, 'known')
        }
      }
      for (const value of readNumberWords(step)) remember(memory, value, 'known')
      return { numbers, evidence }
    },
    fork: () => readerAfter(copyOf(memory), problemNumbers, algebra.fork()),
  }
}

function flagOf(memory: Memory, read: NumberRead, verdict: boolean | undefined): NumberFlag {
  if (read.value === null) return 'unread'
  if (verdict !== undefined) return verdict ? 'holds' : 'fails'
  return memory.origins.get(format(read.value)) ?? (isDerived(memory.operands, read) ? 'derived' : 'nowhere')
}
