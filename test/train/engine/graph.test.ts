// Symbolic dimensions: one traced graph runs for every size; a size that cannot be found out fails while tracing.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as tf from '@tensorflow/tfjs'
import { eagerEngine } from '../../../src/train/engine/eager.ts'
import { type TensorFunction, trace } from '../../../src/train/engine/trace.ts'
import { assertClose } from './close.ts'
import { openRunner } from './run-model.ts'
import { float32 } from './tiny-model.ts'

const B = 1_000_003
const L = 1_000_033
const ramp = (shape: number[]) => float32(shape, i => i + 1)
const spec = (shape: number[]) => ({ shape, dtype: 'float32' as const })

/** Code over x [b, l, 4] and y [l, b]; traced once with b and l symbolic, run eagerly with numbers. */
type Case = (x: tf.Tensor, y: tf.Tensor, b: number, l: number) => tf.Tensor
const CASES: Readonly<Record<string, Case>> = {
  'two symbols folded into one axis': (x, _, b, l) => tf.reshape(x, [b * l, 4]),
  'folded and unfolded again': (x, _, b, l) =>
    tf.reshape(tf.mul(tf.reshape(x, [b * l, 4]), 1.5), [b, l, 2, 2]),
  'a symbol times a number': (x, _, b, l) => tf.reshape(x, [b, l * 4]),
  'a multiple unfolded': (x, _, b, l) => tf.reshape(x, [b, l * 2, 2]),
  'everything in one axis': (x, _, b, l) => tf.reshape(x, [b * l * 4]),
  'a -1 that stands for two symbols': x => tf.reshape(x, [-1, 4]),
  'the same symbols in another order': (_, y, b, l) => tf.reshape(y, [b, l]),
  'a symbol moved into another axis': (x, _, b, l) => tf.reshape(x, [4, l, b]),
  'a transposition': x => tf.transpose(x, [2, 1, 0]),
  'broadcasting with a constant': x => tf.add(x, tf.tensor([1, 2, 3, 4])),
  'a constant filled to symbolic sizes': (_, y, b, l) => tf.concat([tf.fill([l, 2 * b], 3), y], 1),
  'ones that must be expanded': (x, _, b, l) =>
    tf.matMul(tf.fill([l * b, 2], 0.5), tf.reshape(x, [2, b * l * 2])),
  'an axis of one repeated': (x, _, b, l) => tf.tile(tf.reshape(x, [b, 1, l * 4]), [1, 3, 1]),
  'a slice that leaves symbols whole': (x, _, b, l) => tf.slice(x, [0, 0, 1], [b, l, 2]),
  'a split of a fixed axis': x => tf.mul(...(tf.split(x, 2, 2) as [tf.Tensor, tf.Tensor])),
  'a mean over a symbolic axis': x => tf.mean(x, 1),
}

for (const [name, fn] of Object.entries(CASES)) {
  test(`symbolic shapes: ${name}`, async () => {
    const at =
      (b: number, l: number): TensorFunction =>
      ({ x, y }) => ({ out: fn(x!, y!, b, l), both: tf.add(tf.sum(x!), tf.sum(y!)) })
    const inputs = { x: spec([B, L, 4]), y: spec([L, B]) }
    const run = await openRunner(await trace(at(B, L), { inputs, symbols: { batch: B, length: L } }))
    for (const [b, l] of [
      [1, 1],
      [2, 3],
      [5, 2],
    ] as const) {
      const feeds = { x: ramp([b, l, 4]), y: ramp([l, b]) }
      const eager = await eagerEngine().compile(at(b, l), { x: spec([b, l, 4]), y: spec([l, b]) })
      assertClose((await run(feeds))['out']!, (await eager.run(feeds))['out']!, `batch ${b}, length ${l}`)
    }
  })
}

test('a symbol that is the sum of two others takes its size from theirs', async () => {
  const model = await trace(
    ({ x, z }) => ({ out: tf.fill([L + B, 2], 7), used: tf.add(tf.sum(x!), tf.sum(z!)) }),
    { inputs: { x: spec([B]), z: spec([L]) }, symbols: { batch: B, length: L, both: B + L } },
  )
  const run = await openRunner(model)
  const { out } = await run({ x: ramp([2]), z: ramp([3]) })
  assert.deepEqual([...out!.shape], [5, 2])
  assert.deepEqual([...out!.data], new Array(10).fill(7))
})

test('a symbol that no input carries fails by name while tracing', async () => {
  const ghost = 1_000_039
  await assert.rejects(
    trace(({ x }) => ({ out: tf.add(tf.fill([ghost], 1), tf.sum(x!)) }), {
      inputs: { x: spec([B]) },
      symbols: { batch: B, ghost },
    }),
    /symbolic dimension "ghost" occurs in no graph input/,
  )
})

test('traces and eager runs at the same time do not disturb each other', async () => {
  const double: TensorFunction = ({ x }) => ({ out: tf.mul(x!, 2) })
  const eager = await eagerEngine().compile(double, { x: spec([3]) })
  const want = { data: Float32Array.of(2, 4, 6), shape: [3] }
  const tasks = Array.from({ length: 6 }, async (_, i) => {
    if (i % 2 === 0) return (await eager.run({ x: ramp([3]) }))['out']!
    const run = await openRunner(await trace(double, { inputs: { x: spec([3]) } }))
    return (await run({ x: ramp([3]) }))['out']!
  })
  for (const got of await Promise.all(tasks)) assertClose(got, want, 'doubled')
})
