// Milestones of a training run, and hand features hidden in it.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { FEATURE_INPUTS } from '../../../src/critic/features.ts'
import { tracedEngine } from '../../../src/train/engine/engine.ts'
import { featureGain, packBatches } from '../../../src/train/fit/batch.ts'
import { type FitOptions, fit } from '../../../src/train/fit/fit.ts'
import { createSampler } from '../../../src/train/fit/sampler.ts'
import { initWeights, type Weights } from '../../../src/train/model/config.ts'
import { createRng } from '../../../src/train/rng.ts'
import { TINY_MODEL } from '../../fakes/tiny-critic.ts'
import { toyUnits } from './toys.ts'

const sampler = () =>
  createSampler(
    [{ name: 'toys', share: 1, units: toyUnits(createRng('toys'), 60) }],
    { lengths: [64], tokens: 256, stepsPer1000: 40 },
    createRng('batches'),
  )

const train = (change: Partial<FitOptions>): Promise<Weights> =>
  fit({
    engine: tracedEngine({ threads: 1 }),
    config: TINY_MODEL,
    weights: initWeights(TINY_MODEL, createRng('weights')),
    draw: sampler(),
    shares: { lm: 0, step: 1, pair: 0 },
    weigh: () => 1,
    budget: { steps: 6 },
    learningRate: 0.01,
    now: () => 0,
    ...change,
  })

test('milestones come evenly, the last one with the weights that are returned', async () => {
  const seen: { done: number; weights: Weights }[] = []
  const trained = await train({
    milestones: 3,
    onMilestone: async (weights, done) => void seen.push({ done, weights }),
  })
  assert.deepEqual(
    seen.map(({ done }) => done),
    [2 / 6, 4 / 6, 1],
  )
  assert.deepEqual(seen[2]!.weights, trained)
  assert.notDeepEqual(seen[0]!.weights, seen[1]!.weights) // copies: later steps do not change them
})

test('the time of a milestone does not count against the budget', async () => {
  let clock = 0
  let steps = 0
  await train({
    budget: { ms: 10 },
    now: () => clock,
    onStep: () => {
      steps++
      clock++
    },
    milestones: 2,
    onMilestone: async () => {
      clock += 1000
    },
  })
  assert.equal(steps, 10)
})

test('hidden features repeat with their seed, change the training, and keep their mean', async () => {
  const hidden = { featureDropout: { rate: 0.5, seed: 1 } }
  const [first, again, other] = [await train(hidden), await train(hidden), await train({})]
  assert.deepEqual(first, again)
  assert.notDeepEqual(first, other)

  const drawn = Array.from({ length: 200 }, sampler())
  const shares = { lm: 0, step: 1, pair: 0 }
  const sum = (gain?: () => number): number =>
    packBatches(drawn, shares, () => 1, gain).reduce(
      (total, { features }) => total + (features!.data as Float32Array).reduce((s, x) => s + x, 0),
      0,
    )
  assert.ok(FEATURE_INPUTS > 100)
  assert.ok(Math.abs(sum(featureGain(0.5, createRng('gain'))) / sum() - 1) < 0.03)
})
