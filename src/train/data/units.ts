// Training units: encoded rows with labels, alone or in pairs that must share a batch. Knows no sources' files and no tensors.
import { encodeItem, encodeSolution, type Row } from '../../critic/encode.ts'
import type { TextTokenizer } from '../../critic/tokenizer.ts'
import type { Comparison, Example, Source } from './example.ts'

/** A row ready for a batch. `labels` and `features` follow `row.steps`. */
export interface UnitRow {
  readonly row: Row
  readonly features: readonly Float32Array[]
  readonly labels: readonly (number | null)[]
  readonly source: Source
  /** Weight of its tokens in the language-model loss; 0 = not imitated. */
  readonly imitate: number
}

export interface Unit {
  readonly rows: readonly UnitRow[]
  /** For a pair: mean score of `rows[0]` from step place `from` on should exceed that of `rows[1]`. */
  readonly from?: number
  /** Longest row, in tokens. */
  readonly length: number
}

function unitRow(tokenizer: TextTokenizer, example: Example, maxLength: number): UnitRow | null {
  const { rows, features } = encodeItem(tokenizer, example, maxLength - 1)
  const row = example.imitate
    ? encodeSolution(tokenizer, example, maxLength)
    : rows.length === 1
      ? rows[0]!
      : null
  return row ? labelled(row, features, example, example.imitate ? 1 : 0) : null
}

function labelled(row: Row, features: readonly Float32Array[], example: Example, imitate: number): UnitRow {
  return {
    row,
    features: row.steps.map(step => features[step.index]!),
    labels: row.steps.map(step => example.labels[step.index] ?? null),
    source: example.source,
    imitate,
  }
}

/** One example as a unit; null when it does not fit the window in one row. */
export function exampleUnit(tokenizer: TextTokenizer, example: Example, maxLength: number): Unit | null {
  const row = unitRow(tokenizer, example, maxLength)
  return row && { rows: [row], length: row.row.tokens.length }
}

/** The windows of an example that is longer than one row, a unit each; one unit when it fits. Windows are not imitated: they start in the middle. */
export function exampleWindows(tokenizer: TextTokenizer, example: Example, maxLength: number): Unit[] {
  const whole = exampleUnit(tokenizer, example, maxLength)
  if (whole) return [whole]
  const { rows, features } = encodeItem(tokenizer, example, maxLength - 1)
  return rows.map(row => ({
    rows: [labelled(row, features, example, 0)],
    length: row.tokens.length,
  }))
}

/** A comparison as a unit of two rows; null when one does not fit. */
export function comparisonUnit(
  tokenizer: TextTokenizer,
  { better, worse, from }: Comparison,
  maxLength: number,
): Unit | null {
  const first = unitRow(tokenizer, better, maxLength)
  const second = unitRow(tokenizer, worse, maxLength)
  if (!first || !second) return null
  return { rows: [first, second], from, length: Math.max(first.row.tokens.length, second.row.tokens.length) }
}
