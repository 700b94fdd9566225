// A problem and its steps to parts: tokens with their channels, features and findings of each, read once for all solutions that begin
// alike. Knows no row and no model.
import { createReader, NUMBER_FLAGS, type NumberMark, type Reader } from '../answer/reader.ts'
import type { Evidence } from '../answer/types.ts'
import { createFeatureReader, type FeatureReader } from './feature-reader.ts'
import { createPrefixCache } from './prefix-cache.ts'
import { PROBLEM, STEP, type TextTokenizer } from './tokenizer.ts'
import type { CritiqueItem } from './types.ts'

/** Number slots and flags a model can tell apart; 0 means "this token ends no number". */
export const SLOTS = 64
export const FLAGS = NUMBER_FLAGS.length + 1

/** Tokens with their channels, one entry a token in each; the last token ends the part. */
export interface Piece {
  readonly tokens: readonly number[]
  readonly slots: readonly number[]
  readonly flags: readonly number[]
}

/** A problem or a step. */
export interface Part extends Piece {
  /** Of a step, see FEATURE_NAMES; none of a problem. */
  readonly features: Float32Array
  readonly evidence: readonly Evidence[]
}

const slotOf = (mark: NumberMark): number => Math.min(mark.slot, SLOTS - 1)
const flagOf = (mark: NumberMark): number => NUMBER_FLAGS.indexOf(mark.flag) + 1

/**
 * A text of at most `maxTokens` tokens, ended by a special one. A number's mark sits on the token after it, so that no token knows more
 * than the text so far. A text that is too long loses its middle: a problem's question and a step's result stand at the end.
 */
export function encodePiece(
  tokenizer: TextTokenizer,
  text: string,
  marks: readonly NumberMark[],
  special: number,
  maxTokens: number,
): Piece {
  const piece = { tokens: [] as number[], slots: [] as number[], flags: [] as number[] }
  let from = 0
  let pending: NumberMark | null = null
  const append = (token: number) => {
    piece.tokens.push(token)
    piece.slots.push(pending ? slotOf(pending) : 0)
    piece.flags.push(pending ? flagOf(pending) : 0)
    pending = null
  }
  for (const mark of marks) {
    tokenizer.encode(text.slice(from, mark.end)).forEach(append)
    pending = mark
    from = mark.end
  }
  tokenizer.encode(text.slice(from)).forEach(append)
  const room = maxTokens - 1
  const excess = piece.tokens.length - room
  if (excess > 0) for (const channel of Object.values(piece)) channel.splice(room >> 1, excess)
  append(special)
  return piece
}

/** What reading on needs of what was read so far. */
interface Place {
  readonly reader: Reader
  readonly features: FeatureReader
}

const forkOf = ({ reader, features }: Place): Place => ({ reader: reader.fork(), features: features.fork() })

const NO_FEATURES = new Float32Array()

interface KeptPart extends Part {
  /** Of the text up to here, for the cache. */
  readonly chars: number
  /** Null where no solution has ended and none has left another yet. */
  place: Place | null
}

/** About what a part and the words and values that its place remembers take, for each token and each character so far. */
const [PART_BYTES, TOKEN_BYTES, CHAR_BYTES] = [2000, 24, 12]
const bytesOf = ({ tokens, chars }: KeptPart): number =>
  PART_BYTES + TOKEN_BYTES * tokens.length + CHAR_BYTES * chars

export interface PartReader {
  /** The problem and the steps, as parts. */
  read(item: CritiqueItem): readonly Part[]
  /** Of what is kept, about. */
  readonly bytes: number
}

/**
 * Reads items for a model with a window of `maxLength` tokens: the problem takes half of it at most, a step the rest. What was read of
 * items is kept in `cacheBytes`, so that an item that goes on from another costs its own steps; the parts are the same either way.
 */
export function createPartReader(tokenizer: TextTokenizer, maxLength: number, cacheBytes = 0): PartReader {
  const cache = cacheBytes > 0 ? createPrefixCache<KeptPart>(cacheBytes, bytesOf) : null

  function readProblem(problem: string): KeptPart & { place: Place } {
    const reader = createReader(problem)
    const features = createFeatureReader(problem, reader.problemNumbers)
    const piece = encodePiece(tokenizer, problem, reader.problemNumbers, PROBLEM, maxLength >> 1)
    return {
      ...piece,
      features: NO_FEATURES,
      evidence: [],
      chars: problem.length,
      place: { reader, features },
    }
  }

  function readStep({ reader, features }: Place, step: string, room: number, before: KeptPart): KeptPart {
    const reading = reader.read(step)
    return {
      ...encodePiece(tokenizer, step, reading.numbers, STEP, room),
      features: features.read(step, reading),
      evidence: reading.evidence,
      chars: before.chars + step.length,
      place: null,
    }
  }

  return {
    read({ problem, steps }) {
      const keys = [problem, ...steps]
      const known = cache?.find(keys) ?? []
      if (known.length === keys.length) return known
      const parts = known.slice(0, 1 + known.findLastIndex(part => part.place !== null))
      if (parts.length === 0) parts.push(readProblem(problem))
      const room = maxLength - parts[0]!.tokens.length
      const place = cache === null ? parts.at(-1)!.place! : forkOf(parts.at(-1)!.place!)
      for (const step of steps.slice(parts.length - 1)) {
        parts.push(readStep(place, step, room, parts.at(-1)!))
        // Where this item leaves another, others may do so.
        if (parts.length === known.length) known.at(-1)!.place = forkOf(place)
      }
      if (steps.length > 0) parts.at(-1)!.place = place
      cache?.keep(keys, i => parts[i]!)
      return parts
    },
    get bytes() {
      return cache?.bytes ?? 0
    },
  }
}
