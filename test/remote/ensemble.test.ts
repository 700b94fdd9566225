// Several critics as one: logits add up, and a member that fails is left out and named.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import type { Critic, StepScore } from '../../src/critic/types.ts'
import { AppError } from '../../src/errors.ts'
import { createEnsemble, logitOf } from '../../src/remote/ensemble.ts'

const ITEM = { problem: 'x', steps: ['1 + 1 = 2', '1 + 1 = 3'] }

function fixed(version: string, scores: readonly (number | null)[], words: Partial<StepScore> = {}): Critic {
  const steps = scores.map(score => ({ score, evidence: [], ...words }))
  return { version, threshold: 0.5, judge: async items => items.map(() => ({ steps, tokens: 7 })) }
}

const failing = (error: unknown): Critic => ({ ...fixed('bad', []), judge: () => Promise.reject(error) })

const ensemble = (members: readonly (readonly [Critic, number])[], bias = 0): Critic =>
  createEnsemble({
    name: 'mix',
    threshold: 0.5,
    bias,
    members: members.map(([critic, weight]) => ({ name: critic.version, weight, critic: () => critic })),
  })

const sigmoid = (z: number) => 1 / (1 + Math.exp(-z))
const near = (a: number | null, b: number) =>
  assert.ok(a !== null && Math.abs(a - b) < 1e-12, `${a} for ${b}`)

test('scores add up as weighted logits, with a bias', async () => {
  const mix = ensemble(
    [
      [fixed('a', [0.9, 0.2]), 1.5],
      [fixed('b', [0.6, 0.3]), 0.5],
    ],
    -0.4,
  )
  const [critique] = await mix.judge([ITEM])
  near(critique!.steps[0]!.score, sigmoid(-0.4 + 1.5 * Math.log(9) + 0.5 * Math.log(1.5)))
  near(critique!.steps[1]!.score, sigmoid(-0.4 + 1.5 * Math.log(0.25) + 0.5 * Math.log(3 / 7)))
  assert.equal(critique!.steps[0]!.reason, undefined)
  assert.equal(critique!.tokens, 14)
  assert.deepEqual(
    critique!.steps.map(({ evidence }) => evidence.map(({ holds }) => holds)),
    [[true], [false]],
  )
})

test('a member that fails is left out and said so, and the weights of the others make up for it', async () => {
  const timeout = new AppError('LLM_TIMEOUT', 'The critic "bad" did not answer within 1 s.')
  const mix = ensemble([
    [fixed('a', [0.9, 0.2]), 1.5],
    [failing(timeout), 0.5],
  ])
  const [critique] = await mix.judge([ITEM])
  near(critique!.steps[0]!.score, sigmoid(2 * Math.log(9)))
  assert.equal(
    critique!.steps[0]!.reason,
    'CRITIC_FAILED: Left out: bad (LLM_TIMEOUT: The critic "bad" did not answer within 1 s.)',
  )
})

test('a step that one member does not score is weighed by the others alone', async () => {
  const mix = ensemble([
    [fixed('a', [0.9, null], { reason: 'LLM_ERROR: It failed.' }), 1],
    [fixed('b', [0.6, 0.3]), 1],
  ])
  const [critique] = await mix.judge([ITEM])
  assert.equal(critique!.steps[0]!.reason, undefined)
  near(critique!.steps[1]!.score, sigmoid(2 * Math.log(3 / 7)))
  assert.equal(critique!.steps[1]!.reason, 'CRITIC_FAILED: Left out: a (LLM_ERROR: It failed.)')
})

test('without any member a step is unscored; an error that is a bug is not quoted', async () => {
  const mix = ensemble([
    [failing(new Error('secret prompt')), 1],
    [failing(new AppError('OVERLOADED', 'Full.')), 1],
  ])
  const [critique] = await mix.judge([ITEM])
  for (const { score, reason } of critique!.steps) {
    assert.equal(score, null)
    assert.equal(
      reason,
      'CRITIC_FAILED: Left out: bad (INTERNAL: The critic failed.), bad (OVERLOADED: Full.)',
    )
  }
})

test('a client that leaves gets the abort, not a half answer', async () => {
  const client = new AbortController()
  const slow: Critic = {
    ...fixed('slow', []),
    judge: (_, signal) =>
      new Promise((_resolve, reject) => signal!.addEventListener('abort', () => reject(signal!.reason))),
  }
  const judged = ensemble([
    [fixed('a', [0.9, 0.9]), 1],
    [slow, 1],
  ]).judge([ITEM], client.signal)
  client.abort(new Error('gone'))
  await assert.rejects(judged, /gone/)
})

test('words of a member that writes are passed on', async () => {
  const mix = ensemble([
    [fixed('a', [0.9, 0.9]), 1],
    [fixed('b', [1, 1], { rationale: 'It is 2.' }), 1],
  ])
  assert.equal((await mix.judge([ITEM]))[0]!.steps[0]!.rationale, 'It is 2.')
})

test('a score is in [0, 1], grows with each member’s, and no certainty is boundless', async () => {
  const p = fc.double({ min: 0, max: 1, noNaN: true })
  await fc.assert(
    fc.asyncProperty(p, p, p, async (a, b, other) => {
      const [low, high] = a < b ? [a, b] : [b, a]
      const score = async (x: number) =>
        (
          await ensemble([
            [fixed('a', [x, x]), 1],
            [fixed('b', [other, other]), 2],
          ]).judge([ITEM])
        )[0]!.steps[0]!.score!
      const [first, second] = [await score(low), await score(high)]
      assert.ok(first >= 0 && second <= 1 && first <= second + 1e-12)
    }),
  )
  near(logitOf(1), -logitOf(0))
  assert.ok(logitOf(1) < 7)
})
