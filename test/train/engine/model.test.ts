// The whole model: loss, gradients and training steps of the traced engine agree with the eager pure-JS backend.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as tf from '@tensorflow/tfjs'
import { eagerEngine } from '../../../src/train/engine/eager.ts'
import { tracedEngine } from '../../../src/train/engine/engine.ts'
import type { HostTensor } from '../../../src/train/engine/port.ts'
import type { TensorFunction } from '../../../src/train/engine/trace.ts'
import { type ModelConfig, weightShapes } from '../../../src/train/model/config.ts'
import { type BatchShape, batchLoss, batchSpecs } from '../../../src/train/model/loss.ts'
import { createRng } from '../../../src/train/rng.ts'
import { ADAMW, stepSpecs, trainStep } from '../../../src/train/train-step.ts'
import { assertClose } from './close.ts'
import { busyBatch, busyWeights, tinyConfig, weightFeeds } from './tiny-model.ts'

const traced = tracedEngine({ threads: 1 })
const eager = eagerEngine('cpu')
const SHAPE: BatchShape = { rows: 2, length: 7, steps: 3, pairs: 2 }

/** The losses of a batch and the gradient of their sum for every weight. */
function lossAndGradients(config: ModelConfig): TensorFunction {
  const names = Object.keys(weightShapes(config))
  return inputs => {
    const parts: Record<string, tf.Tensor> = {}
    const total = (...weights: tf.Tensor[]) => {
      const w = Object.fromEntries(names.map((name, i) => [name, weights[i]!]))
      const { total, lm, step, pair } = batchLoss(config, w, inputs, { lm: true })
      Object.assign(parts, { lm: tf.keep(lm), step: tf.keep(step), pair: tf.keep(pair) })
      return tf.reshape(total, []) as tf.Scalar
    }
    const { value, grads } = tf.valueAndGrads(total)(names.map(name => inputs[name]!))
    return { ...parts, total: value, ...Object.fromEntries(names.map((name, i) => [`d ${name}`, grads[i]!])) }
  }
}

for (const [label, kvHeads] of [
  ['one key head for each query head', 4],
  ['grouped key heads', 2],
  ['a single key head', 1],
] as const) {
  test(`losses and the gradient of every weight agree with eager: ${label}`, async () => {
    const config = tinyConfig(kvHeads)
    const rng = createRng(`gradients ${kvHeads}`)
    const specs = { ...batchSpecs(config, SHAPE), ...floatSpecs(config) }
    const feeds = { ...busyBatch(config, SHAPE, rng), ...weightFeeds(config, busyWeights(config, rng)) }
    const fn = lossAndGradients(config)
    const got = await (await traced.compile(fn, specs)).run(feeds)
    const want = await (await eager.compile(fn, specs)).run(feeds)
    assert.deepEqual(Object.keys(got).sort(), Object.keys(want).sort())
    for (const name of Object.keys(want)) {
      assert.ok(
        want[name]!.data.some(x => x !== 0),
        `${name} takes part`,
      )
      // Deep sums in float32: an element far below its tensor's scale is the rest of a cancellation, and as exact as its terms.
      assertClose(got[name]!, want[name]!, name, 1e-4, 0.1)
    }
  })
}

function floatSpecs(config: ModelConfig) {
  return Object.fromEntries(
    Object.entries(weightShapes(config)).map(([name, shape]) => [name, { shape, dtype: 'float32' as const }]),
  )
}

/** A number of 0 for each step. */
const noSteps: HostTensor = { data: new Float32Array(SHAPE.steps), shape: [SHAPE.steps] }

test('the eager gradient of the loss is its slope', async () => {
  // The reference itself is held against finite differences, so that a wrong customGrad cannot hide in both engines.
  const config = tinyConfig(2)
  const rng = createRng('slope')
  const specs = { ...batchSpecs(config, SHAPE), ...floatSpecs(config) }
  const weights = busyWeights(config, rng)
  const batch = busyBatch(config, SHAPE, rng)
  // The gate's loss does not move the hidden states that it reads: the slope of the total is not its gradient.
  const feeds: Record<string, HostTensor> = {
    ...batch,
    gate_weights: noSteps,
    ...weightFeeds(config, weights),
  }
  const program = await eager.compile(lossAndGradients(config), specs)
  const at = await program.run(feeds)
  for (const name of [
    'embed',
    'slot_embed',
    'layers.0.q',
    'layers.1.k',
    'layers.1.down',
    'final_norm',
    'head.text_in',
    'head.features_in',
  ]) {
    const gradient = at[`d ${name}`]!.data as Float32Array
    const direction = gradient.map(x => x / Math.hypot(...gradient))
    const total = async (h: number) => {
      const moved = { data: weights[name]!.map((x, i) => x + h * direction[i]!), shape: feeds[name]!.shape }
      return (await program.run({ ...feeds, [name]: moved }))['total']!.data[0]!
    }
    const slope = ((await total(0.01)) - (await total(-0.01))) / 0.02
    const want = Math.hypot(...gradient)
    assert.ok(Math.abs(slope - want) < 0.01 * want + 1e-4, `${name}: slope ${slope}, gradient ${want}`)
  }
})

test('the gate has a loss of its own: it opens where the text path learns, shuts where it does not, and moves nothing else', async () => {
  const config = tinyConfig(2)
  const rng = createRng('gate')
  const none = (tensor: HostTensor): HostTensor => ({ ...tensor, data: new Float32Array(tensor.data.length) })
  const batch = busyBatch(config, SHAPE, rng)
  const feeds = {
    ...batch,
    lm_weights: none(batch['lm_weights']!),
    step_weights: none(batch['step_weights']!),
    pair_weights: none(batch['pair_weights']!),
    ...weightFeeds(config, busyWeights(config, rng)),
  }
  const program = await traced.compile(lossAndGradients(config), {
    ...batchSpecs(config, SHAPE),
    ...floatSpecs(config),
  })
  const learned = await program.run(feeds)
  const unlearned = await program.run({ ...feeds, text_learns: noSteps })
  assert.ok(learned['d head.gate_bias']!.data[0]! < 0, 'descent opens it')
  assert.ok(unlearned['d head.gate_bias']!.data[0]! > 0, 'descent shuts it')
  for (const name of Object.keys(weightShapes(config)))
    assert.equal(
      learned[`d ${name}`]!.data.some(x => x !== 0),
      name.startsWith('head.gate'),
      name,
    )
})

test('from steps on which the text path is not to learn, the trunk and the text path learn nothing and the gate does', async () => {
  const config = tinyConfig(2)
  const rng = createRng('text frozen')
  const specs = { ...batchSpecs(config, SHAPE), ...floatSpecs(config) }
  const batch = busyBatch(config, SHAPE, rng)
  const feeds = {
    ...batch,
    lm_weights: { ...batch['lm_weights']!, data: new Float32Array(SHAPE.rows * SHAPE.length) },
    gate_weights: noSteps,
    ...weightFeeds(config, busyWeights(config, rng)),
  }
  const program = await traced.compile(lossAndGradients(config), specs)
  const [free, held] = [await program.run(feeds), await program.run({ ...feeds, text_learns: noSteps })]
  assert.equal(held['total']!.data[0], free['total']!.data[0], 'what is said is the same')
  for (const name of Object.keys(weightShapes(config))) {
    const learns = held[`d ${name}`]!.data.some(x => x !== 0)
    assert.equal(learns, name.startsWith('head.') && !name.startsWith('head.text'), name)
    if (learns) assert.deepEqual(held[`d ${name}`], free[`d ${name}`], name)
  }
})

test('features alone: no weight of the trunk or the text path enters the loss', async () => {
  const config = tinyConfig(2)
  const rng = createRng('features alone')
  const batch = busyBatch(config, SHAPE, rng)
  const specs = { ...batchSpecs(config, SHAPE), ...floatSpecs(config) }
  const loss: TensorFunction = inputs => {
    const { step, pair, lm } = batchLoss(config, inputs, inputs, { lm: true, featuresAlone: true })
    return { step, pair, lm }
  }
  const program = await traced.compile(loss, specs)
  const weights = busyWeights(config, rng)
  const changed = Object.fromEntries(
    Object.entries(weights).map(([name, data]) => [
      name,
      /^head.(features|out)/.test(name) ? data : data.map(x => x + 1),
    ]),
  )
  const before = await program.run({ ...batch, ...weightFeeds(config, weights) })
  const after = await program.run({ ...batch, ...weightFeeds(config, changed) })
  assert.deepEqual(after, before)
  assert.ok(before['step']!.data[0]! > 0 && before['lm']!.data[0] === 0)
})

/** Runs `steps` training steps, outputs of one fed into the next; returns the outputs of the last. */
async function train(engine: typeof traced, config: ModelConfig, steps: number, lm: boolean) {
  const rng = createRng('two steps')
  const weights = weightFeeds(config, busyWeights(config, rng))
  let state: Record<string, HostTensor> = {}
  for (const [name, tensor] of Object.entries(weights)) {
    state[`w:${name}`] = tensor
    for (const moment of ['m', 'v'])
      state[`${moment}:${name}`] = { data: new Float32Array(tensor.data.length), shape: tensor.shape }
  }
  const scalar = (x: number): HostTensor => ({ data: Float32Array.of(x), shape: [] })
  const program = await engine.compile(trainStep(config, ADAMW, { lm }), stepSpecs(config, SHAPE))
  let outputs: Record<string, HostTensor> = {}
  for (let step = 1; step <= steps; step++) {
    outputs = await program.run({
      ...state,
      ...busyBatch(config, SHAPE, rng),
      lr: scalar(0.01),
      correct1: scalar(1 / (1 - ADAMW.beta1 ** step)),
      correct2: scalar(1 / (1 - ADAMW.beta2 ** step)),
    })
    state = Object.fromEntries(Object.keys(state).map(name => [name, outputs[name]!]))
  }
  return outputs
}

for (const lm of [true, false]) {
  test(`two training steps end in the same state as eager, ${lm ? 'with' : 'without'} the language model`, async () => {
    const config = tinyConfig(2)
    const got = await train(traced, config, 2, lm)
    const want = await train(eager, config, 2, lm)
    assert.deepEqual(Object.keys(got).sort(), Object.keys(want).sort())
    for (const [name, tensor] of Object.entries(want)) {
      const first = name.split(':')[0]!
      // Moments follow the gradients. A weight moves by lr * m / sqrt(v): where a gradient is as small as its rounding
      // error, the division blows the error up to the size of a step, so weights are held to a tenth of one step.
      if (first !== 'w') assertClose(got[name]!, tensor, name, 1e-3, 0.1)
      else
        tensor.data.forEach((x, i) => {
          assert.ok(
            Math.abs(got[name]!.data[i]! - x) < 1e-3,
            `${name}[${i}]: got ${got[name]!.data[i]}, want ${x}`,
          )
        })
    }
  })
}

test('a training step follows AdamW with clipping, computed by hand from its own gradients', async () => {
  const config = tinyConfig(2)
  const rng = createRng('by hand')
  const weights = busyWeights(config, rng)
  const batch = busyBatch(config, SHAPE, rng)
  const specs = { ...batchSpecs(config, SHAPE), ...floatSpecs(config) }
  const program = await eager.compile(lossAndGradients(config), specs)
  const gradients = await program.run({ ...batch, ...weightFeeds(config, weights) })
  const names = Object.keys(weightShapes(config))
  const norm = Math.hypot(...names.map(name => Math.hypot(...gradients[`d ${name}`]!.data)))
  const optimizer = { ...ADAMW, clipNorm: norm / 3 }
  const scalar = (x: number): HostTensor => ({ data: Float32Array.of(x), shape: [] })
  const moments = (value: number) =>
    Object.fromEntries(names.map(name => [name, new Float32Array(weights[name]!.length).fill(value)]))
  const step = await traced.compile(trainStep(config, optimizer, { lm: true }), stepSpecs(config, SHAPE))
  const [lr, correct1, correct2] = [0.02, 1.5, 2.5]
  const out = await step.run({
    ...batch,
    ...weightFeeds(config, weights, 'w:'),
    ...weightFeeds(config, moments(0.01), 'm:'),
    ...weightFeeds(config, moments(0.004), 'v:'),
    lr: scalar(lr),
    correct1: scalar(correct1),
    correct2: scalar(correct2),
  })
  assertClose(out['grad_norm']!, scalar(norm), 'grad_norm')
  for (const [name, shape] of Object.entries(weightShapes(config))) {
    const decay = shape.length === 2 && shape[1]! > 1 ? optimizer.weightDecay : 0
    const want = weights[name]!.map((w, i) => {
      const g = gradients[`d ${name}`]!.data[i]! / 3
      const m = 0.9 * 0.01 + 0.1 * g
      const v = 0.98 * 0.004 + 0.02 * g * g
      return w - lr * ((m * correct1) / (Math.sqrt(v * correct2) + 1e-8) + decay * w)
    })
    assertClose(out[`w:${name}`]!, { data: want, shape }, `w:${name}`, 1e-4, 0.1)
  }
})
