// Telling a problem and solving it in one go: each sentence said and each step computed lands in one draft. Knows no story.
import type { Rng } from '../rng.ts'
import { PEOPLE, type Person } from './pools.ts'
import type { Op, Quantity } from './types.ts'

/** What the quantity at hand is, so that a continuation knows what may happen to it next. */
type TailKind =
  | 'items'
  | 'pool'
  | 'money'
  | 'cost'
  | 'cents'
  | 'minutes'
  | 'miles'
  | 'people'
  | 'age'
  | 'points'
  | 'need'
  | 'plants'
  | 'load'
  | 'area'
  | 'end'

/** Where a story stands: the latest result, whose it is, and how to ask for it if the story ends here. */
export interface Tail {
  readonly kind: TailKind
  readonly at: Quantity
  readonly who: Person
  /** Plural noun the quantity counts. */
  readonly noun: string
  /** Question phrasings. */
  readonly ask: readonly string[]
}

/** A draft being written. */
export interface Story {
  readonly rng: Rng
  readonly sentences: string[]
  readonly steps: string[]
  readonly results: Quantity[]
  readonly givens: Quantity[]
  /** Quantities off the reference path that a right solution may compute instead. */
  readonly others: Quantity[]
  /** Steps still wanted. */
  left(): number
  /** Someone the story has not met yet. */
  person(): Person
  /** Something from a pool that this story has not used yet. */
  fresh<T>(pool: readonly T[]): T
  given(value: number, text?: string): Quantity
  /** Adds one of the phrasings to the problem. */
  say(...variants: readonly string[]): void
  /** Computes, and adds one of the phrasings to the solution; `{}` in it becomes the equation. */
  step(op: Op, left: Quantity, right: Quantity, ...variants: readonly string[]): Quantity
  /** Computes a value that another right solution may pass through. */
  also(op: Op, left: Quantity, right: Quantity): Quantity
}

/** An opening of a story: sets the scene, takes at least `min` steps and at most what is left. */
export interface Core {
  readonly kind: string
  readonly min: number
  /** Absent when the story can go on as long as one likes. */
  readonly max?: number
  tell(s: Story): Tail
}

/** Something that happens next: applies to tails of one kind, takes `steps` steps. */
export interface Link {
  readonly name: string
  readonly on: TailKind
  readonly steps: number
  /** Null when the numbers do not fit; then nothing has been said. */
  apply(s: Story, tail: Tail): Tail | null
}

/** An empty draft that wants `steps` steps. */
export function createStory(rng: Rng, steps: number): Story {
  const used = new Set<unknown>()
  const fresh = <T>(pool: readonly T[]): T => {
    const free = pool.filter(entry => !used.has(entry))
    const found = rng.pick(free.length > 0 ? free : pool)
    used.add(found)
    return found
  }
  const story: Story = {
    rng,
    sentences: [],
    steps: [],
    results: [],
    givens: [],
    others: [],
    left: () => steps - story.steps.length,
    person: () => fresh(PEOPLE),
    fresh,
    given(value, text = show(value)) {
      const quantity = { value, text }
      story.givens.push(quantity)
      return quantity
    },
    say(...variants) {
      story.sentences.push(withArticles(rng.pick(variants)))
    },
    step(op, left, right, ...variants) {
      const result = compute(op, left, right)
      const equation = `${left.text} ${op} ${right.text} = ${result.text}`
      story.steps.push(withArticles(rng.pick(variants)).replace('{}', equation))
      story.results.push(result)
      return result
    },
    also(op, left, right) {
      const result = compute(op, left, right)
      story.others.push(result)
      return result
    },
  }
  return story
}

/** How problems and equations write a value: whole numbers plain, everything else as money, `1.50`. */
export function show(value: number): string {
  return Number.isInteger(value) ? String(value) : value.toFixed(2)
}

/** `a umbrella` as `an umbrella`. */
const withArticles = (text: string) => text.replace(/\b([Aa]) (?=[aeiou])/g, '$1n ')

/** `left op right`, rounded to hundredths: the generator checks later that nothing was lost by it. */
function compute(op: Op, left: Quantity, right: Quantity): Quantity {
  const a = left.value
  const b = right.value
  const raw = op === '+' ? a + b : op === '-' ? a - b : op === '*' ? a * b : a / b
  const value = Math.round(raw * 100) / 100
  return { value, text: show(value), from: { op, left, right } }
}

const TIMES = ['', '', 'twice', 'three times', 'four times', 'five times', 'six times']
const FRACTIONS = ['', '', 'half', 'a third', 'a quarter', 'a fifth', 'a sixth']

/** 2 → `twice`, 3 → `three times`, up to 6. */
export const times = (n: number): string => TIMES[n] ?? `${n} times`
/** 2 → `half`, 3 → `a third`, up to 6. */
export const fraction = (n: number): string => FRACTIONS[n] ?? `one ${n}th`
/** First letter in upper case. */
export const cap = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1)

/** A divisor of a whole `value` in [low, high] with a quotient of at least 2, or null. */
export function divisor(rng: Rng, value: number, low: number, high: number): number | null {
  const fits: number[] = []
  for (let k = low; k <= high; k++) if (value % k === 0 && value / k >= 2) fits.push(k)
  return fits.length > 0 ? rng.pick(fits) : null
}

/** A part of `value` to take away that leaves at least 2, or null: whole, in [2, 60]. */
export function portion(rng: Rng, value: number): number | null {
  const high = Math.min(60, Math.floor(value) - 2)
  return high >= 2 ? rng.int(2, high) : null
}

/** A whole number to add to `value` that keeps the sizes alike: in [2, 60]. */
export function addend(rng: Rng, value: number): number {
  return rng.int(2, Math.max(6, Math.min(60, Math.round(value))))
}
