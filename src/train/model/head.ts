// The step head: a logit for each step, from its hand features on one path, its hidden state on another, and, where a solution closes, what
// its features say of the whole. Knows no trunk and no loss.
import * as tf from '@tensorflow/tfjs'
import { OUTCOME_WEIGHTS } from './config.ts'
import type { WeightTensors } from './trunk.ts'

type T = tf.Tensor

/** One hidden layer, [rows, in] to [rows, 1]; weights `name_in`, `name_in_bias`, `name_out`. */
function perceptron(w: WeightTensors, name: string, x: T): T {
  const inner = tf.add(tf.matMul(x, w[`${name}_in`]!), w[`${name}_in_bias`]!)
  return tf.matMul(tf.mul(inner, tf.sigmoid(inner)), w[`${name}_out`]!)
}

/** x itself, whose gradient is multiplied by `share`, of a shape that broadcasts to x's. */
function passing(x: T, share: T): T {
  const op = tf.customGrad((...args) => {
    const [value, passed, save] = args as unknown as [T, T, tf.GradSaveFunc]
    save([passed])
    return {
      value: tf.clone(value),
      gradFunc: (dy: T, saved: T[]) => [tf.mul(dy, saved[0]!), tf.zerosLike(saved[0]!)],
    }
  })
  return op(x, share)
}

/** What the hand features alone say, [steps, 1]. features: [steps, features]. */
const featureLogits = (w: WeightTensors, features: T): T =>
  tf.add(perceptron(w, 'head.features', features), w['head.out_bias']!)

/** A step's closing input, [steps, 1]: the last of its features, see critic/features.ts. */
function closingInput(features: T): T {
  const inputs = features.shape[1]!
  const last = Float32Array.from({ length: inputs }, (_, i) => (i === inputs - 1 ? 1 : 0))
  return tf.matMul(features, tf.tensor(last, [inputs, 1]))
}

/**
 * What the step that ends a solution says of the whole, [steps, 1]; next to nothing at any other step. A step ends one where it closes and its
 * features are those of last steps (recipe/endings.ts). Linear, for it is learned from the outcomes of few problems, which a ridge fits in seconds
 * (fit/order.ts).
 */
function outcomeLogits(w: WeightTensors, features: T): T {
  const ends = tf.sigmoid(tf.add(tf.matMul(features, w['head.outcome_ends']!), w['head.outcome_ends_bias']!))
  return tf.mul(tf.mul(closingInput(features), ends), tf.matMul(features, w[OUTCOME_WEIGHTS]!))
}

/** Logits of "the text path is to be trusted here", [steps, 1]. */
const gateLogits = (w: WeightTensors, state: T): T =>
  tf.add(tf.matMul(state, w['head.gate']!), w['head.gate_bias']!)

/**
 * What the text adds, [steps, 1]: a logit of its own times a gate in (0, 1), both from the hidden state. The gate tells where the text
 * path is to be trusted. `learnable` [steps] is 0 for steps on which trunk and text path are not to learn: there the gate learns alone,
 * from what the text path says about text it was not fitted to.
 */
function textLogits(w: WeightTensors, hidden: T, learnable?: T): T {
  const share = learnable && tf.reshape(learnable, [-1, 1])
  const state = share ? passing(hidden, share) : hidden
  const said = perceptron(w, 'head.text', state)
  const gate = tf.sigmoid(gateLogits(w, state))
  return tf.mul(share ? passing(said, share) : said, gate)
}

export interface HeadInputs {
  /** [rows, width]: hidden states, of which `stepIndex` [steps] picks one a step. Without them the features speak alone. */
  readonly hidden?: T
  readonly stepIndex: T
  /** [steps, features] */
  readonly features: T
  /** [steps], 1 or 0, see `textLogits`; 1 everywhere when absent. */
  readonly learnable?: T
}

/**
 * How far the gate is, [steps], from open where the text path learns and shut where it does not: its cross-entropy against
 * `learnable`. It is the gate's loss alone: hidden states are read, not moved.
 */
export function gateLosses(w: WeightTensors, hidden: T, stepIndex: T, learnable: T): T {
  const state = passing(tf.gather(hidden, stepIndex), tf.zeros([stepIndex.shape[0]!, 1]))
  const logits = tf.reshape(gateLogits(w, state), [stepIndex.shape[0]!])
  return tf.sub(tf.softplus(logits), tf.mul(logits, learnable))
}

/** Raw step scores (logits of "this step is right"), [steps]. */
export function stepLogits(w: WeightTensors, { hidden, stepIndex, features, learnable }: HeadInputs): T {
  const byFeatures = tf.add(featureLogits(w, features), outcomeLogits(w, features))
  const logits = hidden
    ? tf.add(byFeatures, textLogits(w, tf.gather(hidden, stepIndex), learnable))
    : byFeatures
  return tf.reshape(logits, [stepIndex.shape[0]!])
}
