// Which labelled solutions a frozen base reads, within a limit of tokens. Knows no base.
import type { Row } from '../../critic/encode.ts'
import type { TextTokenizer } from '../../critic/tokenizer.ts'
import type { Example } from '../data/example.ts'
import { exampleUnit } from '../data/units.ts'
import type { Rng } from '../rng.ts'

/** A solution that fits the window whole. Its labels and features follow its steps, and so do those of its row. */
export interface Reading {
  readonly example: Example
  readonly row: Row
  readonly features: readonly Float32Array[]
}

/** What is to be read, the most useful first in each list. */
export interface ReadingList {
  readonly held: readonly Reading[]
  readonly train: readonly Reading[]
}

export interface ReadingLimits {
  /** Tokens of all rows together, a third of them at most held back. */
  readonly tokens: number
  /** Longest row in tokens. */
  readonly window: number
}

/** Calculations are what a critic is asked about most, so solutions with a number in at least half of their steps come first. */
const isCalculation = ({ steps }: Example): boolean =>
  2 * steps.filter(step => /\d/.test(step)).length >= steps.length

/** One of each group in turn, until all are used up. */
function inTurn<T>(groups: readonly (readonly T[])[]): T[] {
  const longest = groups.reduce((most, group) => Math.max(most, group.length), 0)
  return Array.from({ length: longest }, (_, i) => groups.flatMap(group => group.slice(i, i + 1))).flat()
}

/** Shuffled, calculations first, writers in turn: a limit of tokens cuts all writers short alike. */
function inReadingOrder(examples: readonly Example[], rng: Rng): Example[] {
  const shuffled = rng.shuffle(examples)
  return [true, false].flatMap(wanted => {
    const some = shuffled.filter(example => isCalculation(example) === wanted)
    return inTurn([...Map.groupBy(some, example => example.writer).values()])
  })
}

/** The first solutions, up to the one with which they would have more than `tokens`. Those that do not fit the window are passed over. */
function firstThatFit(
  examples: readonly Example[],
  tokenizer: TextTokenizer,
  { tokens, window }: ReadingLimits,
): Reading[] {
  const readings: Reading[] = []
  let left = tokens
  for (const example of examples) {
    const unit = exampleUnit(tokenizer, { ...example, imitate: false }, window)
    if (unit === null) continue
    const { row, features } = unit.rows[0]!
    left -= row.tokens.length
    if (left < 0) break
    readings.push({ example, row, features })
  }
  return readings
}

export const tokensOf = (readings: readonly Reading[]): number =>
  readings.reduce((sum, { row }) => sum + row.tokens.length, 0)

/** Share of the tokens that held-back solutions may take. */
const HELD_SHARE = 1 / 3

/** Chooses what is read; with a higher limit the same and more. */
export function chooseReading(
  sources: { readonly train: readonly Example[]; readonly held: readonly Example[] },
  tokenizer: TextTokenizer,
  limits: ReadingLimits,
  rng: Rng,
): ReadingList {
  const first = (examples: readonly Example[], label: string, tokens: number) =>
    firstThatFit(inReadingOrder(examples, rng.fork(label)), tokenizer, { ...limits, tokens })
  const held = first(sources.held, 'held', HELD_SHARE * limits.tokens)
  return { held, train: first(sources.train, 'human', limits.tokens - tokensOf(held)) }
}
