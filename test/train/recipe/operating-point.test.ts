// How a critic's logits are read: one calibration, and a threshold that no source sets alone.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fitReading, processBench } from '../../../src/train/eval/metrics.ts'
import { fitBySource, passRate, readWith, type Sourced } from '../../../src/train/recipe/operating-point.ts'
import { createRng } from '../../../src/train/rng.ts'

const rng = createRng('reading')

/** Solutions of three steps; right steps have logits around `right`, the wrong one, in every second solution, around `wrong`. */
const solutions = (source: Sourced['source'], count: number, right: number, wrong: number): Sourced[] =>
  Array.from({ length: count }, (_, i) => {
    const firstError = i % 2 === 0 ? -1 : i % 3
    const scores = [0, 1, 2].map(step => (step === firstError ? wrong : right) + 0.3 * rng.normal())
    return { scores, firstError, source }
  })

const f1At = (located: readonly Sourced[], { a, b }: { a: number; b: number }, threshold: number): number =>
  processBench(
    located.map(item => ({
      ...item,
      scores: item.scores.map(z => (z === null ? null : 1 / (1 + Math.exp(-(a * z + b))))),
    })),
    threshold,
  ).f1

test('a large source whose errors are plain leaves the threshold to the small one whose errors are not', () => {
  const plain = solutions('construction', 400, 4, -8)
  const subtle = solutions('human', 60, 4, 2)
  const all = [...plain, ...subtle]
  const { threshold, calibration } = fitBySource(all)
  assert.ok(f1At(subtle, calibration, threshold) > 0.95)
  assert.ok(f1At(plain, calibration, threshold) > 0.95)
})

test('sources that disagree share the threshold with the best mean F1', () => {
  const strict = solutions('construction', 300, 6, 2)
  const mild = solutions('human', 50, 1, -3)
  const all = [...strict, ...mild]
  const shared = fitBySource(all)
  const { threshold: pooled } = fitReading(all)
  const meanAt = (threshold: number): number =>
    (f1At(strict, shared.calibration, threshold) + f1At(mild, shared.calibration, threshold)) / 2
  assert.ok(meanAt(shared.threshold) >= meanAt(pooled))
})

test('one source alone is read as ever', () => {
  const only = solutions('human', 80, 2, -1)
  assert.deepEqual(fitBySource(only), fitReading(only))
  const noErrors = solutions('construction', 10, 2, -1).filter(item => item.firstError < 0)
  assert.equal(fitBySource([...only, ...noErrors]).threshold, fitReading([...only, ...noErrors]).threshold)
})

test('of thresholds that do about as well the one that flags least is taken', () => {
  const all = [...solutions('construction', 120, 0.6, 0), ...solutions('human', 120, 0.6, 0)]
  const { threshold, calibration } = fitBySource(all)
  const sources = (['construction', 'human'] as const).map(source => all.filter(s => s.source === source))
  const meanAt = (t: number): number =>
    sources.reduce((sum, some) => sum + f1At(some, calibration, t), 0) / sources.length
  const scan = Array.from({ length: 200 }, (_, i) => (i + 1) / 200)
  const best = scan.reduce((a, b) => (meanAt(b) > meanAt(a) ? b : a))
  assert.ok(threshold < best, `${threshold} is below ${best}`)
  assert.ok(meanAt(threshold) < meanAt(best) && meanAt(threshold) > meanAt(best) - 0.05)
})

test('a critic that takes the place of another flags as many right solutions as that one, whatever would find errors best', () => {
  const all = [...solutions('construction', 200, 2, 0), ...solutions('human', 60, 1, 0)]
  for (const passing of [0.5, 0.9, 1]) {
    const reading = fitBySource(all, passing)
    const scored = readWith(reading, all)
    assert.ok(passRate(scored, reading.threshold)! >= passing)
    assert.ok(passRate(scored, reading.threshold + 0.01)! < passing, 'and no more than it must let pass')
  }
})

test('without right solutions to pass, the threshold is chosen by first errors', () => {
  const wrong = solutions('construction', 40, 2, -1).filter(item => item.firstError >= 0)
  assert.equal(passRate(wrong, 0.5), null)
  assert.deepEqual(fitBySource(wrong, 0.9), fitBySource(wrong))
})
