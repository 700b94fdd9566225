// The operator policy: a softmax that learns which operators fool the critic, and never stops trying the others.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createRng } from '../../src/train/rng.ts'
import {
  createPolicy,
  drawOperator,
  operatorChances,
  type SneakyOutcome,
  type SneakyPolicy,
  updatePolicy,
} from '../../src/train/sneaky/policy.ts'
import { entropyOf } from '../../src/train/sneaky/softmax-policy.ts'
import { SNEAKY_OPERATORS, type SneakyOperator } from '../../src/train/sneaky/types.ts'

const N = SNEAKY_OPERATORS.length
const at = (operator: SneakyOperator) => SNEAKY_OPERATORS.indexOf(operator)

/** Plays `rounds` batches in which each operator fools the critic with its own chance. */
function play(fools: (operator: SneakyOperator) => number, rounds: number, options = {}): SneakyPolicy {
  const rng = createRng(13)
  let policy = createPolicy()
  for (let round = 0; round < rounds; round++) {
    const outcomes = Array.from({ length: 64 }, (): SneakyOutcome => {
      const operator = drawOperator(rng, policy, SNEAKY_OPERATORS)
      return { operator, reward: rng.uniform() < fools(operator) ? 1 : -1 }
    })
    policy = updatePolicy(policy, outcomes, options)
  }
  return policy
}

test('a fresh policy is uniform', () => {
  for (const chance of operatorChances(createPolicy())) assert.ok(Math.abs(chance - 1 / N) < 1e-12)
  assert.ok(Math.abs(entropyOf(createPolicy().weights) - Math.log(N)) < 1e-12)
})

test('operators that are not available have no chance, the others share all of it', () => {
  const chances = operatorChances(createPolicy(), ['near_miss', 'sign'])
  assert.equal(chances[at('near_miss')], 0.5)
  assert.equal(chances[at('sign')], 0.5)
  assert.equal(
    chances.reduce((a, b) => a + b, 0),
    1,
  )
  assert.throws(() => drawOperator(createRng(1), createPolicy(), []), RangeError)
})

test('the operator that fools the critic most comes to the front', () => {
  const policy = play(op => (op === 'wrong_operand' ? 0.8 : 0.1), 60)
  const chances = operatorChances(policy)
  assert.equal(Math.max(...chances), chances[at('wrong_operand')])
  assert.ok(chances[at('wrong_operand')]! > 0.4, String(chances[at('wrong_operand')]))
})

test('each baseline comes near the mean reward of its operator', () => {
  const policy = play(op => (op === 'sign' ? 0.9 : 0.5), 150, { learningRate: 0 })
  assert.ok(policy.baselines[at('sign')]! > 0.5)
  assert.ok(Math.abs(policy.baselines[at('near_miss')]!) < 0.45)
})

test('the entropy never falls below its floor', () => {
  const floor = 2
  const policy = play(op => (op === 'factor' ? 1 : 0), 100, { entropyFloor: floor, learningRate: 5 })
  assert.ok(entropyOf(policy.weights) >= floor - 1e-6, String(entropyOf(policy.weights)))
  assert.ok(operatorChances(policy).every(chance => chance > 0))
})

test('the advantage is read before the baseline moves', () => {
  const policy = createPolicy()
  const next = updatePolicy(policy, [{ operator: 'sign', reward: 1 }], {
    learningRate: 1,
    decay: 0,
    entropyFloor: 0,
  })
  // Advantage 1 - 0: the logit gains (1 - 1/N) relative to a loss of 1/N for each other one.
  assert.ok(Math.abs(next.weights[at('sign')]! - next.weights[0]! - 1) < 1e-12)
  assert.equal(next.baselines[at('sign')], 1)
})

test('operators that could not be chosen neither gain nor lose', () => {
  const available: SneakyOperator[] = ['sign', 'factor']
  const next = updatePolicy(createPolicy(), [{ operator: 'sign', reward: 1, available }], { entropyFloor: 0 })
  assert.ok(next.weights[at('sign')]! > 0 && next.weights[at('factor')]! < 0)
  assert.equal(next.weights[at('near_miss')], 0)
})

test('an update leaves the old policy as it was, and survives JSON', () => {
  const policy = createPolicy()
  const copy = structuredClone(policy)
  const next = updatePolicy(policy, [{ operator: 'sign', reward: 1 }])
  assert.deepEqual(policy, copy)
  assert.deepEqual(JSON.parse(JSON.stringify(next)), next)
})

test('no outcomes, no change; a policy from before an operator was added still works', () => {
  assert.deepEqual(updatePolicy(createPolicy(), []), createPolicy())
  const old: SneakyPolicy = { weights: [1, 0], baselines: [0, 0] }
  assert.equal(operatorChances(old).length, N)
  assert.equal(updatePolicy(old, []).weights.length, N)
})
