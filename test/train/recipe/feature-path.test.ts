// The feature path learns by itself, from labels alone, and nothing else moves.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { tracedEngine } from '../../../src/train/engine/engine.ts'
import { initWeights, type Weights } from '../../../src/train/model/config.ts'
import { fitFeaturePath, isFeaturePath } from '../../../src/train/recipe/feature-path.ts'
import { createRng } from '../../../src/train/rng.ts'
import { TINY_MODEL } from '../../fakes/tiny-critic.ts'
import { toyPools } from '../fit/run.ts'

test('the feature path alone learns what features show; the same seed, the same weights; the rest stays', async () => {
  const weights = initWeights(TINY_MODEL, createRng('start'))
  const run = async (seed: number): Promise<{ after: Weights; losses: number[] }> => {
    const losses: number[] = []
    const after = await fitFeaturePath({
      engine: tracedEngine({ threads: 1 }),
      config: TINY_MODEL,
      weights,
      pools: toyPools('toys'),
      budget: { steps: 60 },
      learningRate: 0.02,
      now: () => 0,
      onStep: ({ lossStep, lossPair }) => {
        // A batch is of one pool: of labelled steps or of pairs.
        if (lossPair === 0) losses.push(lossStep)
      },
      seed,
      rng: createRng(seed),
    })
    return { after, losses }
  }
  const { after, losses } = await run(1)
  const mean = (some: number[]) => some.reduce((sum, loss) => sum + loss, 0) / some.length
  assert.ok(mean(losses.slice(-8)) < 0.6 * mean(losses.slice(0, 3)), `loss ${losses}`)
  for (const name of Object.keys(weights)) {
    const moved = isFeaturePath(name) || name === 'head.out_bias'
    assert.equal(
      after[name]!.some((x, i) => x !== weights[name]![i]),
      moved,
      name,
    )
  }
  assert.deepEqual((await run(1)).after, after)
  assert.notDeepEqual((await run(2)).after, after)
})
