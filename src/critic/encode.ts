// Problem and steps to the arrays a critic reads: tokens, number slots, evidence flags, step places, features.
// Knows no model and no batch.
import { createReader, NUMBER_FLAGS, type NumberMark } from '../answer/reader.ts'
import type { Evidence } from '../answer/types.ts'
import { createFeatureReader } from './feature-reader.ts'
import { EOS, PROBLEM, STEP, type TextTokenizer } from './tokenizer.ts'
import type { CritiqueItem } from './types.ts'

/** Number slots and flags a model can tell apart; 0 means "this token ends no number". */
export const SLOTS = 64
export const FLAGS = NUMBER_FLAGS.length + 1

/** One row of model input. The three channels have one entry a token. */
export interface Row {
  readonly tokens: number[]
  readonly slots: number[]
  readonly flags: number[]
  /** Places of the tokens that end a part: the problem's, then those of the steps, scored here or not. */
  readonly ends: number[]
  /** For each step scored in this row: which step of the item it is, and the place of its `<step>` token. */
  readonly steps: { readonly index: number; readonly at: number }[]
}

export interface Encoded {
  /** One row, or several when the item is longer than the model's window. */
  readonly rows: readonly Row[]
  /** One vector and one list of findings a step. */
  readonly features: readonly Float32Array[]
  readonly evidence: readonly (readonly Evidence[])[]
}

/** Tokens with their channels; a number's mark sits on the token after it, so that no token knows more than the text so far. */
interface Piece {
  tokens: number[]
  slots: number[]
  flags: number[]
  /** Mark of a number that ends the text, for the token that comes next. */
  pending: NumberMark | null
}

const slotOf = (mark: NumberMark): number => Math.min(mark.slot, SLOTS - 1)
const flagOf = (mark: NumberMark): number => NUMBER_FLAGS.indexOf(mark.flag) + 1

function encodeText(tokenizer: TextTokenizer, text: string, marks: readonly NumberMark[]): Piece {
  const piece: Piece = { tokens: [], slots: [], flags: [], pending: null }
  let from = 0
  const append = (part: string) => {
    if (part === '') return
    tokenizer.encode(part).forEach((token, i) => {
      const mark = i === 0 ? piece.pending : null
      piece.tokens.push(token)
      piece.slots.push(mark ? slotOf(mark) : 0)
      piece.flags.push(mark ? flagOf(mark) : 0)
    })
    piece.pending = null
  }
  for (const mark of marks) {
    append(text.slice(from, mark.end))
    piece.pending = mark
    from = mark.end
  }
  append(text.slice(from))
  return piece
}

/**
 * Ends a piece with a special token, which carries the mark of a number that stood at the very end. A piece that is too
 * long loses its middle: a problem's question and a step's result stand at the end.
 */
function closed(piece: Piece, special: number, maxTokens: number): Piece {
  const room = maxTokens - 1
  const excess = Math.max(0, piece.tokens.length - room)
  const from = excess > 0 ? room >> 1 : 0
  const mark = piece.pending
  return {
    tokens: [...piece.tokens.toSpliced(from, excess), special],
    slots: [...piece.slots.toSpliced(from, excess), mark ? slotOf(mark) : 0],
    flags: [...piece.flags.toSpliced(from, excess), mark ? flagOf(mark) : 0],
    pending: null,
  }
}

/** A problem and the steps so far as a prompt to go on from; the oldest steps are left out to keep `reserve` tokens of the window free. */
export function encodePrompt(
  tokenizer: TextTokenizer,
  { problem, steps }: CritiqueItem,
  { window, reserve }: { readonly window: number; readonly reserve: number },
): Pick<Row, 'tokens' | 'slots' | 'flags'> {
  const reader = createReader(problem)
  const head = closed(encodeText(tokenizer, problem, reader.problemNumbers), PROBLEM, window >> 1)
  const row = startRow(head)
  const room = Math.max(1, window - head.tokens.length - reserve)
  const pieces = steps.map(step => closed(encodeText(tokenizer, step, reader.read(step).numbers), STEP, room))
  for (const piece of latestThatFit(pieces, pieces.length, room)) extend(row, piece)
  return row
}

/**
 * Encodes an item for a model with a window of `maxLength` tokens. A longer item becomes several rows, each with the
 * problem and the latest steps that fit in half of the rest; every step is scored in exactly one row.
 */
export function encodeItem(tokenizer: TextTokenizer, item: CritiqueItem, maxLength: number): Encoded {
  const reader = createReader(item.problem)
  const featuresOf = createFeatureReader(item.problem, reader.problemNumbers)
  const head = closed(encodeText(tokenizer, item.problem, reader.problemNumbers), PROBLEM, maxLength >> 1)
  const room = maxLength - head.tokens.length
  const features: Float32Array[] = []
  const evidence: Evidence[][] = []
  const pieces = item.steps.map(step => {
    const reading = reader.read(step)
    features.push(featuresOf(step, reading))
    evidence.push([...reading.evidence])
    return closed(encodeText(tokenizer, step, reading.numbers), STEP, room)
  })

  const rows: Row[] = []
  let row = startRow(head)
  pieces.forEach((piece, index) => {
    if (row.tokens.length + piece.tokens.length > maxLength) {
      rows.push(row)
      row = startRow(head)
      const context = latestThatFit(pieces, index, Math.min(room >> 1, room - piece.tokens.length))
      for (const earlier of context) extend(row, earlier)
    }
    extend(row, piece)
    row.steps.push({ index, at: row.tokens.length - 1 })
  })
  rows.push(row)
  return { rows: rows.filter(r => r.steps.length > 0), features, evidence }
}

const startRow = (head: Piece): Row => ({
  tokens: [...head.tokens],
  slots: [...head.slots],
  flags: [...head.flags],
  ends: [head.tokens.length - 1],
  steps: [],
})

function extend(row: Row, piece: Piece): void {
  row.tokens.push(...piece.tokens)
  row.slots.push(...piece.slots)
  row.flags.push(...piece.flags)
  row.ends.push(row.tokens.length - 1)
}

function latestThatFit(pieces: readonly Piece[], before: number, maxTokens: number): Piece[] {
  let total = 0
  let from = before
  while (from > 0 && total + pieces[from - 1]!.tokens.length <= maxTokens)
    total += pieces[--from]!.tokens.length
  return pieces.slice(from, before)
}

/** A whole solution as language-model text: its row, ended by `<eos>`. */
export const endedRow = (row: Row): Row => ({
  ...row,
  tokens: [...row.tokens, EOS],
  slots: [...row.slots, 0],
  flags: [...row.flags, 0],
})
