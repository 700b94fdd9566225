// Packs units into the arrays of one batch. Knows no model and no schedule.
import { FEATURE_INPUTS, writeFeatureInputs } from '../../critic/features.ts'
import { PAD, PROBLEM } from '../../critic/tokenizer.ts'
import type { Unit, UnitRow } from '../data/units.ts'
import type { HostTensor } from '../engine/port.ts'
import type { BatchShape } from '../model/loss.ts'
import type { Rng } from '../rng.ts'
import type { Drawn } from './sampler.ts'

/** Share of each loss in the total. */
export interface LossShares {
  readonly lm: number
  readonly step: number
  readonly pair: number
  /** Of the gate's own loss, see model/head.ts; none when absent. */
  readonly gate?: number
}

/** Weight of one label: by class, so that right and wrong weigh the same over the corpus. */
export type LabelWeight = (row: UnitRow, label: number) => number

/** Gains that hide a feature with probability `rate` and lift the others, so that the mean stays (Srivastava et al. 2014). */
export const featureGain =
  (rate: number, rng: Rng): (() => number) =>
  () =>
    rng.uniform() < rate ? 0 : 1 / (1 - rate)

/** Problem tokens are given, not produced: they count this much in the language-model loss. */
const PROBLEM_TOKEN_WEIGHT = 0.1

interface Arrays {
  readonly ints: Record<'tokens' | 'slots' | 'flags' | 'lm_targets', Int32Array>
  readonly lmWeights: Float32Array
  readonly stepIndex: Int32Array
  readonly features: Float32Array
  readonly textLearns: Float32Array
  readonly gateWeights: Float32Array
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
    features: new Float32Array(steps * FEATURE_INPUTS),
    textLearns: new Float32Array(steps),
    gateWeights: new Float32Array(steps),
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

const sumOf = (values: Float32Array): number => values.reduce((s, x) => s + x, 0)

function scaleBy(values: Float32Array, factor: number): void {
  for (let i = 0; i < values.length; i++) values[i]! *= factor
}

/** Weights of all parts together become `total`; all zero stays so. */
function scaleTo(parts: readonly Float32Array[], total: number): void {
  const sum = parts.reduce((s, part) => s + sumOf(part), 0)
  if (sum > 0) for (const part of parts) scaleBy(part, total / sum)
}

/** Lays out units one row after the other. @returns the arrays, weights not yet scaled, and the number of steps. */
function layOut(
  { units, shape }: Drawn,
  weigh: LabelWeight,
  gain?: () => number,
): { arrays: Arrays; steps: number } {
  const a = emptyArrays(shape)
  let rowAt = 0
  let stepAt = 0
  let pairAt = 0
  for (const unit of units) {
    const places = unit.rows.map(unitRow => {
      if (rowAt >= shape.rows || stepAt + unitRow.row.steps.length > shape.steps)
        throw new Error(`a batch of ${shape.rows} rows and ${shape.steps} step places was given more`)
      placeRow(a, unitRow, rowAt, shape.length)
      const mine = unitRow.row.steps.map(({ at }, i) => {
        const label = unitRow.labels[i] ?? null
        a.stepIndex[stepAt] = rowAt * shape.length + at
        writeFeatureInputs(unitRow.features[i]!, a.features, stepAt * FEATURE_INPUTS, gain)
        a.textLearns[stepAt] = unit.textFrozen ? 0 : 1
        a.gateWeights[stepAt] = 1
        if (label !== null) {
          a.labels[stepAt] = label
          a.stepWeights[stepAt] = weigh(unitRow, label)
        }
        return stepAt++
      })
      rowAt++
      return mine
    })
    if (unit.from === undefined) continue
    const [better, worse] = places.map(mine => mine.slice(unit.from)) as [number[], number[]]
    if (better.length === 0 || worse.length === 0) continue
    if (pairAt >= shape.pairs) throw new Error(`a batch of ${shape.pairs} comparisons was given more`)
    for (const s of better) a.pairMatrix[pairAt * shape.steps + s] = 1 / better.length
    for (const s of worse) a.pairMatrix[pairAt * shape.steps + s] = -1 / worse.length
    a.pairWeights[pairAt++] = 1
  }
  return { arrays: a, steps: stepAt }
}

/**
 * Fills the micro-batches of one optimiser step. Weights are scaled over all of them, so that their losses and gradients
 * sum to those of one batch that holds everything. `gain` is asked once for each hand feature of each step, see `featureGain`.
 * @throws when one is given more rows or steps than its shape has places.
 */
export function packBatches(
  drawn: readonly Drawn[],
  shares: LossShares,
  weigh: LabelWeight,
  gain?: () => number,
): Record<string, HostTensor>[] {
  const laid = drawn.map(one => layOut(one, weigh, gain))
  const arrays = laid.map(one => one.arrays)
  const steps = laid.reduce((sum, one) => sum + one.steps, 0)
  const all = (key: 'lmWeights' | 'pairWeights' | 'gateWeights') => arrays.map(a => a[key])
  scaleTo(all('lmWeights'), shares.lm)
  // Label weights average 1 over the corpus, so a batch with few labels counts less than one with many.
  for (const { stepWeights } of arrays) scaleBy(stepWeights, shares.step / Math.max(1, steps))
  scaleTo(all('pairWeights'), shares.pair)
  scaleTo(all('gateWeights'), shares.gate ?? 0)
  return arrays.map((a, i) => named(a, drawn[i]!.shape))
}

/** Fills a batch, see `packBatches`. */
export const packBatch = (
  units: readonly Unit[],
  shape: BatchShape,
  shares: LossShares,
  weigh: LabelWeight,
): Record<string, HostTensor> => packBatches([{ units, shape }], shares, weigh)[0]!

function named(a: Arrays, shape: BatchShape): Record<string, HostTensor> {
  const grid = [shape.rows, shape.length]
  return {
    tokens: { data: a.ints.tokens, shape: grid },
    slots: { data: a.ints.slots, shape: grid },
    flags: { data: a.ints.flags, shape: grid },
    lm_targets: { data: a.ints.lm_targets, shape: grid },
    lm_weights: { data: a.lmWeights, shape: grid },
    step_index: { data: a.stepIndex, shape: [shape.steps] },
    features: { data: a.features, shape: [shape.steps, FEATURE_INPUTS] },
    text_learns: { data: a.textLearns, shape: [shape.steps] },
    gate_weights: { data: a.gateWeights, shape: [shape.steps] },
    step_labels: { data: a.labels, shape: [shape.steps] },
    step_weights: { data: a.stepWeights, shape: [shape.steps] },
    pair_matrix: { data: a.pairMatrix, shape: [shape.pairs, shape.steps] },
    pair_weights: { data: a.pairWeights, shape: [shape.pairs] },
  }
}
