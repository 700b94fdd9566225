// Problem and steps to the rows a critic reads: tokens, number slots, evidence flags, places of steps. Knows no model and no batch.
import { createReader } from '../answer/reader.ts'
import type { Evidence } from '../answer/types.ts'
import { createPartReader, encodePiece, type Part, type Piece } from './parts.ts'
import { EOS, PROBLEM, STEP, type TextTokenizer } from './tokenizer.ts'
import type { CritiqueItem } from './types.ts'

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

/** A problem and the steps so far as a prompt to go on from; the oldest steps are left out to keep `reserve` tokens of the window free. */
export function encodePrompt(
  tokenizer: TextTokenizer,
  { problem, steps }: CritiqueItem,
  { window, reserve }: { readonly window: number; readonly reserve: number },
): Pick<Row, 'tokens' | 'slots' | 'flags'> {
  const reader = createReader(problem)
  const head = encodePiece(tokenizer, problem, reader.problemNumbers, PROBLEM, window >> 1)
  const row = startRow(head)
  const room = Math.max(1, window - head.tokens.length - reserve)
  const pieces = steps.map(step => encodePiece(tokenizer, step, reader.read(step).numbers, STEP, room))
  for (const piece of latestThatFit(pieces, pieces.length, room)) extend(row, piece)
  return row
}

/**
 * Lays out the parts of an item in rows of at most `maxLength` tokens. A longer item becomes several rows, each with the
 * problem and the latest steps that fit in half of the rest; every step is scored in exactly one row.
 *
 * @param parts the problem and the steps, read for that length
 */
export function layOut([head, ...pieces]: readonly Part[], maxLength: number): Encoded {
  const room = maxLength - head!.tokens.length
  const rows: Row[] = []
  let row = startRow(head!)
  pieces.forEach((piece, index) => {
    if (row.tokens.length + piece.tokens.length > maxLength) {
      rows.push(row)
      row = startRow(head!)
      const context = latestThatFit(pieces, index, Math.min(room >> 1, room - piece.tokens.length))
      for (const earlier of context) extend(row, earlier)
    }
    extend(row, piece)
    row.steps.push({ index, at: row.tokens.length - 1 })
  })
  rows.push(row)
  return {
    rows: rows.filter(r => r.steps.length > 0),
    features: pieces.map(piece => piece.features),
    evidence: pieces.map(piece => piece.evidence),
  }
}

/** Encodes one item by itself for a model with a window of `maxLength` tokens, see `layOut`. */
export const encodeItem = (tokenizer: TextTokenizer, item: CritiqueItem, maxLength: number): Encoded =>
  layOut(createPartReader(tokenizer, maxLength).read(item), maxLength)

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
