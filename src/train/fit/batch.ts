// Packs units into the arrays of one batch. Knows no model and no schedule.
import { FEATURES } from '../../critic/features.ts'
import { PAD, PROBLEM } from '../../critic/tokenizer.ts'
import type { Unit, UnitRow } from '../data/units.ts'
import type { HostTensor } from '../engine/engine.ts'
import type { BatchShape } from '../model/loss.ts'

/** Share of each loss in the total. */
export interface LossShares {
  readonly lm: number
  readonly step: number
  readonly pair: number
}

/** Weight of one label: by class, so that right and wrong weigh the same over the corpus. */
export type LabelWeight = (row: UnitRow, label: number) => number

/** Problem tokens are given, not produced: they count this much in the language-model loss. */
const PROBLEM_TOKEN_WEIGHT = 0.1

interface Arrays {
  readonly ints: Record<'tokens' | 'slots' | 'flags' | 'lm_targets', Int32Array>
  readonly lmWeights: Float32Array
  readonly stepIndex: Int32Array
  readonly features: Float32Array
  readonly labels: Float32Array
  readonly stepWeights: Float32Array
  readonly pairMatrix: Float32Array
  readonly pairWeights: Float32Array
}

function emptyArrays({ rows, length, steps, pairs }: BatchShape): Arrays {
  const ints = () => new Int32Array(rows * length)
  return {
    ints: { tokens: ints().fill(PAD), slots: ints(), flags: ints(), lm_targets: ints() },
    lmWeights: new Float32Array(rows * length),
    stepIndex: new Int32Array(steps),
    features: new Float32Array(steps * FEATURES.length),
    labels: new Float32Array(steps),
    stepWeights: new Float32Array(steps),
    pairMatrix: new Float32Array(pairs * steps),
    pairWeights: new Float32Array(pairs),
  }
}

function placeRow(a: Arrays, { row, imitate }: UnitRow, at: number, length: number): void {
  const { tokens } = row
  a.ints.tokens.set(tokens, at * length)
  a.ints.slots.set(row.slots, at * length)
  a.ints.flags.set(row.flags, at * length)
  if (imitate === 0) return
  a.ints.lm_targets.set(tokens.slice(1), at * length)
  const problemEnd = tokens.indexOf(PROBLEM)
  for (let t = 0; t + 1 < tokens.length; t++)
    a.lmWeights[at * length + t] = t < problemEnd ? PROBLEM_TOKEN_WEIGHT : 1
}

function scaleTo(values: Float32Array, total: number): void {
  const sum = values.reduce((s, x) => s + x, 0)
  if (sum > 0) for (let i = 0; i < values.length; i++) values[i] = (values[i]! / sum) * total
}

/** Fills a batch. Step places beyond `shape.steps` are dropped, pairs whose places were dropped with them. */
export function packBatch(
  units: readonly Unit[],
  shape: BatchShape,
  shares: LossShares,
  weigh: LabelWeight,
): Record<string, HostTensor> {
  const a = emptyArrays(shape)
  let rowAt = 0
  let stepAt = 0
  let pairAt = 0
  for (const unit of units) {
    const places = unit.rows.map(unitRow => {
      placeRow(a, unitRow, rowAt, shape.length)
      const mine: number[] = []
      unitRow.row.steps.forEach(({ at }, i) => {
        if (stepAt >= shape.steps) return
        const label = unitRow.labels[i] ?? null
        a.stepIndex[stepAt] = rowAt * shape.length + at
        a.features.set(unitRow.features[i]!, stepAt * FEATURES.length)
        if (label !== null) {
          a.labels[stepAt] = label
          a.stepWeights[stepAt] = weigh(unitRow, label)
        }
        mine.push(stepAt++)
      })
      rowAt++
      return mine
    })
    const from = unit.from
    if (from === undefined || pairAt >= shape.pairs) continue
    const [better, worse] = places.map(mine => mine.slice(from)) as [number[], number[]]
    if (better.length === 0 || worse.length === 0) continue
    for (const s of better) a.pairMatrix[pairAt * shape.steps + s] = 1 / better.length
    for (const s of worse) a.pairMatrix[pairAt * shape.steps + s] = -1 / worse.length
    a.pairWeights[pairAt++] = 1
  }
  scaleTo(a.lmWeights, shares.lm)
  // Label weights average 1 over the corpus, so a batch with few labels counts less than one with many.
  for (let i = 0; i < a.stepWeights.length; i++) a.stepWeights[i]! *= shares.step / Math.max(1, stepAt)
  scaleTo(a.pairWeights, shares.pair)
  const grid = [shape.rows, shape.length]
  return {
    tokens: { data: a.ints.tokens, shape: grid },
    slots: { data: a.ints.slots, shape: grid },
    flags: { data: a.ints.flags, shape: grid },
    lm_targets: { data: a.ints.lm_targets, shape: grid },
    lm_weights: { data: a.lmWeights, shape: grid },
    step_index: { data: a.stepIndex, shape: [shape.steps] },
    features: { data: a.features, shape: [shape.steps, FEATURES.length] },
    step_labels: { data: a.labels, shape: [shape.steps] },
    step_weights: { data: a.stepWeights, shape: [shape.steps] },
    pair_matrix: { data: a.pairMatrix, shape: [shape.pairs, shape.steps] },
    pair_weights: { data: a.pairWeights, shape: [shape.pairs] },
  }
}
