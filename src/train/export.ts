// Writes trained weights as ONNX files: the critic's scoring graph and the base's sampling graph; reads weights back by name.
// Knows no training.
import * as tf from '@tensorflow/tfjs'
import { sizeOf } from './engine/memory.ts'
import { decodeModel } from './engine/onnx-schema.ts'
import { type TensorSpec, trace } from './engine/trace.ts'
import { headDim, type ModelConfig, type Weights, weightShapes } from './model/config.ts'
import { stepLogits } from './model/head.ts'
import { lmLogits, trunk } from './model/trunk.ts'

// Large primes stand for the dimensions that vary, see engine/graph.ts; `keys` is past + length.
const BATCH = 1_000_003
const LENGTH = 1_000_033
const STEPS = 1_000_037
const PAST = 1_000_039

const isHead = (name: string): boolean => name.startsWith('head.')

function weightSpecs(config: ModelConfig, keep: (name: string) => boolean): Record<string, TensorSpec> {
  const named = Object.entries(weightShapes(config)).filter(([name]) => keep(name))
  return Object.fromEntries(named.map(([name, shape]) => [name, { shape, dtype: 'float32' as const }]))
}

const tokenSpecs = {
  tokens: { shape: [BATCH, LENGTH], dtype: 'int32' },
  slots: { shape: [BATCH, LENGTH], dtype: 'int32' },
  flags: { shape: [BATCH, LENGTH], dtype: 'int32' },
  positions: { shape: [BATCH, LENGTH], dtype: 'float32' },
} as const

type Named = Readonly<Record<string, tf.Tensor>>

/**
 * The scoring graph. Inputs: tokens, slots, flags int32 [batch, length]; positions float32 [batch, length]; step_index int32
 * [steps] into batch * length; features float32 [steps, features]. Output: logits float32 [steps].
 */
export function exportCritic(config: ModelConfig, weights: Weights): Promise<Uint8Array> {
  const inputs = {
    ...weightSpecs(config, () => true),
    ...tokenSpecs,
    step_index: { shape: [STEPS], dtype: 'int32' as const },
    features: { shape: [STEPS, config.features], dtype: 'float32' as const },
  }
  const score = (x: Named): Record<string, tf.Tensor> => {
    const { tokens, slots, flags, positions, step_index, features } = x as Record<string, tf.Tensor>
    const { hidden } = trunk(config, x, {
      tokens: tokens!,
      slots: slots!,
      flags: flags!,
      positions: positions!,
      keyPositions: positions!,
    })
    return { logits: stepLogits(x, { hidden, stepIndex: step_index!, features: features! }) }
  }
  return trace(score, { inputs, weights, symbols: { batch: BATCH, length: LENGTH, steps: STEPS } })
}

/**
 * The sampling graph with a key-value cache. Inputs as above plus key_positions float32 [batch, past + length] and
 * past_key.i, past_value.i float32 [batch, kvHeads, past, headDim]. Outputs: logits float32 [batch, length, vocab],
 * key.i and value.i with the new tokens appended.
 */
export function exportSampler(config: ModelConfig, weights: Weights): Promise<Uint8Array> {
  const past = { shape: [BATCH, config.kvHeads, PAST, headDim(config)], dtype: 'float32' as const }
  const layers = Array.from({ length: config.layers }, (_, i) => i)
  const inputs = {
    ...weightSpecs(config, name => !isHead(name)),
    ...tokenSpecs,
    key_positions: { shape: [BATCH, PAST + LENGTH], dtype: 'float32' as const },
    ...Object.fromEntries(
      layers.flatMap(i => [[`past_key.${i}`, past] as const, [`past_value.${i}`, past] as const]),
    ),
  }
  const sample = (x: Named): Record<string, tf.Tensor> => {
    const { tokens, slots, flags, positions, key_positions } = x as Record<string, tf.Tensor>
    const { hidden, keys, values } = trunk(config, x, {
      tokens: tokens!,
      slots: slots!,
      flags: flags!,
      positions: positions!,
      keyPositions: key_positions!,
      past: { keys: layers.map(i => x[`past_key.${i}`]!), values: layers.map(i => x[`past_value.${i}`]!) },
    })
    return {
      logits: tf.reshape(lmLogits(x, hidden), [BATCH, LENGTH, config.vocab]),
      ...Object.fromEntries(
        layers.flatMap(i => [[`key.${i}`, keys[i]!] as const, [`value.${i}`, values[i]!] as const]),
      ),
    }
  }
  const symbols = { batch: BATCH, length: LENGTH, past: PAST, keys: PAST + LENGTH }
  const kept = Object.fromEntries(Object.entries(weights).filter(([name]) => !isHead(name)))
  return trace(sample, { inputs, weights: kept, symbols })
}

/** Reads weights back from a model file by name; names the file lacks are left out. @throws on a wrong size. */
export function readWeights(config: ModelConfig, model: Uint8Array): Weights {
  const stored = new Map(decodeModel(model).graph.initializer.map(tensor => [tensor.name, tensor.rawData]))
  const weights: Weights = {}
  for (const [name, shape] of Object.entries(weightShapes(config))) {
    const bytes = stored.get(name)
    if (bytes === undefined) continue
    const size = sizeOf(shape)
    if (bytes.byteLength !== size * 4)
      throw new Error(`weight ${name} has ${bytes.byteLength} bytes, expected ${size * 4}`)
    weights[name] = new Float32Array(Uint8Array.from(bytes).buffer) // a copy, aligned to 4 bytes
  }
  return weights
}
