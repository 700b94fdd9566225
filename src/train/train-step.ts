// One optimisation step as functions of tensors: loss, gradients, clipping by global norm, AdamW; at once, or gradients of several
// micro-batches first. Knows no data and no schedule.
import * as tf from '@tensorflow/tfjs'
import type { TensorSpec } from './engine/trace.ts'
import { type ModelConfig, weightShapes } from './model/config.ts'
import { dropoutSpecs } from './model/dropout.ts'
import { type Adaptation, everyWeight } from './model/lora.ts'
import { type BatchShape, batchLoss, batchSpecs, type LossOptions } from './model/loss.ts'

type T = tf.Tensor

export interface OptimizerConfig {
  readonly beta1: number
  readonly beta2: number
  readonly epsilon: number
  readonly weightDecay: number
  /** Largest global gradient norm. */
  readonly clipNorm: number
}

export const ADAMW: OptimizerConfig = {
  beta1: 0.9,
  beta2: 0.98,
  epsilon: 1e-8,
  weightDecay: 0.05,
  clipNorm: 1,
}

type Specs = Record<string, TensorSpec>

/** Names -> specs of tensors shaped like the weights, each name with a prefix: `w:`, `m:` and `v:` (moments), `g:` (gradients). */
const like = (shapes: Readonly<Record<string, readonly number[]>>, kinds: readonly string[]): Specs =>
  Object.fromEntries(
    Object.entries(shapes).flatMap(([name, shape]) =>
      kinds.map(kind => [`${kind}:${name}`, { shape, dtype: 'float32' as const }]),
    ),
  )

const scalars = (...names: string[]): Specs =>
  Object.fromEntries(names.map(name => [name, { shape: [], dtype: 'float32' as const }]))

/** What every loss takes in: a batch, masks for dropout where there is any, and all weights, `w:`. */
const lossSpecs = (
  config: ModelConfig,
  shape: BatchShape,
  { trained }: Pick<Adaptation, 'trained'>,
  { dropout = 0 }: Pick<LossOptions, 'dropout'>,
): Specs => ({
  ...batchSpecs(config, shape),
  ...(dropout > 0 && dropoutSpecs(config, shape)),
  ...like({ ...weightShapes(config), ...trained }, ['w']),
})

/**
 * Inputs of the compiled step: `w:` weights, `m:` and `v:` moments of those that are trained, the batch, and the step's
 * scalars: its learning rate, and 1 / (1 - beta^t) for both moments. A frozen weight is an input that never changes.
 */
export const stepSpecs = (
  config: ModelConfig,
  shape: BatchShape,
  adaptation = everyWeight(config),
  options: Pick<LossOptions, 'dropout'> = {},
): Specs => ({
  ...lossSpecs(config, shape, adaptation, options),
  ...like(adaptation.trained, ['m', 'v']),
  ...scalars('lr', 'correct1', 'correct2'),
})

/** Inputs of `gradientStep`: weights, a micro-batch, the gradients so far, and `keep`: 0 for the first of a step, else 1. */
export const gradientSpecs = (
  config: ModelConfig,
  shape: BatchShape,
  adaptation = everyWeight(config),
  options: Pick<LossOptions, 'dropout'> = {},
): Specs => ({
  ...lossSpecs(config, shape, adaptation, options),
  ...like(adaptation.trained, ['g']),
  ...scalars('keep'),
})

/** Inputs of `applyStep`. */
export const applySpecs = ({ trained }: Pick<Adaptation, 'trained'>): Specs => ({
  ...like(trained, ['w', 'm', 'v', 'g']),
  ...scalars('lr', 'correct1', 'correct2'),
})

/** Matrices decay; norms, biases and single columns do not. */
const decays = (shape: readonly number[]): boolean => shape.length === 2 && shape[1]! > 1

type Inputs = Readonly<Record<string, T>>

/** Losses of a batch (`loss`, `loss_lm`, `loss_step`, `loss_pair`) and the gradient of each trained weight. */
function lossGradients(
  config: ModelConfig,
  options: LossOptions,
  { trained, adapt }: Adaptation,
  inputs: Inputs,
): { losses: Record<string, T>; grads: Record<string, T> } {
  const names = Object.keys(trained)
  const frozen = Object.keys(weightShapes(config)).filter(name => !(name in trained))
  const reported: Record<string, T> = {}
  const loss = (...weights: T[]): tf.Scalar => {
    const fixed = frozen.map(name => [name, inputs[`w:${name}`]!] as const)
    const w = adapt(Object.fromEntries([...fixed, ...names.map((name, i) => [name, weights[i]!] as const)]))
    const { total, lm, step, pair } = batchLoss(config, w, inputs, options)
    Object.assign(reported, { loss_lm: tf.keep(lm), loss_step: tf.keep(step), loss_pair: tf.keep(pair) })
    return tf.reshape(total, []) as tf.Scalar
  }
  const { value, grads } = tf.valueAndGrads(loss)(names.map(name => inputs[`w:${name}`]!))
  return {
    losses: { loss: value, ...reported },
    grads: Object.fromEntries(names.map((name, i) => [name, grads[i]!])),
  }
}

/** New weights and moments (named as the inputs) and `grad_norm` before clipping. AdamW: Loshchilov and Hutter 2019, arXiv 1711.05101. */
function adamW(
  optimizer: OptimizerConfig,
  grads: Readonly<Record<string, T>>,
  inputs: Inputs,
): Record<string, T> {
  const norm = tf.sqrt(tf.addN(Object.values(grads).map(g => tf.sum(tf.square(g)))))
  const scale = tf.div(tf.scalar(optimizer.clipNorm), tf.maximum(norm, tf.scalar(optimizer.clipNorm)))
  const outputs: Record<string, T> = { grad_norm: norm }
  for (const [name, grad] of Object.entries(grads)) {
    const [w, m, v] = ['w', 'm', 'v'].map(kind => inputs[`${kind}:${name}`]!) as [T, T, T]
    const g = tf.mul(grad, scale)
    const newM = tf.add(tf.mul(m, tf.scalar(optimizer.beta1)), tf.mul(g, tf.scalar(1 - optimizer.beta1)))
    const newV = tf.add(
      tf.mul(v, tf.scalar(optimizer.beta2)),
      tf.mul(tf.square(g), tf.scalar(1 - optimizer.beta2)),
    )
    const direction = tf.div(
      tf.mul(newM, inputs['correct1']!),
      tf.add(tf.sqrt(tf.mul(newV, inputs['correct2']!)), tf.scalar(optimizer.epsilon)),
    )
    const decayed = decays(w.shape)
      ? tf.add(direction, tf.mul(w, tf.scalar(optimizer.weightDecay)))
      : direction
    outputs[`w:${name}`] = tf.sub(w, tf.mul(decayed, inputs['lr']!))
    outputs[`m:${name}`] = newM
    outputs[`v:${name}`] = newV
  }
  return outputs
}

/** The whole step at once: named inputs (see `stepSpecs`) to losses, `grad_norm`, and new weights and moments. */
export function trainStep(
  config: ModelConfig,
  optimizer: OptimizerConfig,
  options: LossOptions,
  adaptation: Adaptation = everyWeight(config),
) {
  return (inputs: Inputs): Record<string, T> => {
    const { losses, grads } = lossGradients(config, options, adaptation, inputs)
    return { ...losses, ...adamW(optimizer, grads, inputs) }
  }
}

/** The part of a step that a micro-batch takes: see `gradientSpecs`; gives its losses and the sum of gradients, `g:`. */
export function gradientStep(
  config: ModelConfig,
  options: LossOptions,
  adaptation: Adaptation = everyWeight(config),
) {
  return (inputs: Inputs): Record<string, T> => {
    const { losses, grads } = lossGradients(config, options, adaptation, inputs)
    const sums = Object.entries(grads).map(
      ([name, g]) => [`g:${name}`, tf.add(tf.mul(inputs[`g:${name}`]!, inputs['keep']!), g)] as const,
    )
    return { ...losses, ...Object.fromEntries(sums) }
  }
}

/** The part of a step after its last micro-batch: see `applySpecs`; gives `grad_norm` and new weights and moments. */
export function applyStep(optimizer: OptimizerConfig, { trained }: Pick<Adaptation, 'trained'>) {
  return (inputs: Inputs): Record<string, T> =>
    adamW(
      optimizer,
      Object.fromEntries(Object.keys(trained).map(name => [name, inputs[`g:${name}`]!])),
      inputs,
    )
}
