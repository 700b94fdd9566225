// Training units: encoded rows with labels, alone or in pairs that must share a batch. Knows no sources' files and no tensors.
import { encodeItem, endedRow, type Row } from '../../critic/encode.ts'
import { readFeatures } from '../../critic/feature-reader.ts'
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
  /** Whether trunk and text path of the step head are not to learn from its labels, see model/head.ts. */
  readonly textFrozen?: boolean
  /** Longest row: in tokens, or in steps where the rows have no tokens. */
  readonly length: number
}

/** Rows of an example. One that is whole may be imitated, and ends so that a solver learns to end; windows start in the middle. */
function unitRows(tokenizer: TextTokenizer, example: Example, maxLength: number): UnitRow[] {
  const { rows, features } = encodeItem(tokenizer, example, maxLength - 1)
  const imitated = example.imitate && rows.length === 1
  return rows.map(row => ({
    row: imitated ? endedRow(row) : row,
    features: row.steps.map(step => features[step.index]!),
    labels: row.steps.map(step => example.labels[step.index] ?? null),
    source: example.source,
    imitate: imitated ? 1 : 0,
  }))
}

/** The one row of an example; null when it does not fit the window in one. */
function wholeRow(tokenizer: TextTokenizer, example: Example, maxLength: number): UnitRow | null {
  const rows = unitRows(tokenizer, example, maxLength)
  return rows.length === 1 ? rows[0]! : null
}

const unitOf = (row: UnitRow): Unit => ({ rows: [row], length: row.row.tokens.length })

/** One example as a unit; null when it does not fit the window in one row. */
export function exampleUnit(tokenizer: TextTokenizer, example: Example, maxLength: number): Unit | null {
  const row = wholeRow(tokenizer, example, maxLength)
  return row && unitOf(row)
}

/** The windows of an example, a unit each: one when it fits in a row. */
export const exampleWindows = (tokenizer: TextTokenizer, example: Example, maxLength: number): Unit[] =>
  unitRows(tokenizer, example, maxLength).map(unitOf)

/** A comparison as a unit of two rows; null when one does not fit. */
export function comparisonUnit(
  tokenizer: TextTokenizer,
  { better, worse, from }: Comparison,
  maxLength: number,
): Unit | null {
  const first = wholeRow(tokenizer, better, maxLength)
  const second = wholeRow(tokenizer, worse, maxLength)
  if (!first || !second) return null
  return { rows: [first, second], from, length: Math.max(first.row.tokens.length, second.row.tokens.length) }
}

/** The same units, from whose labels trunk and text path are not to learn. */
export const textFrozen = (units: readonly Unit[]): Unit[] =>
  units.map(unit => ({ ...unit, textFrozen: true }))

/** Features of solutions read so far: one solution takes part in many comparisons, and its list of steps is the same object in each. */
const featuresRead = new WeakMap<readonly string[], readonly Float32Array[]>()

/** Hand features of each step of a solution. */
export function featuresOf({ problem, steps }: Example): readonly Float32Array[] {
  const features = featuresRead.get(steps) ?? readFeatures({ problem, steps })
  featuresRead.set(steps, features)
  return features
}

/** A whole solution as a row without tokens, for the feature path alone: no window cuts it. */
const featureRow = (example: Example): UnitRow => ({
  row: {
    tokens: [],
    slots: [],
    flags: [],
    ends: [],
    steps: example.steps.map((_, index) => ({ index, at: 0 })),
  },
  features: featuresOf(example),
  labels: example.labels,
  source: example.source,
  imitate: 0,
})

/** An example for the feature path; its length is its number of steps. */
export const featureUnit = (example: Example): Unit => ({
  rows: [featureRow(example)],
  length: example.steps.length,
})

/** A comparison for the feature path; its length is the larger number of steps. */
export const featureComparison = ({ better, worse, from }: Comparison): Unit => ({
  rows: [featureRow(better), featureRow(worse)],
  from,
  length: Math.max(better.steps.length, worse.steps.length),
})
