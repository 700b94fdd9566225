import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import request from 'supertest'
import { assertContract } from './contract-check.ts'
import { createWorld } from './world.ts'

const world = createWorld({ after })

const post = (path: string, body: object, headers: Record<string, string> = {}) =>
  request(world.app).post(path).set(headers).send(body)
const critique = { problem: 'x', steps: ['1 + 1 = 2', '2 + 2 = 5'] }

test('feedback sent at once after an answer finds it', async () => {
  const { request_id } = (await post('/critique', critique)).body
  const answer = await post('/feedback', { request_id, answer_correct: false, step_labels: [true, false] })
  assert.equal(answer.status, 200)
  assertContract(answer, 'feedback')
  assert.equal(answer.body.accepted, 1)
  assert.equal(answer.body.unknown, 0)
  const [newest] = await world.traffic()
  assert.deepEqual(newest?.feedback, [
    { id: request_id, at: world.deps.now(), answer_correct: false, step_labels: [true, false] },
  ])
})

test('an id that the client gave is the one to give feedback on', async () => {
  await post('/critique', critique, { 'X-Request-Id': 'client-7' })
  const answer = await post('/feedback', { request_id: 'client-7', answer_correct: true })
  assert.equal(answer.body.accepted, 1)
})

test('in a batch the entries can be named, the whole request cannot', async () => {
  const batch = (await post('/critique', { items: [critique, critique] })).body
  const items = [batch.results[0], batch.results[1], batch].map(({ request_id }) => ({
    request_id,
    step_labels: [null, false],
  }))
  const answer = await post('/feedback', { items })
  assertContract(answer, 'feedback')
  assert.deepEqual([answer.body.accepted, answer.body.unknown], [2, 1])
})

test('feedback on what was kept out of the log is unknown', async () => {
  const { request_id } = (await post('/critique', critique, { 'X-Spar-Log': 'off' })).body
  const answer = await post('/feedback', { items: [{ request_id, answer_correct: true }] })
  assert.deepEqual([answer.body.accepted, answer.body.unknown], [0, 1])
})

test('a thousand items are taken, one more is refused', async () => {
  const items = Array.from({ length: 1001 }, (_, i) => ({
    search_id: `search_no_${i}`,
    answer_correct: true,
  }))
  assert.equal((await post('/feedback', { items: items.slice(1) })).body.unknown, 1000)
  const refused = await post('/feedback', { items })
  assert.equal(refused.status, 422)
  assert.equal(refused.body.detail, 'items: must have at most 1,000 items')
})

test('while the log cannot be written, feedback is refused as retryable and not counted as unknown', async () => {
  const recorder = { record() {}, flush: async () => false }
  const { createApp } = await import('../../src/server/app.ts')
  const app = createApp({ ...world.deps, recorder })
  const answer = await request(app).post('/feedback').send({ request_id: 'a', answer_correct: true })
  assert.equal(answer.status, 503)
  assert.equal(answer.body.code, 'NOT_READY')
  assert.equal(answer.headers['retry-after'], '5')
  assertContract(answer, 'feedback')
})
