// Units: what fits a row is one unit, what does not becomes its windows.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { EOS } from '../../../src/critic/tokenizer.ts'
import type { Example } from '../../../src/train/data/example.ts'
import { exampleUnit, exampleWindows, featureComparison, featureUnit } from '../../../src/train/data/units.ts'
import { tinyTokenizer } from '../../fakes/tiny-critic.ts'

const example = (count: number): Example => ({
  problem: 'Tom has 3 clips and 4 clips.',
  steps: Array.from({ length: count }, (_, i) => `He adds ${i} + ${i} = ${2 * i} clips.`),
  labels: Array.from({ length: count }, (_, i) => (i % 3 === 0 ? null : i % 2)),
  source: 'human',
  imitate: true,
})

test('a solution that fits is one unit, imitated as it says', () => {
  assert.deepEqual(exampleWindows(tinyTokenizer, example(2), 96), [
    exampleUnit(tinyTokenizer, example(2), 96),
  ])
  const { length, rows } = exampleUnit(tinyTokenizer, example(2), 96)!
  assert.equal(rows[0]!.imitate, 1)
  assert.equal(rows[0]!.row.tokens.at(-1), EOS)
  assert.ok(exampleUnit(tinyTokenizer, example(2), length))
  assert.equal(exampleUnit(tinyTokenizer, example(2), length - 1), null)
  const told = exampleUnit(tinyTokenizer, { ...example(2), imitate: false }, 96)!
  assert.deepEqual([told.rows[0]!.imitate, told.length], [0, length - 1])
})

test('every step of a long solution is labelled in exactly one window, and no window is imitated', () => {
  const long = example(20)
  assert.equal(exampleUnit(tinyTokenizer, long, 96), null)
  const rows = exampleWindows(tinyTokenizer, long, 96).flatMap(unit => unit.rows)
  assert.ok(rows.length > 1)
  assert.deepEqual(
    rows.flatMap(row => row.row.steps.map(step => step.index)),
    long.steps.map((_, i) => i),
  )
  assert.deepEqual(
    rows.flatMap(row => row.labels),
    long.labels,
  )
  for (const row of rows) {
    assert.equal(row.imitate, 0)
    assert.equal(row.features.length, row.row.steps.length)
    assert.ok(row.row.tokens.length <= 96)
  }
})

test('for the feature path a long solution is one unit, with the features its windows have', () => {
  const long = example(20)
  const whole = featureUnit(long)
  const windows = exampleWindows(tinyTokenizer, long, 96).flatMap(unit => unit.rows)
  assert.deepEqual([whole.length, whole.rows.length], [20, 1])
  assert.deepEqual(
    whole.rows[0]!.features,
    windows.flatMap(row => row.features),
  )
  assert.deepEqual(whole.rows[0]!.labels, long.labels)
  const pair = featureComparison({ better: example(2), worse: long, from: 1 })
  assert.deepEqual([pair.length, pair.from, pair.rows.map(row => row.features.length)], [20, 1, [2, 20]])
})
