// The PUCT rule in numbers.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type PuctChild, puctScore, selectChild, softmaxPriors } from '../../src/search/puct.ts'

const child = (more: Partial<PuctChild> = {}): PuctChild => ({
  prior: 0.25,
  visits: 0,
  valueSum: 0,
  firstValue: 0.5,
  pending: 0,
  score: 0.5,
  ...more,
})
const near = (got: number, want: number) => assert.ok(Math.abs(got - want) < 1e-9, `${got}, want ${want}`)

test('the score is Q plus [ln((N + 19653) / 19652) + c] · P · √N / (1 + n)', () => {
  const growth = Math.log((16 + 19653) / 19652) + 1.25
  near(puctScore(child(), 16, 1.25), 0.5 + growth * 0.25 * 4)
  near(puctScore(child({ visits: 3, valueSum: 2.4 }), 16, 1.25), 0.8 + (growth * 0.25 * 4) / 4)
})

test('a pending walk counts as a visit of value 0', () => {
  const visited = child({ visits: 3, valueSum: 2.4, pending: 1 })
  near(puctScore(visited, 0, 1.25), 0.6)
  near(puctScore(visited, 16, 0), 0.6 + (Math.log((16 + 19653) / 19652) * 0.25 * 4) / 5)
  near(puctScore(child({ pending: 1 }), 0, 1.25), 0.25)
})

test('before any visit the highest first value is chosen, of equals the one whose step scores highest, then the first', () => {
  assert.equal(selectChild([child(), child({ score: 0.9 }), child({ score: 0.9 })], 0, 1.25), 1)
  assert.equal(selectChild([child({ score: null }), child({ score: 0.1 })], 0, 1.25), 1)
  assert.equal(selectChild([child({ score: 0.1 }), child({ firstValue: 0.6, score: 0 })], 0, 1.25), 1)
  assert.equal(selectChild([child(), child({ firstValue: 0.7 }), child({ firstValue: 0.7 })], 0, 1.25), 1)
  assert.equal(selectChild([], 0, 1.25), null)
})

test('with many visits to one child the others are explored', () => {
  const busy = child({ visits: 50, valueSum: 30 })
  assert.equal(selectChild([busy, child()], 50, 1.25), 1)
  assert.equal(selectChild([busy, child()], 50, 0), 0)
})

test('priors are a softmax of worths; a child of unknown worth gets the mean', () => {
  const priors = softmaxPriors([0.9, 0.1, null, 0.5], 0.4)
  near(
    priors.reduce((sum, p) => sum + p, 0),
    1,
  )
  near(priors[0]! / priors[1]!, Math.exp(0.8 / 0.4))
  near(priors[2]!, priors[3]!)
  for (const prior of softmaxPriors([null, null], 0.01)) near(prior, 0.5)
})
