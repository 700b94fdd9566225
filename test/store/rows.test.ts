// Reading rows back: everything well formed survives, everything else is null and nothing throws.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { applyChange, asCount, readFeedback, readJob, readRecord, readServing } from '../../src/store/rows.ts'
import { aJob, aRecord, NOW } from './samples.ts'

const text = fc.string({ unit: 'binary' })
// JSON has no -0, and no store needs one.
const number = fc.double({ noNaN: true, noDefaultInfinity: true }).map(n => n + 0)

const anyRecord = fc.record({
  id: text,
  kind: fc.constantFrom('critique', 'search'),
  at: fc.maxSafeInteger(),
  problem: text,
  candidates: fc.array(
    fc.record({
      steps: fc.array(text),
      scores: fc.array(fc.option(number)),
      answer: fc.option(text),
    }),
  ),
  critic: text,
})
const anyFeedback = fc.record(
  { id: text, at: number, answer_correct: fc.boolean(), step_labels: fc.array(fc.option(fc.boolean())) },
  { requiredKeys: ['id', 'at'] },
)

test('any record and any feedback survive being written and read', () => {
  fc.assert(
    fc.property(anyRecord, value => assert.deepEqual(readRecord(JSON.stringify(value)), toPlain(value))),
  )
  fc.assert(
    fc.property(anyFeedback, value => assert.deepEqual(readFeedback(JSON.stringify(value)), toPlain(value))),
  )
})

test('a record with any field missing or of another type is null', () => {
  for (const field of Object.keys(aRecord('a')))
    for (const value of [undefined, null, true, {}, [{}]])
      assert.equal(
        readRecord(JSON.stringify({ ...aRecord('a'), [field]: value })),
        null,
        `${field}: ${value}`,
      )
})

test('any JSON and any text is read without throwing', () => {
  const read = [readRecord, readFeedback, readServing]
  fc.assert(fc.property(fc.oneof(fc.json(), text), given => read.forEach(reader => void reader(given))))
  for (const reader of read)
    for (const given of [null, undefined, 7, '', 'null', '[]']) assert.equal(reader(given), null)
})

for (const [given, want] of [
  [{ id: 'a', at: 1 }, true],
  [{ id: 'a', at: 1, step_labels: [null, true], answer_correct: false }, true],
  [{ id: 'a' }, false],
  [{ id: 'a', at: 1, answer_correct: null }, false],
  [{ id: 'a', at: 1, step_labels: [1] }, false],
  [{ id: 'a', at: 1, step_labels: 'no' }, false],
] as const) {
  test(`feedback ${JSON.stringify(given)} is ${want ? 'read' : 'damaged'}`, () => {
    assert.deepEqual(readFeedback(JSON.stringify(given)), want ? given : null)
  })
}

for (const [given, want] of [
  [{}, true],
  [{ reason: 'x', figures: '{"a":1}' }, true],
  [{ state: 'done' }, false],
  [{ state: 'toString' }, false],
  [{ percent: Number.NaN }, false],
  [{ figures: '[]' }, false],
  [{ params: '{' }, false],
  [{ reason: undefined }, false],
  [{ created_at: '1' }, false],
] as const) {
  test(`a job row with ${JSON.stringify(given)} is ${want ? 'read' : 'damaged'}`, () => {
    assert.equal(readJob({ ...aJob('j'), figures: '{}', params: '{}', ...given }) !== null, want)
  })
}

test('a change leaves the fields it does not name, or names as undefined', () => {
  const unnamed = { stage: undefined, percent: 3 } as unknown as { percent: number }
  assert.deepEqual(applyChange(aJob('j'), unnamed), aJob('j', { percent: 3 }))
  assert.deepEqual(applyChange(aJob('j', { reason: 'x' }), { reason: null, updated_at: NOW }), aJob('j'))
})

for (const [given, want] of [
  [3, 3],
  [2.9, 2],
  [-1, 0],
  [Number.NaN, 0],
  [Infinity, 2 ** 31 - 1],
  [-Infinity, 0],
] as const) {
  test(`as a count ${given} is ${want}`, () => assert.equal(asCount(given), want))
}

// fast-check builds objects without a prototype.
function toPlain(value: unknown): unknown {
  return structuredClone(value)
}
