// Training beside a frozen base: it starts as the base, leaves the base alone, learns, and merges into plain weights.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { eagerEngine } from '../../src/train/engine/eager.ts'
import { tracedEngine } from '../../src/train/engine/engine.ts'
import type { HostTensor } from '../../src/train/engine/port.ts'
import type { TensorFunction } from '../../src/train/engine/trace.ts'
import { exportCritic } from '../../src/train/export.ts'
import { packBatch } from '../../src/train/fit/batch.ts'
import { type FitProgress, fit } from '../../src/train/fit/fit.ts'
import { createSampler } from '../../src/train/fit/sampler.ts'
import { type ModelConfig, type Weights, weightShapes } from '../../src/train/model/config.ts'
import { stepLogits } from '../../src/train/model/head.ts'
import { initLora, LORA_TARGETS, type LoraOptions, lora, mergeLora } from '../../src/train/model/lora.ts'
import { trunk, type WeightTensors } from '../../src/train/model/trunk.ts'
import { createRng } from '../../src/train/rng.ts'
import { ADAMW, stepSpecs, trainStep } from '../../src/train/train-step.ts'
import { TINY_MODEL } from '../fakes/tiny-critic.ts'
import { assertClose } from './engine/close.ts'
import { openRunner } from './engine/run-model.ts'
import { busyBatch, busyWeights, float32, int32, tinyConfig, withoutPast } from './engine/tiny-model.ts'
import { toyPairs, toyUnits } from './fit/toys.ts'

const QV: LoraOptions = { rank: 4, alpha: 8, targets: ['q', 'v'] }
const ALL: LoraOptions = { rank: 2, alpha: 2, targets: LORA_TARGETS }
const HEAD: LoraOptions = { rank: 0, alpha: 1, targets: ['q', 'v'] }
const engine = tracedEngine({ threads: 1 })

const feedsOf = (
  config: ModelConfig,
  weights: Weights,
  options?: LoraOptions,
): Record<string, HostTensor> => {
  const shapes = { ...weightShapes(config), ...(options && lora(config, options).trained) }
  return Object.fromEntries(
    Object.entries(shapes).map(([name, shape]) => [name, { data: weights[name]!, shape }]),
  )
}

/** Step logits of the model, with the pairs of `options` in it when given. */
async function logitsOf(config: ModelConfig, weights: Weights, options?: LoraOptions): Promise<HostTensor> {
  const rng = createRng('inputs')
  const grid = [2, 12]
  const inputs = {
    tokens: int32(grid, () => rng.int(0, config.vocab - 1)),
    slots: int32(grid, () => rng.int(0, config.slots - 1)),
    flags: int32(grid, () => rng.int(0, config.flags - 1)),
    positions: float32(grid, i => i % 12),
    step_index: int32([5], () => rng.int(0, 23)),
    features: float32([5, config.features], () => rng.normal()),
  }
  if (!options) {
    const score = await openRunner(await exportCritic(config, weights))
    return (await score({ ...inputs, ...withoutPast(config, 2, 12) }))['logits']!
  }
  const adapt = lora(config, options).adapt
  const forward: TensorFunction = x => {
    const w: WeightTensors = adapt(x)
    const { tokens, slots, flags, positions } = x as Record<'tokens' | 'slots' | 'flags' | 'positions', never>
    const { hidden } = trunk(config, w, { tokens, slots, flags, positions, keyPositions: positions })
    return { logits: stepLogits(w, { hidden, stepIndex: x['step_index']!, features: x['features']! }) }
  }
  const feeds = { ...inputs, ...feedsOf(config, weights, options) }
  const specs = Object.fromEntries(
    Object.entries(feeds).map(([name, { data, shape }]) => [
      name,
      { shape, dtype: data instanceof Float32Array ? ('float32' as const) : ('int32' as const) },
    ]),
  )
  return (await (await engine.compile(forward, specs)).run(feeds))['logits']!
}

async function train(options: LoraOptions, steps: number) {
  const rng = createRng('lora')
  const base = busyWeights(TINY_MODEL, rng.fork('base'))
  const reports: FitProgress[] = []
  const pools = [
    { name: 'alone', share: 0.5, units: toyUnits(rng, 200) },
    { name: 'pairs', share: 0.5, units: toyPairs(rng, 100) },
  ]
  const trained = await fit({
    engine,
    config: TINY_MODEL,
    weights: { ...base, ...initLora(TINY_MODEL, options, rng.fork('pairs')) },
    adaptation: lora(TINY_MODEL, options),
    draw: createSampler(pools, { lengths: [48, 64], tokens: 512, stepsPer1000: 40 }, rng.fork('batches')),
    shares: { lm: 0, step: 1, pair: 0.5 },
    weigh: () => 1,
    budget: { steps },
    learningRate: 0.01,
    now: () => 0,
    onStep: p => reports.push(p),
  })
  return { base, trained, reports }
}

for (const [name, options] of [
  ['q and v', QV],
  ['every matrix', ALL],
  ['the head alone', HEAD],
] as const) {
  test(`untrained pairs change nothing: ${name}`, async () => {
    const config = tinyConfig(2)
    const base = busyWeights(config, createRng('base'))
    const weights = { ...base, ...initLora(config, options, createRng('pairs')) }
    assertClose(await logitsOf(config, weights, options), await logitsOf(config, base), 'logits')
    assert.deepEqual(mergeLora(config, options, weights), base)
  })

  test(`frozen weights stay to the bit, trained ones move, and the merged export is the adapted model: ${name}`, async () => {
    const { base, trained, reports } = await train(options, 8)
    const { trained: wanted } = lora(TINY_MODEL, options)
    assert.ok(reports.every(r => r.gradNorm > 0))
    for (const [weight, values] of Object.entries(base)) {
      if (weight in wanted) assert.notDeepEqual(trained[weight], values, weight)
      else assert.deepEqual(trained[weight], values, weight)
    }
    for (const weight of Object.keys(wanted))
      assert.ok(
        trained[weight]!.some(x => x !== 0),
        weight,
      )
    const merged = mergeLora(TINY_MODEL, options, trained)
    assert.deepEqual(Object.keys(merged), Object.keys(weightShapes(TINY_MODEL)))
    assertClose(await logitsOf(TINY_MODEL, merged), await logitsOf(TINY_MODEL, trained, options), 'merged')
  })
}

test('pairs beside a frozen base learn a toy set', async () => {
  const { reports } = await train(QV, 150)
  const mean = (from: number) => reports.slice(from, from + 30).reduce((sum, r) => sum + r.lossStep, 0) / 30
  assert.ok(mean(120) < 0.7 * mean(0), `${mean(0)} to ${mean(120)}`)
})

test('the compiled step takes and returns no moments of frozen weights, and agrees with eager', async () => {
  const config = tinyConfig(2)
  const shape = { rows: 2, length: 8, steps: 4, pairs: 1 }
  const adaptation = lora(config, QV)
  const specs = stepSpecs(config, shape, adaptation)
  assert.ok('w:layers.0.q' in specs && !('m:layers.0.q' in specs) && 'm:layers.0.q.lora_a' in specs)
  const rng = createRng('step')
  const weights = { ...busyWeights(config, rng), ...initLora(config, QV, rng) }
  const feeds: Record<string, HostTensor> = { ...busyBatch(config, shape, rng) }
  for (const [name, { shape: dims }] of Object.entries(specs)) {
    const own = weights[name.slice(2)]
    if (name.startsWith('w:')) feeds[name] = { data: own!, shape: dims }
    else if (/^[mv]:/.test(name)) feeds[name] = float32([...dims], () => 0.01)
  }
  for (const name of ['lr', 'correct1', 'correct2']) feeds[name] = float32([], () => 0.5)
  const step = trainStep(config, ADAMW, { lm: true }, adaptation)
  const traced = await (await engine.compile(step, specs)).run(feeds)
  const eager = await (await eagerEngine().compile(step, specs)).run(feeds)
  assert.ok(!('w:layers.0.q' in traced) && !('w:embed' in traced))
  assert.deepEqual(Object.keys(traced).sort(), Object.keys(eager).sort())
  for (const [name, value] of Object.entries(eager)) assertClose(traced[name]!, value, name, 1e-3)
})

test('only labels that count reach a head trained alone', async () => {
  const [unit] = toyUnits(createRng('one'), 1)
  const shape = { rows: 2, length: 64, steps: 4, pairs: 1 }
  const batch = packBatch([unit!], shape, { lm: 0, step: 1, pair: 0 }, () => 0)
  const adaptation = lora(TINY_MODEL, HEAD)
  const specs = stepSpecs(TINY_MODEL, shape, adaptation)
  const weights = busyWeights(TINY_MODEL, createRng('w'))
  const feeds: Record<string, HostTensor> = { ...batch }
  for (const [name, { shape: dims }] of Object.entries(specs)) {
    if (name.startsWith('w:')) feeds[name] = { data: weights[name.slice(2)]!, shape: dims }
    else if (!(name in feeds)) feeds[name] = float32([...dims], () => 0)
  }
  const out = await (
    await engine.compile(trainStep(TINY_MODEL, ADAMW, { lm: false }, adaptation), specs)
  ).run(feeds)
  assert.equal(out['grad_norm']!.data[0], 0)
})
