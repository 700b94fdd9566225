// A model small enough for the pure-JS backend, with weights and batches in which every channel and every loss takes part.
import type { HostTensor } from '../../../src/train/engine/port.ts'
import { headDim, type ModelConfig, type Weights, weightShapes } from '../../../src/train/model/config.ts'
import type { BatchShape } from '../../../src/train/model/loss.ts'
import type { Rng } from '../../../src/train/rng.ts'

export function tinyConfig(kvHeads: number, change: Partial<ModelConfig> = {}): ModelConfig {
  return {
    vocab: 40,
    width: 16,
    layers: 2,
    heads: 4,
    kvHeads,
    mlp: 24,
    ropeTheta: 10_000,
    slots: 6,
    flags: 4,
    features: 3,
    headWidth: 8,
    ...change,
  }
}

/** Weights far from their initial zeros and ones, so that no gradient vanishes for want of a signal. */
export function busyWeights(config: ModelConfig, rng: Rng): Weights {
  return Object.fromEntries(
    Object.entries(weightShapes(config)).map(([name, shape]) => {
      const size = shape.reduce((a, b) => a * b, 1)
      const centre = name.endsWith('norm') ? 1 : 0
      return [name, Float32Array.from({ length: size }, () => centre + 0.2 * rng.normal())]
    }),
  )
}

export const int32 = (shape: number[], draw: (i: number) => number): HostTensor => ({
  data: Int32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, (_, i) => draw(i)),
  shape,
})
export const float32 = (shape: number[], draw: (i: number) => number): HostTensor => ({
  data: Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, (_, i) => draw(i)),
  shape,
})

/** Places of the tokens of rows that go on from place `from`. */
export const positions = (rows: number, length: number, from = 0): HostTensor =>
  float32([rows, length], i => from + (i % length))

/** Keys and values of no tokens. */
export function emptyPast(config: ModelConfig, rows: number): Record<string, HostTensor> {
  const none = { data: new Float32Array(0), shape: [rows, config.kvHeads, 0, headDim(config)] }
  return Object.fromEntries(
    Array.from({ length: config.layers }, (_, i) => i).flatMap(i => [
      [`past_key.${i}`, none],
      [`past_value.${i}`, none],
    ]),
  )
}

/** What a served graph takes beside tokens when its rows have no past. */
export const withoutPast = (
  config: ModelConfig,
  rows: number,
  length: number,
): Record<string, HostTensor> => ({
  key_positions: positions(rows, length),
  ...emptyPast(config, rows),
})

/** A batch with every array of `batchSpecs` filled. */
export function busyBatch(config: ModelConfig, shape: BatchShape, rng: Rng): Record<string, HostTensor> {
  const { rows, length, steps, pairs } = shape
  const grid = [rows, length]
  return {
    tokens: int32(grid, () => rng.int(0, config.vocab - 1)),
    slots: int32(grid, () => rng.int(0, config.slots - 1)),
    flags: int32(grid, () => rng.int(0, config.flags - 1)),
    lm_targets: int32(grid, () => rng.int(0, config.vocab - 1)),
    lm_weights: float32(grid, () => rng.uniform() / (rows * length)),
    step_index: int32([steps], () => rng.int(0, rows * length - 1)),
    features: float32([steps, config.features], () => rng.normal()),
    text_learns: float32([steps], () => 1),
    gate_weights: float32([steps], () => rng.uniform() / steps),
    step_labels: float32([steps], () => rng.int(0, 1)),
    step_weights: float32([steps], () => rng.uniform() / steps),
    pair_matrix: float32([pairs, steps], i => (i % 2 === 0 ? 1 : -1) / steps),
    pair_weights: float32([pairs], () => rng.uniform() / pairs),
  }
}

/** Weights as the host tensors of a compiled function, each name with a prefix. */
export function weightFeeds(config: ModelConfig, weights: Weights, prefix = ''): Record<string, HostTensor> {
  return Object.fromEntries(
    Object.entries(weightShapes(config)).map(([name, shape]) => [
      prefix + name,
      { data: weights[name]!, shape },
    ]),
  )
}
