// The decoder in TensorFlow.js ops: RMSNorm, rotary positions, grouped-query causal attention, SwiGLU. Knows no loss and no tokens' meaning.
import * as tf from '@tensorflow/tfjs'
import { headDim, type ModelConfig } from './config.ts'
import type { Drop } from './dropout.ts'

type T = tf.Tensor
export type WeightTensors = Readonly<Record<string, T>>

/** Keys and values of earlier tokens, one pair a layer, each [batch, kvHeads, past, headDim]. */
interface Past {
  readonly keys: readonly T[]
  readonly values: readonly T[]
}

export interface TrunkInputs {
  /** [batch, length] int32 each; `slots` and `flags` are 0 where a token ends no number. */
  readonly tokens: T
  readonly slots: T
  readonly flags: T
  /** [batch, length] float32: place of each token in its row. */
  readonly positions: T
  /** [batch, past + length] float32: places of all keys; equals `positions` without a past. */
  readonly keyPositions: T
  readonly past?: Past
  /** Training alone: dropout of the embedding (place 0) and of what layer l adds by attention (1 + 2l) and MLP (2 + 2l). */
  readonly drop?: Drop
}

export interface TrunkOutputs {
  /** [batch * length, width], after the final norm. */
  readonly hidden: T
  /** Keys and values of all tokens, those of the past first: one a layer, [batch, kvHeads, past + length, headDim]. */
  readonly keys: readonly T[]
  readonly values: readonly T[]
  /** Those of the new tokens alone, [batch, kvHeads, length, headDim]. */
  readonly newKeys: readonly T[]
  readonly newValues: readonly T[]
}

/** Default of `normEpsilon`. */
const EPSILON = 1e-5

/** x / rms(x) * gain over the last axis (Zhang and Sennrich 2019, arXiv 1910.07467). */
function rmsNorm(x: T, gain: T, epsilon = EPSILON): T {
  const meanSquare = tf.mean(tf.square(x), -1, true)
  return tf.mul(tf.mul(x, tf.rsqrt(tf.add(meanSquare, tf.scalar(epsilon)))), gain)
}

/** x · W, plus a bias and a low-rank pair (see lora.ts) where `w` holds them. x: [rows, in]. */
function project(w: WeightTensors, name: string, x: T): T {
  let y = tf.matMul(x, w[name]!)
  const [bias, a, b] = [w[`${name}_bias`], w[`${name}.lora_a`], w[`${name}.lora_b`]]
  if (bias) y = tf.add(y, bias)
  if (a && b) y = tf.add(y, tf.matMul(tf.matMul(x, a), b))
  return y
}

/** cos and sin of every position's angles, [batch, 1, length, headDim / 2] (RoFormer, arXiv 2104.09864). */
function rotaryAngles(config: ModelConfig, positions: T): { cos: T; sin: T } {
  const half = headDim(config) / 2
  const frequencies = Float32Array.from({ length: half }, (_, i) => config.ropeTheta ** (-i / half))
  const [batch, length] = positions.shape as [number, number]
  const angles = tf.mul(tf.reshape(positions, [batch, 1, length, 1]), tf.tensor(frequencies, [1, 1, 1, half]))
  return { cos: tf.cos(angles), sin: tf.sin(angles) }
}

/** Rotates pairs (i, i + headDim/2), the layout of Hugging Face's Llama. x: [batch, heads, length, headDim]. */
function rotate(x: T, { cos, sin }: { cos: T; sin: T }): T {
  const [first, second] = tf.split(x, 2, 3) as [T, T]
  return tf.concat(
    [tf.sub(tf.mul(first, cos), tf.mul(second, sin)), tf.add(tf.mul(second, cos), tf.mul(first, sin))],
    3,
  )
}

/** [batch, 1, 1, length, keys]: 0 where the key is not after the query, -1e9 where it is. */
function causalBias(positions: T, keyPositions: T): T {
  const [batch, length] = positions.shape as [number, number]
  const keys = keyPositions.shape[1]!
  const after = tf.greater(
    tf.reshape(keyPositions, [batch, 1, 1, 1, keys]),
    tf.reshape(positions, [batch, 1, 1, length, 1]),
  )
  return tf.mul(tf.cast(after, 'float32'), tf.scalar(-1e9))
}

/** Runs the decoder over a batch of rows. Weights are named as in `weightShapes`. */
export function trunk(config: ModelConfig, w: WeightTensors, inputs: TrunkInputs): TrunkOutputs {
  const { heads, kvHeads, width, normEpsilon } = config
  const d = headDim(config)
  const group = heads / kvHeads
  const [batch, length] = inputs.tokens.shape as [number, number]
  const flat = [batch * length]
  const angles = rotaryAngles(config, inputs.positions)
  const bias = causalBias(inputs.positions, inputs.keyPositions)

  const toHeads = (x: T, n: number): T => tf.transpose(tf.reshape(x, [batch, length, n, d]), [0, 2, 1, 3])
  const embedded = (table: string, ids: T): T => tf.gather(w[table]!, tf.reshape(ids, flat))
  let x = embedded('embed', inputs.tokens) // [batch * length, width]
  if (config.slots > 0) x = tf.add(x, embedded('slot_embed', inputs.slots))
  if (config.flags > 0) x = tf.add(x, embedded('flag_embed', inputs.flags))
  const special = w['special_embed'] // changes of the first rows of `embed`, and a row of zeros for all other tokens
  if (special) {
    const others = tf.scalar(special.shape[0]! - 1, 'int32')
    x = tf.add(x, embedded('special_embed', tf.minimum(inputs.tokens, others)))
  }

  const drop: Drop = inputs.drop ?? (y => y)
  x = drop(x, 0)

  const keys: T[] = []
  const values: T[] = []
  const newKeys: T[] = []
  const newValues: T[] = []
  for (let layer = 0; layer < config.layers; layer++) {
    const of = (name: string): T => w[`layers.${layer}.${name}`]!
    const projected = (name: string, y: T): T => project(w, `layers.${layer}.${name}`, y)
    const normed = rmsNorm(x, of('attn_norm'), normEpsilon)
    const query = rotate(toHeads(projected('q', normed), heads), angles)
    const newKey = rotate(toHeads(projected('k', normed), kvHeads), angles)
    const newValue = toHeads(projected('v', normed), kvHeads)
    const key = inputs.past ? tf.concat([inputs.past.keys[layer]!, newKey], 2) : newKey
    const value = inputs.past ? tf.concat([inputs.past.values[layer]!, newValue], 2) : newValue
    keys.push(key)
    values.push(value)
    newKeys.push(newKey)
    newValues.push(newValue)
    const total = key.shape[2]!

    // Queries of one group share keys: fold the group into the rows, so that no key is repeated.
    const folded = tf.reshape(query, [batch, kvHeads, group * length, d])
    const scores = tf.mul(tf.matMul(folded, key, false, true), tf.scalar(1 / Math.sqrt(d)))
    const masked = tf.add(tf.reshape(scores, [batch, kvHeads, group, length, total]), bias)
    const attention = tf.reshape(tf.softmax(masked), [batch, kvHeads, group * length, total])
    const mixed = tf.reshape(tf.matMul(attention, value), [batch, heads, length, d])
    const joined = tf.reshape(tf.transpose(mixed, [0, 2, 1, 3]), [batch * length, heads * d])
    x = tf.add(x, drop(projected('out', joined), 1 + 2 * layer))

    const inner = rmsNorm(x, of('mlp_norm'), normEpsilon)
    const gate = projected('gate', inner)
    const activated = tf.mul(tf.mul(gate, tf.sigmoid(gate)), projected('up', inner))
    x = tf.add(x, drop(projected('down', activated), 2 + 2 * layer))
  }
  const hidden = tf.reshape(rmsNorm(x, w.final_norm!, normEpsilon), [batch * length, width])
  return { hidden, keys, values, newKeys, newValues }
}

/** The output table, [vocab, width]: one of its own, or the embedding (tied). */
export const outputTable = (w: WeightTensors): T => (w['output'] ?? w.embed)!

/** Next-token logits for rows of hidden states, [rows, vocab]. */
export const lmLogits = (w: WeightTensors, hidden: T): T => tf.matMul(hidden, outputTable(w), false, true)
