// The training loss: language model, step labels, comparisons and the text path's gate, each a weighted sum over a weight the batch brings. Knows no optimizer.
import * as tf from '@tensorflow/tfjs'
import type { ModelConfig } from './config.ts'
import { dropout } from './dropout.ts'
import { gateLosses, stepLogits } from './head.ts'
import { lmLogits, outputTable, trunk, type WeightTensors } from './trunk.ts'

type T = tf.Tensor

/** Static sizes of a batch; one compiled graph each. */
export interface BatchShape {
  readonly rows: number
  readonly length: number
  /** Step places in the batch, padded with weight 0. */
  readonly steps: number
  /** Comparisons (right over wrong), padded with weight 0. */
  readonly pairs: number
}

/** Names, shapes and types of a batch's arrays. */
export const batchSpecs = (config: ModelConfig, { rows, length, steps, pairs }: BatchShape) =>
  ({
    tokens: { shape: [rows, length], dtype: 'int32' },
    slots: { shape: [rows, length], dtype: 'int32' },
    flags: { shape: [rows, length], dtype: 'int32' },
    /** Next tokens and the weight of each; weights already divided by their sum. */
    lm_targets: { shape: [rows, length], dtype: 'int32' },
    lm_weights: { shape: [rows, length], dtype: 'float32' },
    step_index: { shape: [steps], dtype: 'int32' },
    features: { shape: [steps, config.features], dtype: 'float32' },
    /** 1 where trunk and text path learn from the step, 0 where the rest of the step head does alone. */
    text_learns: { shape: [steps], dtype: 'float32' },
    /** Weights that sum to the share of the gate's loss; 0 for places without a step. */
    gate_weights: { shape: [steps], dtype: 'float32' },
    /** P(right) as labelled, in [0, 1], and weights that sum to the share of this loss. */
    step_labels: { shape: [steps], dtype: 'float32' },
    step_weights: { shape: [steps], dtype: 'float32' },
    /** Row r averages the logits of the right side (+) minus those of the wrong side (-). */
    pair_matrix: { shape: [pairs, steps], dtype: 'float32' },
    pair_weights: { shape: [pairs], dtype: 'float32' },
  }) as const

/** log(sum(exp(x))) over the last axis with the softmax as its gradient. */
function logSumExp(logits: T): T {
  const op = tf.customGrad((...args) => {
    const [x, save] = args as unknown as [T, tf.GradSaveFunc]
    const max = tf.max(x, -1, true)
    const exps = tf.exp(tf.sub(x, max))
    const sums = tf.sum(exps, -1, true)
    save([tf.div(exps, sums)])
    const value = tf.reshape(tf.add(max, tf.log(sums)), x.shape.slice(0, -1))
    return { value, gradFunc: (dy: T, saved: T[]) => [tf.mul(tf.expandDims(dy, -1), saved[0]!)] }
  })
  return op(logits)
}

/** Sum of weight · -log p(target); the target's logit is a dot product with its embedding, so logits serve only the normaliser. */
function languageLoss(w: WeightTensors, hidden: T, targets: T, weights: T): T {
  const size = hidden.shape[0]!
  const logZ = logSumExp(lmLogits(w, hidden))
  const target = tf.sum(tf.mul(hidden, tf.gather(outputTable(w), tf.reshape(targets, [size]))), -1)
  return tf.sum(tf.mul(tf.sub(logZ, target), tf.reshape(weights, [size])))
}

/** Row positions 0 … length-1 as [rows, length]. */
export function rowPositions(rows: number, length: number): T {
  return tf.tensor(
    Float32Array.from({ length: rows * length }, (_, i) => i % length),
    [rows, length],
  )
}

export interface LossParts {
  readonly total: T
  readonly lm: T
  readonly step: T
  readonly pair: T
}

/** What a training graph computes. */
export interface LossOptions {
  /** Whether the language model takes part: its product with the vocabulary is a large share of a step. */
  readonly lm: boolean
  /** Share of hidden values dropped, in [0, 1); the batch then brings `dropoutSpecs`. None when 0 or absent. */
  readonly dropout?: number
  /** Leaves the trunk out: the feature path of the step head speaks alone. */
  readonly featuresAlone?: boolean
}

/** Final hidden states of the batch's tokens, [rows * length, width]. */
function hiddenStates(
  config: ModelConfig,
  w: WeightTensors,
  batch: Readonly<Record<string, T>>,
  rate = 0,
): T {
  const [rows, length] = batch.tokens!.shape as [number, number]
  const positions = rowPositions(rows, length)
  const { tokens, slots, flags } = batch as { tokens: T; slots: T; flags: T }
  return trunk(config, w, {
    tokens,
    slots,
    flags,
    positions,
    keyPositions: positions,
    ...(rate > 0 && { drop: dropout(batch, rate) }),
  }).hidden
}

/** The losses of a batch and the sum of them and the gate's. */
export function batchLoss(
  config: ModelConfig,
  w: WeightTensors,
  batch: Readonly<Record<string, T>>,
  options: LossOptions,
): LossParts {
  const hidden = options.featuresAlone ? null : hiddenStates(config, w, batch, options.dropout)
  const lm =
    options.lm && hidden ? languageLoss(w, hidden, batch.lm_targets!, batch.lm_weights!) : tf.scalar(0)
  const logits = stepLogits(w, {
    ...(hidden && { hidden }),
    stepIndex: batch.step_index!,
    features: batch.features!,
    learnable: batch.text_learns!,
  })
  // Binary cross-entropy from logits: softplus(z) - z·y, stable for both signs.
  const step = tf.sum(
    tf.mul(tf.sub(tf.softplus(logits), tf.mul(logits, batch.step_labels!)), batch.step_weights!),
  )
  const margins = tf.reshape(tf.matMul(batch.pair_matrix!, tf.reshape(logits, [-1, 1])), [-1])
  const pair = tf.sum(tf.mul(tf.softplus(tf.neg(margins)), batch.pair_weights!))
  const gate = hidden
    ? tf.sum(tf.mul(gateLosses(w, hidden, batch.step_index!, batch.text_learns!), batch.gate_weights!))
    : tf.scalar(0)
  return { total: tf.addN([lm, step, pair, gate]), lm, step, pair }
}
