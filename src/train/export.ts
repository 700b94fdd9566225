// Writes trained weights as ONNX files: the critic's scoring graph and the base's sampling graph; reads weights back by name.
// Knows no training.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import * as tf from '@tensorflow/tfjs'
import type { Artifact } from '../critic/manifest.ts'
import { AppError } from '../errors.ts'
import { sizeOf } from './engine/memory.ts'
import { decodeModel } from './engine/onnx-schema.ts'
import { type TensorSpec, trace } from './engine/trace.ts'
import { headDim, type ModelConfig, type Weights, weightShapes } from './model/config.ts'
import { stepLogits } from './model/head.ts'
import { lmLogits, type TrunkOutputs, trunk } from './model/trunk.ts'

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

/** Inputs of a graph that goes on from a prefix: what is kept of it, and the places of all keys. */
function pastSpecs(config: ModelConfig): Record<string, TensorSpec> {
  const past = { shape: [BATCH, config.kvHeads, PAST, headDim(config)], dtype: 'float32' as const }
  return {
    key_positions: { shape: [BATCH, PAST + LENGTH], dtype: 'float32' },
    ...perLayer(config, { past_key: () => past, past_value: () => past }),
  }
}

const PAST_SYMBOLS = { past: PAST, keys: PAST + LENGTH }

/** `name.layer` -> value, layer by layer. */
function perLayer<T>(
  config: ModelConfig,
  values: Readonly<Record<string, (layer: number) => T>>,
): Record<string, T> {
  const layers = Array.from({ length: config.layers }, (_, i) => i)
  return Object.fromEntries(
    layers.flatMap(i => Object.entries(values).map(([name, of]) => [`${name}.${i}`, of(i)])),
  )
}

/** The trunk over new tokens after a past, from the inputs of `tokenSpecs` and `pastSpecs`. */
function trunkAfterPast(config: ModelConfig, x: Named): TrunkOutputs {
  const { tokens, slots, flags, positions, key_positions } = x as Record<string, tf.Tensor>
  const past = (name: string) => Object.values(perLayer(config, { [name]: i => x[`${name}.${i}`]! }))
  return trunk(config, x, {
    tokens: tokens!,
    slots: slots!,
    flags: flags!,
    positions: positions!,
    keyPositions: key_positions!,
    past: { keys: past('past_key'), values: past('past_value') },
  })
}

/**
 * The scoring graph, which goes on from a prefix of any length, 0 too. Inputs: tokens, slots, flags int32 [batch, length];
 * positions float32 [batch, length]; key_positions float32 [batch, past + length], where a key that its row does not have stands
 * after every token; past_key.i, past_value.i float32 [batch, kvHeads, past, headDim]; step_index int32 [steps] into batch * length;
 * features float32 [steps, features]. Outputs: logits float32 [steps]; new_key.i, new_value.i of the new tokens alone, float32
 * [batch, kvHeads, length, headDim].
 */
export function exportCritic(config: ModelConfig, weights: Weights): Promise<Uint8Array> {
  const inputs = {
    ...weightSpecs(config, () => true),
    ...tokenSpecs,
    step_index: { shape: [STEPS], dtype: 'int32' as const },
    features: { shape: [STEPS, config.features], dtype: 'float32' as const },
    ...pastSpecs(config),
  }
  const score = (x: Named): Record<string, tf.Tensor> => {
    const { hidden, newKeys, newValues } = trunkAfterPast(config, x)
    return {
      logits: stepLogits(x, { hidden, stepIndex: x['step_index']!, features: x['features']! }),
      ...perLayer(config, { new_key: i => newKeys[i]!, new_value: i => newValues[i]! }),
    }
  }
  const symbols = { batch: BATCH, length: LENGTH, steps: STEPS, ...PAST_SYMBOLS }
  return trace(score, { inputs, weights, symbols })
}

/**
 * The sampling graph with a key-value cache. Inputs as above, without step_index and features. Outputs: logits float32 [batch, length, vocab]; key.i and value.i, the past with the new tokens appended.
 */
export function exportSampler(config: ModelConfig, weights: Weights): Promise<Uint8Array> {
  const inputs = {
    ...weightSpecs(config, name => !isHead(name)),
    ...tokenSpecs,
    ...pastSpecs(config),
  }
  const sample = (x: Named): Record<string, tf.Tensor> => {
    const { hidden, keys, values } = trunkAfterPast(config, x)
    return {
      logits: tf.reshape(lmLogits(x, hidden), [BATCH, LENGTH, config.vocab]),
      ...perLayer(config, { key: i => keys[i]!, value: i => values[i]! }),
    }
  }
  const symbols = { batch: BATCH, length: LENGTH, ...PAST_SYMBOLS }
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

/** All weights of a critic. @throws {AppError} CRITIC_INVALID when its file lacks one */
export function weightsOf({ dir, manifest: { model, version } }: Artifact): Weights {
  const weights = readWeights(model, readFileSync(join(dir, 'model.onnx')))
  const missing = Object.keys(weightShapes(model)).find(name => weights[name] === undefined)
  if (missing !== undefined)
    throw new AppError('CRITIC_INVALID', `the model of ${version} has no weight ${missing}`)
  return weights
}
