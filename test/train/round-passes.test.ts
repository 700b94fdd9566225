// How long a round learns: as often as its lessons may be seen, and no longer, however much time it has.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type BucketOptions, bucketShape } from '../../src/train/fit/sampler.ts'
import { initWeights } from '../../src/train/model/config.ts'
import { BUCKETS } from '../../src/train/recipe/base.ts'
import { STEP_BUCKETS } from '../../src/train/recipe/feature-path.ts'
import { createRng } from '../../src/train/rng.ts'
import { learn } from '../../src/train/round/learn.ts'
import { prepareLessons } from '../../src/train/round/lessons.ts'
import { readOutcomes } from '../../src/train/round/outcomes.ts'
import { TINY_MODEL, tinyTokenizer } from '../fakes/tiny-critic.ts'
import { aCandidate, logged } from './round-world.ts'

const HOUR_MS = 3_600_000
/** Rows of a batch of the shortest length, which the solutions below all have. */
const rowsOf = (options: BucketOptions) => bucketShape(options.lengths[0]!, options).rows
const rows = rowsOf(BUCKETS)
const featureRows = rowsOf(STEP_BUCKETS)

/** Steps that each path took on so many labelled solutions, on a clock that moves by so much whenever it is read. */
async function stepsOn(solutions: number, tickMs: number) {
  const traffic = Array.from({ length: solutions }, (_, i) =>
    logged(`${i}`, `Sum ${i}?`, [aCandidate(`${i}`, `It is ${i}.`)], [{ at: 1, step_labels: [i % 2 === 0] }]),
  )
  const lessons = prepareLessons(
    tinyTokenizer,
    512,
    { train: readOutcomes(traffic), replay: [] },
    [],
    createRng(1),
  )
  let ms = 0
  const taken: number[] = []
  await learn({ config: TINY_MODEL, weights: initWeights(TINY_MODEL, createRng(1)) }, lessons, {
    threads: 1,
    budgetMs: HOUR_MS,
    rng: createRng(2),
    now: () => {
      ms += tickMs
      return ms
    },
    onStep: (_, { steps }) => taken.push(steps as number),
  })
  const features = taken.lastIndexOf(1) // each path counts from 1
  return { features, text: taken.length - features, ms }
}

test('the feature path ends after three passes and the text path after one, long before the time is used', async () => {
  const { features, text, ms } = await stepsOn(2 * rows, 1)
  assert.equal(text, 2)
  assert.equal(features, 3 * Math.ceil((2 * rows) / featureRows))
  assert.ok(ms < HOUR_MS / 100)
  const more = await stepsOn(6 * rows, 1)
  assert.equal(more.text, 6)
  assert.equal(more.features, 3 * Math.ceil((6 * rows) / featureRows))
})

test('where the time is short both paths end before their passes', async () => {
  const { features, text } = await stepsOn(6 * rows, HOUR_MS / 10)
  assert.ok(features >= 1 && features < 3 * Math.ceil((6 * rows) / featureRows))
  assert.ok(text >= 1 && text < 6, `${text}`)
})
