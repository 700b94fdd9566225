// What every engine promises alike: state that stays inside it, the same training steps, rows of a batch that know nothing of each other.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as tf from '@tensorflow/tfjs'
import { openEngine } from '../../../src/train/engine/devices.ts'
import { eagerBackend, eagerEngine } from '../../../src/train/engine/eager.ts'
import { tracedEngine } from '../../../src/train/engine/engine.ts'
import { estimateMemory } from '../../../src/train/engine/memory.ts'
import type { Engine, HostTensor } from '../../../src/train/engine/port.ts'
import { stepLogits } from '../../../src/train/model/head.ts'
import { trunk } from '../../../src/train/model/trunk.ts'
import { createRng } from '../../../src/train/rng.ts'
import { ADAMW, stepSpecs, trainStep } from '../../../src/train/train-step.ts'
import { assertClose } from './close.ts'
import { busyBatch, busyWeights, float32, int32, tinyConfig, weightFeeds } from './tiny-model.ts'

const ENGINES: Readonly<Record<string, Engine>> = {
  traced: tracedEngine({ threads: 1 }),
  'eager cpu': eagerEngine('cpu'),
  'eager wasm': eagerEngine('wasm'),
}
const scalar = (x: number): HostTensor => ({ data: Float32Array.of(x), shape: [] })
const float = (shape: number[]) => ({ shape, dtype: 'float32' as const })
const SHAPE = { rows: 2, length: 7, steps: 3, pairs: 2 }

for (const [name, engine] of Object.entries(ENGINES)) {
  test(`${name}: state that is kept goes from run to run and leaves what was given alone`, async () => {
    const given = { w: float32([2], i => i + 1), fixed: float32([2], () => 10) }
    const held = await engine.hold(given)
    const program = await engine.compile(
      ({ w, fixed, x }) => ({ w: tf.add(w!, tf.mul(fixed!, x!)), sum: tf.sum(w!) }),
      { w: float([2]), fixed: float([2]), x: float([]) },
      ['w'],
    )
    const first = await program.run({ x: scalar(1) }, held)
    assert.deepEqual(Object.keys(first), ['sum'])
    const second = await program.run({ x: scalar(2) }, held)
    assert.deepEqual([first['sum']!.data[0], second['sum']!.data[0]], [3, 23])
    const { w, fixed } = await held.read()
    assert.deepEqual([...w!.data], [31, 32])
    assert.deepEqual([...fixed!.data], [10, 10])
    assert.deepEqual([...given.w.data], [1, 2])
    await program.release()
    await held.release()
  })

  test(`${name}: the score of a step does not depend on the rows it shares a batch with`, async () => {
    const config = tinyConfig(2)
    const rng = createRng('alone')
    const weights = weightFeeds(config, busyWeights(config, rng))
    const specs = Object.fromEntries(
      Object.entries(weights).map(([key, { shape }]) => [key, float([...shape])]),
    )
    const length = 7
    const rows = Array.from({ length: 5 }, () => ({
      tokens: int32([1, length], () => rng.int(0, config.vocab - 1)),
      slots: int32([1, length], () => rng.int(0, config.slots - 1)),
      flags: int32([1, length], () => rng.int(0, config.flags - 1)),
      features: float32([1, config.features], () => rng.normal()),
      at: rng.int(2, length - 1),
    }))
    const logits = async (chosen: readonly (typeof rows)[number][]) => {
      const n = chosen.length
      const grid = { shape: [n, length], dtype: 'int32' as const }
      const stacked = (key: 'tokens' | 'slots' | 'flags') =>
        int32([n, length], i => chosen[Math.floor(i / length)]![key].data[i % length]!)
      const program = await engine.compile(
        x => {
          const positions = tf.tensor(
            Float32Array.from({ length: n * length }, (_, i) => i % length),
            [n, length],
          )
          const { tokens, slots, flags, step_index, features } = x as Record<string, tf.Tensor>
          const inputs = { tokens: tokens!, slots: slots!, flags: flags!, positions, keyPositions: positions }
          const { hidden } = trunk(config, x, inputs)
          return { logits: stepLogits(x, { hidden, stepIndex: step_index!, features: features! }) }
        },
        {
          ...specs,
          tokens: grid,
          slots: grid,
          flags: grid,
          step_index: { shape: [n], dtype: 'int32' },
          features: float([n, config.features]),
        },
      )
      const out = await program.run({
        ...weights,
        tokens: stacked('tokens'),
        slots: stacked('slots'),
        flags: stacked('flags'),
        step_index: int32([n], r => r * length + chosen[r]!.at),
        features: float32(
          [n, config.features],
          i => chosen[Math.floor(i / config.features)]!.features.data[i % config.features]!,
        ),
      })
      await program.release()
      return [...out['logits']!.data]
    }
    const [first, ...others] = rows as [(typeof rows)[number], ...typeof rows]
    const [alone] = await logits([first])
    for (const company of [others.slice(0, 1), others.slice(1, 3), others]) {
      const before = await logits([first, ...company])
      const after = await logits([...company, first])
      for (const got of [before[0]!, after.at(-1)!])
        assert.ok(Math.abs(got - alone!) < 1e-5 * Math.max(1, Math.abs(alone!)), `${got} for ${alone}`)
    }
  })
}

test('training steps on wasm, with its own gradient of gather, agree with the pure-JS backend', async () => {
  const config = tinyConfig(2)
  const run = async (engine: Engine) => {
    const rng = createRng('wasm steps')
    const weights = weightFeeds(config, busyWeights(config, rng), 'w:')
    const names = Object.keys(weights).map(name => name.slice(2))
    const moments = names.flatMap(name =>
      ['m', 'v'].map(k => [`${k}:${name}`, float32([...weights[`w:${name}`]!.shape], () => 0)] as const),
    )
    const state = { ...weights, ...Object.fromEntries(moments) }
    const held = await engine.hold(state)
    const step = trainStep(config, ADAMW, { lm: true })
    const program = await engine.compile(step, stepSpecs(config, SHAPE), Object.keys(state))
    const batch = {
      ...busyBatch(config, SHAPE, rng),
      lr: scalar(0.01),
      correct1: scalar(10),
      correct2: scalar(50),
    }
    const { loss } = await program.run(batch, held)
    return { loss: loss!, ...(await held.read()) }
  }
  const [got, want] = [await run(ENGINES['eager wasm']!), await run(ENGINES['eager cpu']!)]
  assert.deepEqual(Object.keys(got).sort(), Object.keys(want).sort())
  for (const [name, tensor] of Object.entries(want))
    if (!name.startsWith('w:')) assertClose(got[name as 'loss']!, tensor, name, 1e-3, 0.1)
})

test('the eager device is the fastest backend installed, and a device that is missing says so', async () => {
  assert.match(await eagerBackend(), /^(wasm|tensorflow)$/)
  assert.match((await openEngine('tfjs', 1)).name, /^tfjs-(wasm|tensorflow)$/)
  assert.equal((await openEngine('cpu', 1)).name, 'onnxruntime-cpu')
  const cuda = await openEngine('cuda', 1).then(
    engine => engine.name,
    error => (error as Error).message,
  )
  assert.match(cuda, /^onnxruntime-cuda$|^the device cuda cannot be used here: /)
})

test('memory is what is alive at once: a value dies with its last use, a reshaped one lives on in its alias', () => {
  const node = (opType: string, input: string[], output: string) => ({ opType, input, output: [output] })
  const nodes = [
    node('Neg', ['x'], 'a'),
    node('Reshape', ['a', 'shape'], 'b'),
    node('Neg', ['x'], 'c'),
    node('Add', ['b', 'c'], 'd'),
    node('Neg', ['d'], 'e'),
    node('Identity', ['e'], 'out'),
  ]
  const bytes = new Map(['a', 'b', 'c', 'd', 'e'].map(name => [name, 100]))
  assert.deepEqual(estimateMemory(nodes, bytes), { peak: 300, total: 400 })
})
