// The figures of a critic, against values worked out by hand.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import {
  auc,
  balancedStepAccuracy,
  bestThreshold,
  calibrationBins,
  calibrationError,
  firstBelow,
  fitPlatt,
  fitReading,
  type Judged,
  judgedSteps,
  type Located,
  processBench,
} from '../../../src/train/eval/metrics.ts'
import { createRng } from '../../../src/train/rng.ts'

const near = (got: number, want: number, within = 1e-9): void =>
  assert.ok(Math.abs(got - want) <= within, `got ${got}, want ${want}`)
const judged = (right: readonly number[], wrong: readonly number[]): Judged[] => [
  ...right.map(score => ({ score, right: true })),
  ...wrong.map(score => ({ score, right: false })),
]

const AUCS: readonly { given: Judged[]; want: number }[] = [
  { given: judged([0.9, 0.8], [0.1, 0.2]), want: 1 },
  { given: judged([0.1, 0.2], [0.9, 0.8]), want: 0 },
  { given: judged([0.5], [0.5]), want: 0.5 },
  { given: judged([0.5, 0.5, 0.5], [0.5]), want: 0.5 },
  { given: judged([3, 1], [2]), want: 0.5 },
  { given: judged([2, 2], [2, 1]), want: 0.75 }, // two pairs won, two tied
  { given: judged([-1, 4, 4], [4, -2]), want: 4 / 6 }, // -1>-2, 4>-2 twice, ties half twice, -1<4
]
for (const { given, want } of AUCS) {
  test(`the area under the curve of ${JSON.stringify(given.map(j => [j.score, j.right]))} is ${want}`, () => {
    near(auc(given), want)
  })
}

test('the area under the curve is the share of pairs in the right order, whatever the scores', () => {
  const some = fc.array(fc.integer({ min: -3, max: 3 }), { minLength: 1, maxLength: 12 })
  fc.assert(
    fc.property(some, some, (right, wrong) => {
      let won = 0
      for (const r of right) for (const w of wrong) won += r > w ? 1 : r === w ? 0.5 : 0
      near(auc(judged(right, wrong)), won / (right.length * wrong.length))
    }),
  )
  assert.ok(Number.isNaN(auc(judged([1, 2], []))))
  assert.ok(Number.isNaN(auc(judged([], [1]))))
})

const ERRORS: readonly { given: Judged[]; want: number }[] = [
  { given: [], want: 0 },
  { given: judged([1, 1], [0]), want: 0 },
  { given: judged([0], [1]), want: 1 },
  { given: judged([0.75, 0.75, 0.75], [0.75]), want: 0 },
  { given: judged([0.75], [0.75]), want: 0.25 },
  // Bin 0.2: mean score .25, half right, 2 of 4. Bin 0.9: 1.0 counts as 0.9..1, mean .95, all right.
  { given: judged([0.25, 0.9, 1], [0.25]), want: 0.5 * 0.25 + 0.5 * 0.05 },
]
for (const { given, want } of ERRORS) {
  test(`the calibration error of ${JSON.stringify(given.map(j => [j.score, j.right]))} is ${want}`, () => {
    near(calibrationError(given), want)
  })
}

/** Logits whose labels are drawn from sigmoid(a * logit + b). */
function drawn(seed: string, n: number, scale: number, mean: number, a: number, b: number): Judged[] {
  const rng = createRng(seed)
  return Array.from({ length: n }, () => {
    const score = mean + scale * rng.normal()
    return { score, right: rng.uniform() < 1 / (1 + Math.exp(-(a * score + b))) }
  })
}

for (const { scale, mean, a, b } of [
  { scale: 1, mean: 0, a: 1, b: 0 },
  { scale: 2, mean: 1, a: 0.5, b: -1 },
  { scale: 12, mean: 3, a: 0.1, b: 0.4 }, // an overconfident critic
  { scale: 0.2, mean: -6, a: 8, b: 48 }, // one with an offset
]) {
  test(`Platt's map is recovered from logits of spread ${scale} around ${mean}`, () => {
    const fitted = fitPlatt(drawn(`platt ${scale}`, 20_000, scale, mean, a, b))
    near(fitted.a * scale, a * scale, 0.1)
    near(fitted.a * mean + fitted.b, a * mean + b, 0.1)
  })
}

test('Platt’s map never turns the order around and stays at the base rate when scores mean nothing', () => {
  const inverted = fitPlatt(drawn('inverted', 4000, 3, 1, -1, 1.5))
  assert.ok(inverted.a > 0)
  const data = drawn('inverted', 4000, 3, 1, -1, 1.5)
  const rate = data.filter(j => j.right).length / data.length
  for (const { score } of data.slice(0, 50))
    near(1 / (1 + Math.exp(-(inverted.a * score + inverted.b))), rate, 0.01)
})

test('Platt’s map is finite and rising for any labels', () => {
  const some = fc.array(
    fc.record({ score: fc.double({ min: -50, max: 50, noNaN: true }), right: fc.boolean() }),
    { maxLength: 30 },
  )
  fc.assert(
    fc.property(some, data => {
      const { a, b } = fitPlatt(data)
      assert.ok(a > 0 && Number.isFinite(a) && Number.isFinite(b), `${a} ${b}`)
    }),
  )
  const separable = fitPlatt(judged([5, 6, 7], [-5, -6, -7]))
  assert.ok(separable.a < 10, 'a handful of labels does not make certainty')
  const same = fitPlatt(judged([2, 2, 2], [2]))
  near(1 / (1 + Math.exp(-(same.a * 2 + same.b))), 2 / 3, 0.01) // (3 + 1) / (4 + 2)
})

test('the first step below the threshold, unscored steps passed over', () => {
  for (const { given, want } of [
    { given: [0.9, 0.4, 0.1], want: 1 },
    { given: [0.9, null, 0.1], want: 2 },
    { given: [0.5, 0.5], want: -1 }, // at the threshold is right
    { given: [null, null], want: -1 },
    { given: [], want: -1 },
  ])
    assert.equal(firstBelow(given, 0.5), want)
})

const at = (scores: readonly (number | null)[], firstError: number): Located => ({ scores, firstError })
const SET: readonly Located[] = [
  at([0.9, 0.2, 0.9], 1), // found
  at([0.3, 0.2], 1), // a step too early
  at([0.9, 0.9], 0), // missed
  at([0.1], 0), // found
  at([0.9, 0.6], -1), // cleared
  at([0.9, 0.4], -1), // a false alarm
  at([0.8], -1), // cleared
  at([null, 0.7], -1), // cleared
]

test('ProcessBench: accuracy on wrong and on right solutions, and their harmonic mean', () => {
  const { f1, accError, accCorrect } = processBench(SET, 0.5)
  near(accError, 2 / 4)
  near(accCorrect, 3 / 4)
  near(f1, (2 * 0.5 * 0.75) / 1.25)
  // Nothing is ever below 0: every right solution is cleared, no error is found.
  assert.deepEqual(processBench(SET, 0), { f1: 0, accError: 0, accCorrect: 1 })
  assert.deepEqual(processBench([at([0.1], 0)], 0.5), { f1: 0, accError: 1, accCorrect: 0 })
  assert.deepEqual(processBench([], 0.5), { f1: 0, accError: 0, accCorrect: 0 })
})

test('the best threshold is the score that gives the highest F1, the lowest of equals', () => {
  const located = [at([0.9, 0.4], 1), at([0.6, 0.7], -1), at([0.3, 0.8], 0)]
  assert.equal(bestThreshold(located), 0.6) // flags .4 and .3, clears .6 and .7
  assert.equal(processBench(located, 0.6).f1, 1)
  assert.equal(bestThreshold([]), 0.5)
})

test('no threshold among the scores does better, for few scores', () => {
  const solution = fc.record({
    scores: fc.array(fc.option(fc.integer({ min: 0, max: 20 }).map(x => x / 20)), {
      minLength: 1,
      maxLength: 5,
    }),
    firstError: fc.integer({ min: -1, max: 4 }),
  })
  fc.assert(
    fc.property(fc.array(solution, { minLength: 1, maxLength: 12 }), located => {
      const best = processBench(located, bestThreshold(located)).f1
      for (const score of located.flatMap(l => l.scores)) {
        if (score !== null) assert.ok(processBench(located, score).f1 <= best + 1e-12)
      }
    }),
  )
})

test('steps with a known truth: right before the first error, wrong at it, none after it', () => {
  assert.deepEqual(judgedSteps([at([0.9, 0.8, 0.7, 0.6], 1), at([0.5, null], -1)]), [
    { score: 0.9, right: true },
    { score: 0.8, right: false },
    { score: 0.5, right: true },
  ])
})

test('a reading is calibrated, keeps the order and finds the threshold on calibrated scores', () => {
  const rng = createRng('reading')
  const located = Array.from({ length: 1500 }, (): Located => {
    const firstError = rng.int(-1, 3)
    // Logits four times too sure of themselves: right steps around +2, wrong ones around -2, spread 4.
    return at(
      Array.from({ length: 4 }, (_, i) => (i === firstError ? -2 : 2) + 4 * rng.normal()),
      firstError,
    )
  })
  const { calibration, threshold, ece } = fitReading(located)
  near(calibration.a, 0.25, 0.05) // 2·2 / 4²
  assert.ok(ece < 0.03)
  const calibrated = (z: number) => 1 / (1 + Math.exp(-(calibration.a * z + calibration.b)))
  const scored = located.map(l =>
    at(
      l.scores.map(z => calibrated(z!)),
      l.firstError,
    ),
  )
  near(threshold, bestThreshold(scored), 0)
})

test('the area does not change under a monotone map, and is mirrored when right and wrong change places', () => {
  const some = fc.array(fc.record({ score: fc.integer({ min: -5, max: 5 }), right: fc.boolean() }), {
    minLength: 1,
  })
  fc.assert(
    fc.property(some, steps => {
      const area = auc(steps)
      const mapped = auc(steps.map(s => ({ ...s, score: s.score ** 3 + 2 * s.score })))
      const mirrored = auc(steps.map(s => ({ ...s, right: !s.right })))
      if (Number.isNaN(area)) assert.ok(Number.isNaN(mapped) && Number.isNaN(mirrored))
      else {
        near(mapped, area)
        near(mirrored, 1 - area)
      }
    }),
  )
})

test('F1 is a harmonic mean: between its two accuracies, 0 when one is, the same for both when they are equal', () => {
  const scores = fc.array(fc.integer({ min: 0, max: 10 }), { minLength: 1, maxLength: 4 })
  const solution = fc.tuple(scores, fc.integer({ min: -1, max: 3 })).map(([list, error]) => ({
    scores: list.map(x => x / 10),
    firstError: Math.min(error, list.length - 1),
  }))
  fc.assert(
    fc.property(fc.array(solution), fc.integer({ min: 0, max: 11 }), (located, tau) => {
      const { f1, accError, accCorrect } = processBench(located, tau / 10)
      if (accError === 0 || accCorrect === 0) return assert.equal(f1, 0)
      near(f1, 2 / (1 / accError + 1 / accCorrect))
      assert.ok(f1 >= Math.min(accError, accCorrect) - 1e-12 && f1 <= Math.max(accError, accCorrect) + 1e-12)
      const twice = processBench([...located, ...located], tau / 10)
      near(twice.f1, f1)
    }),
  )
})

const BALANCED: readonly { given: Judged[]; want: number }[] = [
  { given: judged([0.9, 0.6], [0.4]), want: 1 },
  { given: judged([0.9, 0.5, 0.5, 0.1], [0.4]), want: (3 / 4 + 1) / 2 }, // a score at the threshold is right
  { given: judged([0.9, 0.9, 0.9, 0.9], [0.9, 0.1]), want: 0.75 },
  { given: judged([0.1], [0.9]), want: 0 },
]
for (const { given, want } of BALANCED) {
  test(`balanced accuracy at ½ of ${JSON.stringify(given.map(j => [j.score, j.right]))} is ${want}`, () =>
    near(balancedStepAccuracy(given, 0.5), want))
}

test('balanced accuracy cannot be said without right or without wrong steps', () => {
  assert.ok(Number.isNaN(balancedStepAccuracy(judged([1], []), 0.5)))
})

test('calibration bins hold mean score and share right; 1 is in the last, empty ones say nothing', () => {
  const bins = calibrationBins(judged([0.25, 1, 0.95], [0.21, 0]))
  assert.equal(bins.length, 10)
  assert.deepEqual(
    bins.map(bin => bin.n),
    [1, 0, 2, 0, 0, 0, 0, 0, 0, 2],
  )
  near(bins[2]!.score, 0.23)
  near(bins[2]!.right, 0.5)
  near(bins[9]!.score, 0.975)
  assert.ok(Number.isNaN(bins[1]!.score) && Number.isNaN(bins[1]!.right))
})
