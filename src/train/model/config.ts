// Sizes of the model and the names and shapes of its weights. Knows no ops.
import { sizeOf } from '../engine/memory.ts'
import type { Rng } from '../rng.ts'

/** A Llama-family decoder with Spar's two extra input channels and a step head. */
export interface ModelConfig {
  /** Tokens in the vocabulary. */
  readonly vocab: number
  readonly width: number
  readonly layers: number
  readonly heads: number
  /** Key and value heads (grouped-query attention); divides `heads`. */
  readonly kvHeads: number
  /** Hidden width of the SwiGLU block. */
  readonly mlp: number
  readonly ropeTheta: number
  /** Number slots and evidence flags, 0 = none, both included in the embedding tables. */
  readonly slots: number
  readonly flags: number
  /** Hand features of a step that enter the step head. */
  readonly features: number
  /** Hidden width of each path of the step head. */
  readonly headWidth: number
  /** Width of one attention head; width / heads when absent. */
  readonly headDim?: number
  /** Added to the mean square under the root of a norm; 1e-5 when absent. */
  readonly normEpsilon?: number
  /** Whether query, key and value projections have a bias (Qwen2). */
  readonly qkvBias?: boolean
  /** Whether the output table is one of its own (`output`) instead of the embedding. */
  readonly untied?: boolean
}

export type Weights = Record<string, Float32Array>

/** Width of one attention head. */
export const headDim = (config: ModelConfig): number => config.headDim ?? config.width / config.heads

/** What a solution's last step says of the whole; `fit/order.ts` fits it. */
export const OUTCOME_WEIGHTS = 'head.outcome'
/** Whether a weight belongs to the outcome path, which descent leaves alone. */
export const isOutcomePath = (name: string): boolean => name.startsWith(OUTCOME_WEIGHTS)

/** Name -> shape of every weight, in the order in which they are stored. */
export function weightShapes(config: ModelConfig): Record<string, readonly number[]> {
  const { width, vocab, mlp, heads, kvHeads } = config
  const kv = kvHeads * headDim(config)
  const shapes: Record<string, readonly number[]> = {
    embed: [vocab, width],
    slot_embed: [config.slots, width],
    flag_embed: [config.flags, width],
  }
  for (let layer = 0; layer < config.layers; layer++) {
    Object.assign(shapes, {
      [`layers.${layer}.attn_norm`]: [width],
      [`layers.${layer}.q`]: [width, heads * headDim(config)],
      [`layers.${layer}.k`]: [width, kv],
      [`layers.${layer}.v`]: [width, kv],
      ...(config.qkvBias && {
        [`layers.${layer}.q_bias`]: [heads * headDim(config)],
        [`layers.${layer}.k_bias`]: [kv],
        [`layers.${layer}.v_bias`]: [kv],
      }),
      [`layers.${layer}.out`]: [heads * headDim(config), width],
      [`layers.${layer}.mlp_norm`]: [width],
      [`layers.${layer}.gate`]: [width, mlp],
      [`layers.${layer}.up`]: [width, mlp],
      [`layers.${layer}.down`]: [mlp, width],
    })
  }
  return {
    ...shapes,
    final_norm: [width],
    ...(config.untied && { output: [vocab, width] }),
    'head.features_in': [config.features, config.headWidth],
    'head.features_in_bias': [config.headWidth],
    'head.features_out': [config.headWidth, 1],
    [OUTCOME_WEIGHTS]: [config.features, 1],
    'head.outcome_ends': [config.features, 1],
    'head.outcome_ends_bias': [1],
    'head.text_in': [width, config.headWidth],
    'head.text_in_bias': [config.headWidth],
    'head.text_out': [config.headWidth, 1],
    'head.gate': [width, 1],
    'head.gate_bias': [1],
    'head.out_bias': [1],
  }
}

/** The text path says nothing at first: noise from it would close its gate for good. Nor do outcomes before there are any. */
const START_AT_ZERO = ['slot_embed', 'flag_embed', 'head.text_out', OUTCOME_WEIGHTS, 'head.outcome_ends']

/**
 * Fresh weights: normal with std 0.02 (0.02/sqrt(2·layers) where a block writes to the residual), norms 1, extra channels,
 * biases and the text path's last layer 0. Weights in `given` are taken as they are and draw nothing.
 */
export function initWeights(config: ModelConfig, rng: Rng, given: Readonly<Weights> = {}): Weights {
  const weights: Weights = {}
  for (const [name, shape] of Object.entries(weightShapes(config))) {
    const size = sizeOf(shape)
    if (given[name]) weights[name] = given[name]
    else if (name.endsWith('norm')) weights[name] = new Float32Array(size).fill(1)
    else if (name.endsWith('bias') || START_AT_ZERO.includes(name)) weights[name] = new Float32Array(size)
    else {
      const residual = name.endsWith('.out') || name.endsWith('.down')
      const std = name.startsWith('head.')
        ? 1 / Math.sqrt(shape[0]!)
        : residual
          ? 0.02 / Math.sqrt(2 * config.layers)
          : 0.02
      weights[name] = Float32Array.from({ length: size }, () => rng.normal() * std)
    }
  }
  return weights
}

/** Number of trainable numbers. */
export const countWeights = (weights: Weights): number =>
  Object.values(weights).reduce((sum, w) => sum + w.length, 0)
