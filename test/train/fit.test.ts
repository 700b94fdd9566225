// The training loop learns, repeats itself exactly, stops when told, and its batches tell nothing but their texts.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { FEATURE_INPUTS, writeFeatureInputs } from '../../src/critic/features.ts'
import { exampleUnit, type Unit } from '../../src/train/data/units.ts'
import { tracedEngine } from '../../src/train/engine/engine.ts'
import type { HostTensor } from '../../src/train/engine/port.ts'
import { auc } from '../../src/train/eval/metrics.ts'
import { packBatch } from '../../src/train/fit/batch.ts'
import { scheduledRate } from '../../src/train/fit/fit.ts'
import {
  batchesOfPasses,
  bucketShape,
  createSampler,
  type Drawn,
  type Pool,
} from '../../src/train/fit/sampler.ts'
import { initWeights, isOutcomePath, weightShapes } from '../../src/train/model/config.ts'
import { batchLoss, batchSpecs } from '../../src/train/model/loss.ts'
import { createRng } from '../../src/train/rng.ts'
import { TINY_MODEL, tinyTokenizer } from '../fakes/tiny-critic.ts'
import { busyWeights, weightFeeds } from './engine/tiny-model.ts'
import { BUCKETS, SHARES, shortRun, toyPools } from './fit/run.ts'
import { toyExample, toyPairs, toyUnits } from './fit/toys.ts'

const engine = tracedEngine({ threads: 1 })

test('every loss falls clearly on a toy set', async () => {
  const { reports } = await shortRun({ budget: { steps: 150 } })
  const mean = (from: number, part: 'lossLm' | 'lossStep' | 'lossPair') => {
    const values = reports.slice(from, from + 30).map(r => r[part])
    return values.reduce((a, b) => a + b, 0) / values.length
  }
  assert.ok(mean(120, 'lossLm') < 0.6 * mean(0, 'lossLm'))
  assert.ok(mean(120, 'lossStep') < 0.6 * mean(0, 'lossStep'))
  assert.ok(mean(120, 'lossPair') < 0.6 * mean(0, 'lossPair'))
})

test('the same seed gives the same weights, another seed others', async () => {
  const first = await shortRun({})
  const second = await shortRun({})
  assert.deepEqual(second.weights, first.weights)
  assert.deepEqual(second.reports, first.reports)
  const other = await shortRun({ seed: 'another' })
  assert.notDeepEqual(other.weights, first.weights)
  assert.deepEqual(Object.keys(first.weights), Object.keys(weightShapes(TINY_MODEL)))
})

test('training changes every weight but those of the outcome path, and leaves the start alone', async () => {
  const start = initWeights(TINY_MODEL, createRng('start'))
  const copy = structuredClone(start)
  const { weights } = await shortRun({ weights: start })
  assert.deepEqual(start, copy)
  for (const [name, values] of Object.entries(weights))
    if (!isOutcomePath(name)) assert.notDeepEqual(values, start[name], name) // that one says nothing where no step closes
})

test('an abort stops training before the next step', async () => {
  const stop = new AbortController()
  let steps = 0
  const training = shortRun({
    signal: stop.signal,
    onStep: () => {
      if (++steps === 3) stop.abort(new Error('enough'))
    },
  })
  await assert.rejects(training, /enough/)
  assert.equal(steps, 3)
  await assert.rejects(shortRun({ signal: AbortSignal.abort(new Error('never began')) }), /never began/)
})

test('a loss that is no number ends training with an explanation', async () => {
  const weights = initWeights(TINY_MODEL, createRng('nan'))
  weights['final_norm']!.fill(Number.NaN)
  await assert.rejects(shortRun({ weights }), /the loss became NaN at step 0; lower the learning rate/)
})

test('the budget is steps, or time on the given clock, whichever ends first', async () => {
  const { reports } = await shortRun({ budget: { steps: 4 } })
  assert.deepEqual(
    reports.map(r => [r.step, r.done]),
    [
      [0, 0],
      [1, 0.25],
      [2, 0.5],
      [3, 0.75],
    ],
  )
  let clock = 0
  const timed = await shortRun({
    budget: { ms: 1000, steps: 100 },
    now: () => clock,
    onStep: () => (clock += 300),
  })
  assert.equal(timed.reports.length, 0)
  assert.equal(clock, 1200)
})

test('the rate warms up, then falls to a tenth', () => {
  for (const { done, want } of [
    { done: 0.05, want: 1 },
    { done: 0.525, want: 0.55 },
    { done: 1, want: 0.1 },
    { done: 1.2, want: 0.1 },
  ])
    assert.ok(Math.abs(scheduledRate(1, done, 0.05) - want) < 1e-9)
  assert.ok(scheduledRate(1, 0, 0.05) > 0 && scheduledRate(1, 0, 0.05) < 0.05)
  assert.ok(scheduledRate(1, 0.02, 0.05) < scheduledRate(1, 0.03, 0.05))
})

/**
 * For each labelled step of a batch: its label and all of its place. `behind` counts the tokens after it; the `<eos>` of
 * an imitated text, which no step sees, is one of them like any padding.
 */
function placesOf({ shape, units }: Drawn) {
  const batch = packBatch(units, shape, SHARES, () => 1)
  const used = batch['step_weights']!.data
  return units.flatMap((unit, u) =>
    unit.rows.map(({ row, labels }) => ({
      label: labels[0]!,
      place: {
        row: u,
        length: shape.length,
        behind: shape.length - row.steps.at(-1)!.at,
        rows: units.length,
        used: used.findLastIndex(w => w > 0),
      },
    })),
  )
}

test('where a step sits in its batch does not tell its label', () => {
  // Labels are independent of the texts here; right ones are imitated, as in the recipes, wrong ones are not.
  const rng = createRng('places')
  const units = Array.from({ length: 3000 }, () => {
    const label = rng.int(0, 1)
    const text = 'clips '.repeat(rng.int(0, 12))
    const example = toyExample(rng, true, {
      labels: [label],
      imitate: label === 1,
      problem: `Tom has ${text}.`,
    })
    return exampleUnit(tinyTokenizer, example, 64)!
  })
  const draw = createSampler([{ name: 'all', share: 1, units }], BUCKETS, rng.fork('batches'))
  const places = Array.from({ length: 250 }, () => placesOf(draw())).flat()
  assert.ok(places.length > 1500)
  for (const name of ['row', 'length', 'behind', 'rows', 'used'] as const) {
    const judged = places.map(({ label, place }) => ({ score: place[name], right: label === 1 }))
    assert.ok(Math.abs(auc(judged) - 0.5) < 0.05, `${name}: ${auc(judged)}`)
  }
})

/** The three losses of a batch under fixed random weights. */
async function lossesOf(drawn: Drawn, batch: Record<string, HostTensor>): Promise<number[]> {
  const weights = weightFeeds(TINY_MODEL, busyWeights(TINY_MODEL, createRng('fixed')))
  const specs = {
    ...batchSpecs(TINY_MODEL, drawn.shape),
    ...Object.fromEntries(
      Object.entries(weights).map(([name, { shape }]) => [name, { shape, dtype: 'float32' as const }]),
    ),
  }
  const program = await engine.compile(x => {
    const { lm, step, pair } = batchLoss(TINY_MODEL, x, x, { lm: true })
    return { lm, step, pair }
  }, specs)
  const out = await program.run({ ...batch, ...weights })
  return ['lm', 'step', 'pair'].map(name => out[name]!.data[0]!)
}

test('the better solution of a pair gains nothing from coming first', async () => {
  // A pair's rows are always packed better first; the model reads rows one by one, so turning them round changes no loss.
  const drawn = createSampler([toyPools('turned')[1]!], BUCKETS, createRng('turned'))()
  const batch = packBatch(drawn.units, drawn.shape, SHARES, () => 1)
  const { rows, length } = drawn.shape
  const grid = ['tokens', 'slots', 'flags', 'lm_targets', 'lm_weights'] as const
  const turned = { ...batch }
  for (const name of grid) {
    const { data, shape } = batch[name]!
    const copy = data.slice()
    for (let r = 0; r < rows; r++) copy.set(data.subarray(r * length, (r + 1) * length), (r ^ 1) * length)
    turned[name] = { data: copy, shape }
  }
  const places = batch['step_index']!
  const mirrored = Int32Array.from(places.data, at => (Math.floor(at / length) ^ 1) * length + (at % length))
  turned['step_index'] = { data: mirrored, shape: places.shape }
  const want = await lossesOf(drawn, batch)
  const got = await lossesOf(drawn, turned)
  want.forEach((loss, i) => {
    assert.ok(loss > 0.01 && Math.abs(got[i]! - loss) < 1e-4, `${got} for ${want}`)
  })
})

test('a batch holds the units’ tokens, places, labels and comparisons', () => {
  const shape = { rows: 4, length: 64, steps: 5, pairs: 2 }
  const rng = createRng('pack')
  const [single] = toyUnits(rng, 1)
  const [pair] = toyPairs(rng, 1)
  const weigh = (_: unknown, label: number) => (label === 1 ? 2 : 4)
  const batch = packBatch([single!, pair!], shape, { lm: 3, step: 1, pair: 0.5 }, weigh)
  const rows = [...single!.rows, ...pair!.rows]
  rows.forEach(({ row, features }, r) => {
    const { data } = batch['tokens']!
    assert.deepEqual([...data.subarray(r * 64, r * 64 + row.tokens.length)], row.tokens)
    assert.ok(data.subarray(r * 64 + row.tokens.length, (r + 1) * 64).every(t => t === 0))
    assert.equal(batch['step_index']!.data[r], r * 64 + row.steps[0]!.at)
    const inputs = new Float32Array(FEATURE_INPUTS)
    writeFeatureInputs(features[0]!, inputs, 0)
    assert.deepEqual(batch['features']!.data.slice(r * FEATURE_INPUTS, (r + 1) * FEATURE_INPUTS), inputs)
  })
  const label = single!.rows[0]!.labels[0]!
  assert.deepEqual([...batch['step_labels']!.data], [label, 1, 0, 0, 0])
  const f = Math.fround
  assert.deepEqual([...batch['step_weights']!.data].map(f), [weigh(0, label) / 3, 2 / 3, 4 / 3, 0, 0].map(f))
  assert.deepEqual([...batch['pair_matrix']!.data], [0, 1, -1, 0, 0, 0, 0, 0, 0, 0])
  assert.deepEqual([...batch['pair_weights']!.data], [0.5, 0])
  const lm = batch['lm_weights']!.data
  assert.ok(Math.abs((lm as Float32Array).reduce((a, b) => a + b, 0) - 3) < 1e-5)
  const imitated = rows.findIndex(row => row.imitate === 1)
  const { tokens } = rows[imitated]!.row
  assert.deepEqual(
    [...batch['lm_targets']!.data.subarray(imitated * 64, imitated * 64 + tokens.length - 1)],
    tokens.slice(1),
  )
  rows.forEach((row, r) => {
    const weight = lm.subarray(r * 64, (r + 1) * 64)
    assert.ok(weight.every((w, t) => w > 0 === (row.imitate === 1 && t < row.row.tokens.length - 1)))
  })
})

test('a batch given more rows or steps than it has places is refused, not cut', () => {
  const pairs = toyPairs(createRng('over'), 3)
  const pack = (rows: number, steps: number) =>
    packBatch(pairs, { rows, length: 64, steps, pairs: 3 }, SHARES, () => 1)
  assert.throws(() => pack(6, 5), /a batch of 6 rows and 5 step places was given more/)
  assert.throws(() => pack(5, 6), /a batch of 5 rows and 6 step places was given more/)
  assert.equal(pack(6, 6)['step_weights']!.data.filter(w => w > 0).length, 6)
})

test('no batch is dealt more steps than it has places, and a unit that does not fit opens the next one', () => {
  const rng = createRng('steps')
  const units = Array.from({ length: 60 }, (_, i) => {
    const steps = Array.from({ length: 1 + (i % 3) }, () => 'Tom has 5 clips.')
    const example = toyExample(rng, true, { steps, labels: steps.map(() => 1 as const) })
    return exampleUnit(tinyTokenizer, example, 120)!
  })
  const crowded = exampleUnit(
    tinyTokenizer,
    toyExample(rng, true, { steps: new Array(9).fill('Yes.'), labels: new Array(9).fill(1) }),
    120,
  )!
  const options = { lengths: [120], tokens: 1200, stepsPer1000: 6.5 } // 10 rows, 8 step places
  const draw = createSampler(
    [{ name: 'all', share: 1, units: [...units, crowded] }],
    options,
    rng.fork('draw'),
  )
  const seen: Unit[] = []
  while (seen.length < 60) {
    const { shape, units: dealt } = draw()
    const steps = dealt.flatMap(unit => unit.rows).reduce((sum, { row }) => sum + row.steps.length, 0)
    packBatch(dealt, shape, SHARES, () => 1)
    seen.push(...dealt)
    const isFull = steps >= shape.steps - 2 || seen.length === 60 // the last has what is left
    assert.ok(steps <= shape.steps && isFull, `${steps} of ${shape.steps}`)
  }
  assert.deepEqual(new Set(seen.slice(0, 60)), new Set(units))
})

test('the sampler deals every unit once before any twice, keeps pairs together and repeats by seed', () => {
  const units = toyPairs(createRng('deal'), 40)
  const make = () =>
    createSampler([{ name: 'pairs', share: 1, units }], { ...BUCKETS, lengths: [64] }, createRng('s'))
  const draw = make()
  const again = make()
  const seen: Unit[] = []
  for (let i = 0; i < 10; i++) {
    const { shape, units: dealt } = draw()
    assert.deepEqual(again().units, dealt)
    assert.equal(dealt.length * 2, shape.rows)
    seen.push(...dealt)
  }
  assert.equal(new Set(seen).size, 40)
  assert.equal(seen.length, 40)
})

test('no unit is twice in a batch, however few there are', () => {
  const [alone, pairs] = toyPools('tiny') as [Pool, Pool]
  const draw = createSampler(
    [
      { ...alone, units: alone.units.slice(0, 1) },
      { ...pairs, units: pairs.units.slice(0, 7) }, // a batch and a part of one
    ],
    BUCKETS,
    createRng('tiny'),
  )
  for (const { units } of Array.from({ length: 60 }, draw)) {
    assert.ok(units.length > 0)
    assert.equal(new Set(units).size, units.length)
  }
})

test('pools are drawn by their shares; a unit longer than every bucket is left out', () => {
  const [alone, pairs] = toyPools('shares') as [Pool, Pool]
  const long = { ...alone.units[0]!, length: 65 }
  const sampler = createSampler(
    [
      { ...alone, share: 0.8, units: [...alone.units, long] },
      { ...pairs, share: 0.2 },
      { name: 'none', share: 5, units: [] },
    ],
    BUCKETS,
    createRng('shares'),
  )
  const draws = Array.from({ length: 400 }, sampler)
  const share = draws.filter(d => d.units[0]!.rows.length === 1).length / 400
  assert.ok(Math.abs(share - 0.8) < 0.06, `${share}`)
  assert.ok(draws.every(d => !d.units.includes(long)))
  assert.throws(
    () => createSampler([{ name: 'none', share: 1, units: [long] }], BUCKETS, createRng(1)),
    /nothing to train on/,
  )
})

test('a pass is as many batches as the pool that comes round first takes', () => {
  const [alone, pairs] = toyPools('passes') as [Pool, Pool]
  const pools = [
    { ...alone, share: 0.9 },
    { ...pairs, share: 0.1 },
  ]
  const steps = batchesOfPasses(pools, BUCKETS, 2)
  const draw = createSampler(pools, BUCKETS, createRng('passes'))
  const dealt = Array.from({ length: steps }, draw).flatMap(({ units }) => units)
  const timesOf = (units: readonly Unit[]) => dealt.filter(unit => units.includes(unit)).length / units.length
  assert.ok(Math.abs(timesOf(alone.units) - 2) < 0.4, `${timesOf(alone.units)}`)
  assert.ok(timesOf(pairs.units) < 2)
  assert.equal(batchesOfPasses([{ name: 'none', share: 1, units: [] }], BUCKETS, 2), 0)
})

test('passes over a tiny pool deal the units of every row length as often', () => {
  const rng = createRng('unlike')
  const short = toyUnits(rng, 1).map(unit => ({ ...unit, length: 40 }))
  const long = toyUnits(rng, 25).map(unit => ({ ...unit, length: 60 }))
  const pools = [{ name: 'tiny', share: 1, units: [...short, ...long] }]
  const steps = batchesOfPasses(pools, BUCKETS, 100)
  assert.equal(steps, 100 * (1 + Math.ceil(25 / bucketShape(64, BUCKETS).rows)))
  const draw = createSampler(pools, BUCKETS, createRng('tiny passes'))
  const dealt = Array.from({ length: steps }, draw).flatMap(({ units }) => units)
  for (const units of [short, long]) {
    const times = dealt.filter(unit => units.includes(unit)).length / units.length
    assert.ok(Math.abs(times - 100) < 25, `${times}`)
  }
})

test('a bucket has an even number of rows and places for its steps', () => {
  assert.deepEqual(bucketShape(96, { lengths: [96], tokens: 3072, stepsPer1000: 40 }), {
    rows: 32,
    length: 96,
    steps: 123,
    pairs: 16,
  })
  assert.equal(bucketShape(2000, { lengths: [2000], tokens: 512, stepsPer1000: 40 }).rows, 2)
})
