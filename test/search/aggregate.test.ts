// Aggregates of step scores.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { AGGREGATIONS, aggregate, logAggregate, logSum } from '../../src/search/aggregate.ts'

const none = { last: null, min: null, prod: null, mean: null }

const TABLE: [string, (number | null)[], ReturnType<typeof aggregate>][] = [
  ['no steps are unscored, not 0', [], none],
  ['only unscored steps are unscored', [null, null], none],
  ['one step', [0.5], { last: 0.5, min: 0.5, prod: 0.5, mean: 0.5 }],
  ['several steps', [0.5, 0.25, 0.75], { last: 0.75, min: 0.25, prod: 0.09375, mean: 0.5 }],
  ['an unscored step is left out', [0.5, null, 0.25], { last: 0.25, min: 0.25, prod: 0.125, mean: 0.375 }],
  [
    'an unscored last step leaves the last scored one',
    [0.5, null],
    { last: 0.5, min: 0.5, prod: 0.5, mean: 0.5 },
  ],
  ['a score of 0 is a score', [0, 1], { last: 1, min: 0, prod: 0, mean: 0.5 }],
]

for (const [name, given, want] of TABLE) {
  test(`aggregate: ${name}`, () => assert.deepEqual(aggregate(given), want))
}

test('the log of a product ranks solutions whose product underflows', () => {
  const shorter = new Array<number>(1000).fill(0.4)
  const longer = new Array<number>(1001).fill(0.4)
  assert.equal(aggregate(shorter).prod, 0)
  assert.ok(logAggregate(shorter, 'prod')! > logAggregate(longer, 'prod')!)
})

test('logAggregate is the log of the aggregate, or null', () => {
  const scores = fc.array(fc.option(fc.double({ min: 1e-3, max: 1, noNaN: true })), { maxLength: 8 })
  fc.assert(
    fc.property(scores, fc.constantFrom(...AGGREGATIONS), (scores, aggregation) => {
      const value = aggregate(scores)[aggregation]
      const log = logAggregate(scores, aggregation)
      if (value === null) assert.equal(log, null)
      else assert.ok(Math.abs(Math.exp(log!) - value) < 1e-9)
    }),
  )
  assert.equal(logAggregate([0, 0.5], 'prod'), Number.NEGATIVE_INFINITY)
})

test('logSum adds without underflow', () => {
  assert.equal(logSum([]), null)
  assert.equal(logSum([Number.NEGATIVE_INFINITY]), Number.NEGATIVE_INFINITY)
  assert.ok(Math.abs(logSum([Math.log(0.25), Math.log(0.5)])! - Math.log(0.75)) < 1e-12)
  assert.ok(Math.abs(logSum([-2000, -2000])! - (-2000 + Math.LN2)) < 1e-9)
})
