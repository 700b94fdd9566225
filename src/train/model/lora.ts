// Training part of a model: frozen weights, and low-rank pairs beside them that can be merged away. Knows no loss and no optimizer.
// Hu et al. 2021, LoRA (arXiv 2106.09685).
import * as tf from '@tensorflow/tfjs'
import { SPECIAL_TOKENS } from '../../critic/tokenizer.ts'
import type { Rng } from '../rng.ts'
import { isOutcomePath, type ModelConfig, type Weights, weightShapes } from './config.ts'
import type { WeightTensors } from './trunk.ts'

/** What of a model is trained, and how the trained weights enter it. Weights of the model that are not named stay as they are. */
export interface Adaptation {
  /** Name -> shape of every weight that is trained: the model's own and extra ones. */
  readonly trained: Readonly<Record<string, readonly number[]>>
  /** Weights as the trunk reads them, from the model's and the extra ones; runs inside the traced loss. */
  adapt(w: WeightTensors): WeightTensors
}

/** Full training. */
export const everyWeight = (config: ModelConfig): Adaptation => ({
  trained: weightShapes(config),
  adapt: w => w,
})

/** An adaptation of which only the weights that `learns` names are trained. */
export const partOf = ({ trained, adapt }: Adaptation, learns: (name: string) => boolean): Adaptation => ({
  trained: Object.fromEntries(Object.entries(trained).filter(([name]) => learns(name))),
  adapt,
})

/** Matrices of a layer that can have a low-rank pair. */
export const LORA_TARGETS = ['q', 'k', 'v', 'out', 'gate', 'up', 'down'] as const
type LoraTarget = (typeof LORA_TARGETS)[number]

export interface LoraOptions {
  /** Inner width of a pair; 0 trains the step head alone, the base read anew at each step. */
  readonly rank: number
  /** A pair counts alpha / rank. */
  readonly alpha: number
  readonly targets: readonly LoraTarget[]
}

const isHead = (name: string): boolean => name.startsWith('head.') && !isOutcomePath(name)
const INPUT_CHANNELS = ['slot_embed', 'flag_embed']
/** Changes of the embeddings of Spar's own tokens, which no pre-trained vocabulary knows. */
const SPECIAL = 'special_embed'
const scaleOf = ({ rank, alpha }: LoraOptions): number => alpha / rank

/** Layer matrices with a pair, e.g. `layers.0.q`. */
function targetNames(config: ModelConfig, { rank, targets }: LoraOptions): string[] {
  if (rank === 0) return []
  return Array.from({ length: config.layers }, (_, i) => targets.map(t => `layers.${i}.${t}`)).flat()
}

/**
 * Trains the step head, the slot and flag embeddings, the embeddings of Spar's own tokens and pairs A [in, rank],
 * B [rank, out] beside the target matrices: x·W + (alpha / rank)·x·A·B. At rank 0 the step head alone, but for its outcome path, which
 * is fitted apart.
 */
export function lora(config: ModelConfig, options: LoraOptions): Adaptation {
  const shapes = weightShapes(config)
  const trained: Record<string, readonly number[]> = {}
  const pairs = targetNames(config, options)
  for (const name of pairs) {
    const [rows, columns] = shapes[name] as [number, number]
    trained[`${name}.lora_a`] = [rows, options.rank]
    trained[`${name}.lora_b`] = [options.rank, columns]
  }
  for (const [name, shape] of Object.entries(shapes))
    if (isHead(name) || (options.rank > 0 && INPUT_CHANNELS.includes(name))) trained[name] = shape
  if (options.rank > 0) trained[SPECIAL] = [SPECIAL_TOKENS.length, config.width]
  return {
    trained,
    adapt: w => ({
      ...w,
      ...Object.fromEntries(
        pairs.map(name => [`${name}.lora_b`, tf.mul(w[`${name}.lora_b`]!, tf.scalar(scaleOf(options)))]),
      ),
      ...(w[SPECIAL] && { [SPECIAL]: tf.concat([w[SPECIAL], tf.zeros([1, config.width])], 0) }),
    }),
  }
}

/** Start of the extra weights: A normal with std 1/sqrt(in), B and the changes of embeddings 0, so that the first logits are the base's. */
export function initLora(config: ModelConfig, options: LoraOptions, rng: Rng): Weights {
  const own = weightShapes(config)
  const extra = Object.entries(lora(config, options).trained).filter(([name]) => !(name in own))
  return Object.fromEntries(
    extra.map(([name, shape]) => {
      const size = shape[0]! * shape[1]!
      const std = name.endsWith('.lora_a') ? 1 / Math.sqrt(shape[0]!) : 0
      return [name, Float32Array.from({ length: size }, () => (std > 0 ? rng.normal() * std : 0))]
    }),
  )
}

/** The model's own weights with the extra ones added in: the adapted model as a plain one. Changed arrays are new. */
export function mergeLora(config: ModelConfig, options: LoraOptions, weights: Readonly<Weights>): Weights {
  const merged = Object.fromEntries(
    Object.keys(weightShapes(config)).map(name => [name, weights[name]!] as const),
  )
  for (const name of targetNames(config, options)) {
    const w = Float32Array.from(merged[name]!)
    addProduct(w, weights[`${name}.lora_a`]!, weights[`${name}.lora_b`]!, options)
    merged[name] = w
  }
  const special = weights[SPECIAL]
  if (special) {
    const embed = Float32Array.from(merged['embed']!)
    special.forEach((x, i) => {
      embed[i]! += x
    })
    merged['embed'] = embed
  }
  return merged
}

/** w += (alpha / rank) · a · b; w: [in, out]. */
function addProduct(w: Float32Array, a: Float32Array, b: Float32Array, options: LoraOptions): void {
  const { rank } = options
  const columns = b.length / rank
  for (let at = 0; at < w.length; at++) {
    const [row, column] = [Math.floor(at / columns), at % columns]
    let sum = 0
    for (let r = 0; r < rank; r++) sum += a[row * rank + r]! * b[r * columns + column]!
    w[at]! += sum * scaleOf(options)
  }
}
