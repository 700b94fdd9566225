// One optimisation step as a function of tensors: loss, gradients, clipping by global norm, AdamW. Knows no data and no schedule.
import * as tf from '@tensorflow/tfjs'
import type { TensorSpec } from './engine/trace.ts'
import { type ModelConfig, weightShapes } from './model/config.ts'
import { type Adaptation, everyWeight } from './model/lora.ts'
import { type BatchShape, batchLoss, batchSpecs } from './model/loss.ts'

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

/**
 * Inputs of the compiled step: `w:` weights, `m:` and `v:` moments of those that are trained, the batch, and the step's
 * scalars. A frozen weight is an input that never changes.
 */
export function stepSpecs(
  config: ModelConfig,
  shape: BatchShape,
  { trained } = everyWeight(config),
): Record<string, TensorSpec> {
  const specs: Record<string, TensorSpec> = { ...batchSpecs(config, shape) }
  for (const [name, dims] of Object.entries({ ...weightShapes(config), ...trained })) {
    const kinds = name in trained ? ['w', 'm', 'v'] : ['w']
    for (const kind of kinds) specs[`${kind}:${name}`] = { shape: dims, dtype: 'float32' }
  }
  // Learning rate of this step, and 1 / (1 - beta^t) for both moments.
  for (const name of ['lr', 'correct1', 'correct2']) specs[name] = { shape: [], dtype: 'float32' }
  return specs
}

/** Matrices decay; norms, biases and single columns do not. */
const decays = (shape: readonly number[]): boolean => shape.length === 2 && shape[1]! > 1

/**
 * Builds the step: named inputs (see `stepSpecs`) to new weights and moments (same names), `loss`, `loss_lm`,
 * `loss_step`, `loss_pair` and `grad_norm` before clipping. AdamW: Loshchilov and Hutter 2019, arXiv 1711.05101.
 */
export function trainStep(
  config: ModelConfig,
  optimizer: OptimizerConfig,
  parts: { lm: boolean },
  { trained, adapt }: Adaptation = everyWeight(config),
) {
  const names = Object.keys(trained)
  const frozen = Object.keys(weightShapes(config)).filter(name => !(name in trained))
  return (inputs: Readonly<Record<string, T>>): Record<string, T> => {
    const reported: Record<string, T> = {}
    const loss = (...weights: T[]): tf.Scalar => {
      const fixed = frozen.map(name => [name, inputs[`w:${name}`]!] as const)
      const w = adapt(Object.fromEntries([...fixed, ...names.map((name, i) => [name, weights[i]!] as const)]))
      const { total, lm, step, pair } = batchLoss(config, w, inputs, parts)
      Object.assign(reported, { loss_lm: tf.keep(lm), loss_step: tf.keep(step), loss_pair: tf.keep(pair) })
      return tf.reshape(total, []) as tf.Scalar
    }
    const { value, grads } = tf.valueAndGrads(loss)(names.map(name => inputs[`w:${name}`]!))
    const norm = tf.sqrt(tf.addN(grads.map(g => tf.sum(tf.square(g)))))
    const scale = tf.div(tf.scalar(optimizer.clipNorm), tf.maximum(norm, tf.scalar(optimizer.clipNorm)))

    const outputs: Record<string, T> = { loss: value, grad_norm: norm, ...reported }
    names.forEach((name, i) => {
      const [w, m, v] = ['w', 'm', 'v'].map(kind => inputs[`${kind}:${name}`]!) as [T, T, T]
      const g = tf.mul(grads[i]!, scale)
      const newM = tf.add(tf.mul(m, tf.scalar(optimizer.beta1)), tf.mul(g, tf.scalar(1 - optimizer.beta1)))
      const newV = tf.add(
        tf.mul(v, tf.scalar(optimizer.beta2)),
        tf.mul(tf.square(g), tf.scalar(1 - optimizer.beta2)),
      )
      const direction = tf.div(
        tf.mul(newM, inputs.correct1!),
        tf.add(tf.sqrt(tf.mul(newV, inputs.correct2!)), tf.scalar(optimizer.epsilon)),
      )
      const decayed = decays(w.shape)
        ? tf.add(direction, tf.mul(w, tf.scalar(optimizer.weightDecay)))
        : direction
      outputs[`w:${name}`] = tf.sub(w, tf.mul(decayed, inputs.lr!))
      outputs[`m:${name}`] = newM
      outputs[`v:${name}`] = newV
    })
    return outputs
  }
}
