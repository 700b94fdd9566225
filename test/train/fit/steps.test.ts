// A step in parts is the step at once; dropout repeats by seed and drops what it says; memory has a limit.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as tf from '@tensorflow/tfjs'
import type { Unit } from '../../../src/train/data/units.ts'
import { eagerEngine } from '../../../src/train/engine/eager.ts'
import { tracedEngine } from '../../../src/train/engine/engine.ts'
import type { Engine, Prepared } from '../../../src/train/engine/port.ts'
import { createPrograms } from '../../../src/train/fit/programs.ts'
import type { Drawn } from '../../../src/train/fit/sampler.ts'
import { createStepper } from '../../../src/train/fit/stepper.ts'
import { initWeights, weightShapes } from '../../../src/train/model/config.ts'
import { dropout } from '../../../src/train/model/dropout.ts'
import { everyWeight } from '../../../src/train/model/lora.ts'
import { createRng } from '../../../src/train/rng.ts'
import { ADAMW } from '../../../src/train/train-step.ts'
import { TINY_MODEL } from '../../fakes/tiny-critic.ts'
import { BUCKETS, SHARES, shortRun } from './run.ts'
import { toyPairs, toyUnits } from './toys.ts'

const traced = tracedEngine({ threads: 1 })

/** State after one step on micro-batches. */
async function oneStep(drawn: readonly Drawn[], engine: Engine = traced, change = {}) {
  const stepper = await createStepper(
    {
      engine,
      config: TINY_MODEL,
      optimizer: ADAMW,
      adaptation: everyWeight(TINY_MODEL),
      shares: SHARES,
      weigh: (_, label) => 1 + label,
      accumulate: drawn.length,
      dropout: { rate: 0, seed: 1 },
      memoryBytes: Number.POSITIVE_INFINITY,
      ...change,
    },
    initWeights(TINY_MODEL, createRng('one step')),
  )
  const figures = await stepper.take(drawn, 0, 1e-3)
  const state = structuredClone(await stepper.state())
  await stepper.release()
  return { figures, state }
}

test('a step in micro-batches, of unlike shapes too, ends where the same step at once ends', async () => {
  const rng = createRng('accumulate')
  const units: Unit[] = [...toyUnits(rng, 6), ...toyPairs(rng, 5)]
  const shape = (rows: number, length: number) => ({ rows, length, steps: rows + 1, pairs: rows >> 1 })
  const whole = await oneStep([{ units, shape: shape(16, 64) }])
  const parts = await oneStep([
    { units: units.slice(0, 6), shape: shape(8, 64) },
    { units: units.slice(6, 7), shape: shape(2, 72) },
    { units: units.slice(7), shape: shape(10, 64) },
  ])
  for (const key of ['loss', 'lossLm', 'lossStep', 'lossPair', 'gradNorm'] as const)
    assert.ok(Math.abs(parts.figures[key] - whole.figures[key]) < 1e-5, `${key}: ${parts.figures[key]}`)
  for (const [name, { data }] of Object.entries(whole.state)) {
    data.forEach((want, i) => {
      const got = parts.state[name]!.data[i]!
      // Adam's first step is the rate times the gradient's sign: where the gradient is nothing but rounding, signs differ.
      const tiny = Math.abs(whole.state[`m:${name.slice(2)}`]!.data[i]!) < 1e-7
      if (!(tiny && name.startsWith('w:')))
        assert.ok(Math.abs(got - want) < 1e-5, `${name}[${i}]: ${got} for ${want}`)
    })
  }
})

test('accumulation trains through the loop, in as many steps and on more tokens', async () => {
  const { reports } = await shortRun({ accumulate: 3, budget: { steps: 30 } })
  assert.equal(reports.length, 30)
  assert.ok(reports[0]!.tokens >= 3 * 480)
  const mean = (from: number) => reports.slice(from, from + 8).reduce((sum, r) => sum + r.loss, 0) / 8
  assert.ok(mean(22) < 0.8 * mean(0), `${mean(22)} after ${mean(0)}`)
})

test('dropout drops its share, scales the rest, and gives the same mask on every engine', async () => {
  const [rows, columns, rate] = [300, 64, 0.3]
  const rng = createRng('mask')
  const vector = (size: number) => ({
    data: Float32Array.from({ length: 2 * size }, () => 64 + 64 * rng.uniform()),
    shape: [2, size],
  })
  const feeds = { drop_rows: vector(rows), drop_columns: vector(columns) }
  const spec = (shape: number[]) => ({ shape, dtype: 'float32' as const })
  const masks = await Promise.all(
    [traced, eagerEngine('cpu'), eagerEngine('wasm')].map(async engine => {
      const program = await engine.compile(
        x => {
          const drop = dropout(x, rate)
          return { a: drop(tf.ones([rows, columns]), 0), b: drop(tf.ones([rows, columns]), 1) }
        },
        { drop_rows: spec([2, rows]), drop_columns: spec([2, columns]) },
      )
      const { a, b } = await program.run(feeds)
      return [...a!.data, ...b!.data]
    }),
  )
  assert.deepEqual(masks[1], masks[0])
  assert.deepEqual(masks[2], masks[0])
  const mask = masks[0]!
  const kept = Math.fround(1 / (1 - rate))
  assert.ok(mask.every(x => x === 0 || x === kept))
  const share = (values: readonly number[]) => values.filter(x => x === 0).length / values.length
  assert.ok(Math.abs(share(mask) - rate) < 0.01, `${share(mask)}`)
  const [first, second] = [mask.slice(0, rows * columns), mask.slice(rows * columns)]
  // Neighbours and places are independent: both are dropped in rate² of all cases.
  for (const [name, other] of [
    ['place', second],
    ['row', [...first.slice(columns), ...first.slice(0, columns)]],
    ['column', [...first.slice(1), first[0]!]],
  ] as const) {
    const both = first.filter((x, i) => x === 0 && other[i] === 0).length / first.length
    assert.ok(Math.abs(both - rate * rate) < 0.015, `${name}: ${both}`)
  }
})

test('dropout repeats by seed and step, differs by seed, and without it nothing changes', async () => {
  const drop = (seed: number, rate = 0.2) => shortRun({ dropout: { rate, seed } })
  const [first, again, other] = [await drop(1), await drop(1), await drop(2)]
  assert.deepEqual(again, first)
  assert.notDeepEqual(other.reports[0], first.reports[0])
  assert.deepEqual(await drop(1, 0), await shortRun({}))
})

test('the eager engines take the step the traced one takes, dropout included', async () => {
  const drawn = [
    { units: toyUnits(createRng('eager'), 2), shape: { rows: 2, length: 64, steps: 2, pairs: 1 } },
  ]
  const change = { dropout: { rate: 0.2, seed: 3 } }
  const want = await oneStep(drawn, traced, change)
  for (const backend of ['cpu', 'wasm'] as const) {
    const got = await oneStep(drawn, eagerEngine(backend), change)
    assert.ok(Math.abs(got.figures.loss - want.figures.loss) < 1e-4, `${backend}: ${got.figures.loss}`)
    assert.ok(Math.abs(got.figures.gradNorm - want.figures.gradNorm) < 1e-3)
  }
})

test('a batch that does not fit the memory is refused before it is opened, by name and with advice', async () => {
  await assert.rejects(
    shortRun({ memoryBytes: 3e6 }),
    /a batch of (8|10) rows of (48|64) tokens needs about \d+ MB beside \d+ MB .* limit is 3 MB \(--memory-mb\): lower --batch-tokens/,
  )
})

test('programs are kept until memory runs out, the one used longest ago goes first', async () => {
  const events: string[] = []
  const prepare = (name: string, idleBytes: number) => async (): Promise<Prepared> => ({
    bytes: 40,
    idleBytes,
    open: async () => {
      events.push(`open ${name}`)
      return { run: async () => ({}), release: async () => void events.push(`release ${name}`) }
    },
  })
  const programs = createPrograms({ limitBytes: 130, fixedBytes: 10 })
  const use = (name: string, idle = 40) => programs.get(name, name, prepare(name, idle))
  for (const name of ['a', 'b', 'a', 'c', 'a', 'd', 'b']) await use(name)
  const want = ['open a', 'open b', 'open c', 'release b', 'open d', 'release c', 'open b']
  assert.deepEqual(events, want)
  await programs.release()
  const idle = createPrograms({ limitBytes: 60, fixedBytes: 10 })
  events.length = 0
  for (const name of ['a', 'b', 'c', 'a']) await idle.get(name, name, prepare(name, 0))
  assert.deepEqual(events, ['open a', 'open b', 'open c'])
})

test('the shapes of a stepper’s state are those of the weights', async () => {
  const { state } = await oneStep([
    {
      units: toyUnits(createRng('shapes'), 2),
      shape: { rows: 2, length: BUCKETS.lengths[1]!, steps: 2, pairs: 1 },
    },
  ])
  for (const [name, shape] of Object.entries(weightShapes(TINY_MODEL)))
    for (const kind of ['w', 'm', 'v']) assert.deepEqual([...state[`${kind}:${name}`]!.shape], [...shape])
})
