// Admission to a critic's queue: how many items, and how much text, may be under way. Knows no queue and no thread.
import { AppError } from '../errors.ts'
import type { CritiqueItem } from './types.ts'

export interface Limits {
  /** Items that may be under way; one more is refused. */
  readonly maxItems: number
  /** Characters that may be under way (see `charsOf`). A request that comes when nothing is under way is taken whatever its size. */
  readonly maxChars: number
}

export interface Permits {
  /** Returns the function that gives them back, once. @throws {AppError} OVERLOADED, with the name of the limit */
  take(items: readonly CritiqueItem[]): () => void
}

/** What a step costs besides its text: its own token, and its part of the text that is read again in the item's next row. */
const CHARS_PER_STEP = 16
/** A request of any size holds at most this part of the characters: others come in beside it, and have their turns. */
const LARGEST_SHARE = 1 / 4

/** The work of an item, in characters. */
const charsOf = ({ problem, steps }: CritiqueItem): number =>
  steps.reduce((sum, step) => sum + step.length + CHARS_PER_STEP, problem.length)

export function createPermits({ maxItems, maxChars }: Limits): Permits {
  let heldItems = 0
  let heldChars = 0

  function refuse(limit: string, text: string): never {
    throw new AppError('OVERLOADED', `The critic’s queue is full: ${text}.`, { retryAfterS: 1, limit })
  }

  return {
    take(items) {
      const count = items.length
      const chars = Math.min(
        items.reduce((sum, item) => sum + charsOf(item), 0),
        maxChars * LARGEST_SHARE,
      )
      if (heldItems + count > maxItems) refuse('critic_items', `it takes ${maxItems} items`)
      if (heldItems > 0 && heldChars + chars > maxChars)
        refuse('critic_chars', `it takes ${maxChars} characters`)
      heldItems += count
      heldChars += chars
      return () => {
        heldItems -= count
        heldChars -= chars
      }
    },
  }
}
