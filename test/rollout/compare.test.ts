// Comparing a candidate with what serves, off the way of requests.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Critic } from '../../src/critic/types.ts'
import { type Answered, createComparer } from '../../src/rollout/compare.ts'
import { aCritic, ITEM } from './world.ts'

test('comparing never makes a client wait: the line is short, and what does not fit is dropped and counted', async () => {
  let release = () => {}
  const stuck = new Promise<void>(resolve => {
    release = resolve
  })
  const slow: Critic = {
    ...aCritic('slow', 0.7),
    judge: async (items, signal) => {
      await stuck
      return aCritic('slow', 0.7).judge(items, signal)
    },
  }
  const comparer = createComparer(slow, () => performance.now())
  const found = [
    {
      steps: [
        { score: 0.6, evidence: [] },
        { score: null, evidence: [] },
      ],
      tokens: 10,
    },
  ]
  const answered: Answered = { items: [ITEM], found, threshold: 0.65, ms: 1 }
  for (let i = 0; i < 20; i++) comparer.offer(answered)
  assert.equal(comparer.tally().dropped, 16)
  release()
  while (comparer.tally().candidate.calls < 4) await new Promise(resolve => setTimeout(resolve, 2))
  const { compared, flips } = comparer.tally()
  assert.deepEqual([compared, flips], [4, 4], 'a step without a score is not compared')
  await comparer.close()
  comparer.offer(answered)
  assert.equal(comparer.tally().candidate.calls, 4)
})
