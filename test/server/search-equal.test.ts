// Votes of a served search: answers that are equal as mathematics vote together, whatever they look like.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import request from 'supertest'
import { createSameAnswer } from '../../src/answer/equivalence.ts'
import { createSymbolicThread } from '../../src/answer/symbolic-thread.ts'
import { createWorld, startLlm } from './world.ts'

const WRITTEN = ['\\sqrt{12}', '7', '2\\sqrt{3}', '7', '\\frac{\\sqrt{48}}{2}']

async function vote(t: Parameters<typeof startLlm>[0], options: Parameters<typeof createWorld>[1]) {
  let next = 0
  const solve = () => `It is a root. The answer is $${WRITTEN[next++ % WRITTEN.length]}$.`
  const llm = await startLlm(t, { solve })
  const world = createWorld(t, { llmUrl: llm.url, ...options })
  const { body, status, text } = await request(world.app)
    .post('/search')
    .send({
      problem: 'How long is the diagonal of a cube with edges of 2?',
      llm: { upstream: 'fake' },
      method: 'self_consistency',
      params: { n: WRITTEN.length },
      seed: 1,
    })
  assert.equal(status, 200, text)
  return body
}

test('three ways to write one root outvote two sevens', async t => {
  const thread = createSymbolicThread({ deadlineMs: 60_000 })
  t.after(() => thread.close())
  const body = await vote(t, { sameAnswer: createSameAnswer(thread) })
  assert.ok(/sqrt/.test(body.answer), body.answer)
  const votes = body.candidates.map((c: { answer: string; votes: number }) => [
    /sqrt/.test(c.answer),
    c.votes,
  ])
  assert.deepEqual(votes.toSorted(), [
    [false, 2],
    [false, 2],
    [true, 3],
    [true, 3],
    [true, 3],
  ])
})

test('without an equality only their forms count', async t => {
  const body = await vote(t, {})
  assert.equal(body.answer, '$7$')
})
