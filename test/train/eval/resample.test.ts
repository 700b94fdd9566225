// Intervals: the figures they resample, against values worked out by hand and against the plain figures.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { auc, type Judged, type Located, processBench } from '../../../src/train/eval/metrics.ts'
import {
  drawResamples,
  interval95,
  meanSampled,
  resample,
  weightedAuc,
  weightedF1,
  weightedMean,
} from '../../../src/train/eval/resample.ts'
import { createRng } from '../../../src/train/rng.ts'

const near = (got: number, want: number): void =>
  assert.ok(Math.abs(got - want) <= 1e-9, `got ${got}, want ${want}`)

test('a resample draws as many problems as there are, and the same ones for the same seed', () => {
  const draws = drawResamples(7, createRng(3), 50)
  assert.equal(draws.length, 50)
  for (const counts of draws)
    assert.equal(
      counts.reduce((a, b) => a + b, 0),
      7,
    )
  assert.deepEqual(draws, drawResamples(7, createRng(3), 50))
  assert.notDeepEqual(draws, drawResamples(7, createRng(4), 50))
  assert.equal(drawResamples(7, createRng(3)).length, 1000)
})

const MEANS: readonly { values: number[]; counts: number[]; want: number }[] = [
  { values: [1, 2, 6], counts: [1, 1, 1], want: 3 },
  { values: [1, 2, 6], counts: [3, 0, 0], want: 1 },
  { values: [1, 2, 6], counts: [0, 1, 2], want: 14 / 3 },
  { values: [1, Number.NaN, 6], counts: [1, 5, 1], want: 3.5 }, // a problem without a figure does not count
]
for (const { values, counts, want } of MEANS)
  test(`the mean of ${values} drawn ${counts} times is ${want}`, () =>
    near(weightedMean(values)(counts), want))

const A: Judged[] = [
  { score: 0.9, right: true },
  { score: 0.4, right: false },
]
const B: Judged[] = [{ score: 0.3, right: true }]
const C: Judged[] = [{ score: 0.4, right: true }]
const AREAS: readonly { groups: Judged[][]; counts: number[]; want: number }[] = [
  { groups: [A, B], counts: [1, 1], want: 0.5 },
  { groups: [A, B], counts: [2, 1], want: 2 / 3 }, // of 3 right × 2 wrong pairs, 2 × 2 are in order
  { groups: [A, B], counts: [2, 0], want: 1 },
  { groups: [A, B, C], counts: [1, 1, 2], want: (1 + 0 + 2 * 0.5) / 4 },
]
for (const { groups, counts, want } of AREAS)
  test(`the area under the curve of problems drawn ${counts} times is ${want}`, () =>
    near(weightedAuc(groups)(counts), want))

test('a draw without a wrong step has no area, and such draws are left out of the interval', () => {
  assert.ok(Number.isNaN(weightedAuc([A, B])([0, 2])))
  const { low, high } = interval95({ value: 0.5, samples: [Number.NaN, 0.4, 0.6] })
  assert.deepEqual([low, high], [0.4, 0.6])
  assert.ok(Number.isNaN(interval95({ value: 0.5, samples: [Number.NaN] }).low))
  assert.ok(Number.isNaN(interval95({ value: Number.NaN, samples: [0.5] }).high))
})

test('a score that is no number ends nothing', () => {
  const groups = [[...A, { score: Number.NaN, right: true }, { score: Number.NaN, right: false }]]
  assert.equal(typeof weightedAuc(groups)([1]), 'number')
})

const right = (...scores: number[]): Located => ({ scores, firstError: -1 })
const wrong = (firstError: number, ...scores: number[]): Located => ({ scores, firstError })
// At ½: problem 0 has a correct solution that is passed; problem 1 an error found; problem 2 one missed and a false alarm.
const F1_GROUPS = [[right(0.9, 0.8)], [wrong(1, 0.9, 0.2)], [wrong(0, 0.7), right(0.4)]]
const F1S: readonly { counts: number[]; want: number }[] = [
  { counts: [1, 1, 1], want: 0.5 },
  { counts: [2, 1, 0], want: 1 },
  { counts: [0, 1, 1], want: 0 },
  { counts: [3, 1, 2], want: (2 * (1 / 3) * (3 / 5)) / (1 / 3 + 3 / 5) },
]
for (const { counts, want } of F1S)
  test(`F1 of problems drawn ${counts} times is ${want}`, () =>
    near(weightedF1(F1_GROUPS, 0.5)(counts), want))

const scores = fc.array(fc.integer({ min: 0, max: 10 }), { minLength: 1, maxLength: 4 })
const solution = fc
  .tuple(scores, fc.integer({ min: -1, max: 3 }))
  .map(
    ([list, at]): Located => ({ scores: list.map(x => x / 10), firstError: Math.min(at, list.length - 1) }),
  )
const problems = fc.array(fc.array(solution, { minLength: 1, maxLength: 3 }), { minLength: 1, maxLength: 12 })
const stepsOf = (group: readonly Located[]): Judged[] =>
  group.flatMap(item => item.scores.map((score, i) => ({ score: score!, right: i !== item.firstError })))

test('each problem drawn once gives the plain figure, and its interval holds it', () => {
  fc.assert(
    fc.property(problems, fc.integer({ min: 0, max: 99 }), (groups, seed) => {
      const draws = drawResamples(groups.length, createRng(seed), 40)
      const f1 = resample(weightedF1(groups, 0.5), groups.length, draws)
      const area = resample(weightedAuc(groups.map(stepsOf)), groups.length, draws)
      near(f1.value, processBench(groups.flat(), 0.5).f1)
      const plain = auc(groups.flatMap(stepsOf))
      if (Number.isNaN(plain)) assert.ok(Number.isNaN(area.value))
      else near(area.value, plain)
      for (const sampled of [f1, area, meanSampled([f1, area])]) {
        const { value, low, high } = interval95(sampled)
        if (Number.isFinite(value)) assert.ok(!(low > value) && !(high < value), `${low} ${value} ${high}`)
      }
    }),
    { numRuns: 60 },
  )
})

test('the area does not change under a monotone map of the scores', () => {
  fc.assert(
    fc.property(problems, groups => {
      const mapped = groups.map(group =>
        stepsOf(group).map(s => ({ ...s, score: Math.exp(3 * s.score) - 7 })),
      )
      const counts = groups.map((_, i) => i % 3)
      const [a, b] = [weightedAuc(groups.map(stepsOf))(counts), weightedAuc(mapped)(counts)]
      assert.ok(Object.is(a, b) || Math.abs(a - b) < 1e-12)
    }),
  )
})

test('the interval is the middle 95 % of the draws', () => {
  const samples = Array.from({ length: 1000 }, (_, i) => i)
  assert.deepEqual(interval95({ value: 500, samples }), { value: 500, low: 25, high: 974 })
  assert.deepEqual(interval95({ value: 10, samples }), { value: 10, low: 10, high: 974 }) // widened to hold the figure
})

test('a mean of figures averages draw by draw', () => {
  const mean = meanSampled([
    { value: 1, samples: [1, 2] },
    { value: 3, samples: [5, 4] },
  ])
  assert.deepEqual(mean, { value: 2, samples: [3, 3] })
})

test('a wider sample has a wider interval', () => {
  const narrow = Array.from({ length: 40 }, (_, i) => 0.5 + 0.01 * Math.sin(i))
  const wide = Array.from({ length: 40 }, (_, i) => 0.5 + 0.3 * Math.sin(i))
  const draws = drawResamples(40, createRng(1))
  const width = (values: number[]) => {
    const { low, high } = interval95(resample(weightedMean(values), 40, draws))
    return high - low
  }
  assert.ok(width(wide) > 20 * width(narrow))
})
