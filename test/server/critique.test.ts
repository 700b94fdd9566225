import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import request from 'supertest'
import type { Critic } from '../../src/critic/types.ts'
import { AppError } from '../../src/errors.ts'
import { assertContract } from './contract-check.ts'
import { createWorld, sumsCritic } from './world.ts'

const world = createWorld({ after })

const post = (body: object, headers: Record<string, string> = {}) =>
  request(world.app).post('/critique').set(headers).send(body)

const pens = {
  problem: 'A box holds 48 pens. 24 are sold. How many are left?',
  steps: ['First 48 - 24 = 24.', 'Then 24 - 2 = 21.', 'The answer is 21.'],
}

test('steps are scored, judged and summed up', async () => {
  const answer = await post(pens)
  assert.equal(answer.status, 200)
  assertContract(answer, 'critique')
  const { request_id, aggregate, ...rest } = answer.body
  assert.deepEqual(rest, {
    critic: 'sums@2',
    threshold: 0.5,
    steps: [
      {
        index: 0,
        score: 0.9,
        verdict: 'right',
        evidence: [{ kind: 'equation', text: '48 - 24 = 24', holds: true, detail: 'the left side is 24' }],
      },
      {
        index: 1,
        score: 0.1,
        verdict: 'wrong',
        evidence: [{ kind: 'equation', text: '24 - 2 = 21', holds: false, detail: 'the left side is 22' }],
      },
      { index: 2, score: 0.6, verdict: 'right', evidence: [] },
    ],
    first_error: 1,
    usage: { tokens: pens.problem.length + pens.steps.join('').length },
  })
  assert.equal(request_id, answer.headers['x-request-id'])
  assert.equal(aggregate.min, 0.1)
  assert.equal(aggregate.last, 0.6)
  assert.ok(Math.abs(aggregate.mean - 1.6 / 3) < 1e-12)
  assert.ok(Math.abs(aggregate.prod - 0.054) < 1e-12)
})

test('the answer says where the critic’s time went', async () => {
  const answer = await post(pens)
  assert.equal(
    answer.headers['server-timing'],
    'queue;dur=1.00, tokenise;dur=0.25, infer;dur=2.50, total;dur=3.75',
  )
})

test('a score exactly at the threshold is right', async t => {
  const critic = { ...sumsCritic('edge'), threshold: 0.6 }
  const critics = { ...world.deps.critics, criticFor: () => ({ critic: critic, fallback: null }) }
  const edge = createWorld(t, { critics })
  const answer = await request(edge.app)
    .post('/critique')
    .send({ problem: 'x', steps: ['no sum'] })
  assert.equal(answer.body.steps[0].verdict, 'right')
})

test('a step without a score is unscored, counts in no aggregate and is no error', async () => {
  const answer = await post({ problem: 'x', steps: ['???', '1 + 1 = 2'] })
  assertContract(answer, 'critique')
  assert.deepEqual(
    answer.body.steps.map((step: { verdict: string }) => step.verdict),
    ['unscored', 'right'],
  )
  assert.equal(answer.body.first_error, null)
  assert.deepEqual(answer.body.aggregate, { min: 0.9, mean: 0.9, prod: 0.9, last: 0.9 })
})

test('without any score every aggregate is null', async () => {
  const answer = await post({ problem: 'x', steps: ['???'] })
  assertContract(answer, 'critique')
  assert.deepEqual(answer.body.aggregate, { min: null, mean: null, prod: null, last: null })
})

test('a solution is split, and each span is the step in the text sent', async () => {
  const solution = '  First 48 - 24 = 24. 🖊\n\nThen 24 - 2 = 21.\n\nThe answer is 21.\n'
  const answer = await post({ problem: pens.problem, solution })
  assertContract(answer, 'critique')
  const items = world.judged.at(-1)!
  assert.equal(answer.body.steps.length, 3)
  for (const [i, { span }] of answer.body.steps.entries())
    assert.equal(solution.slice(span.start, span.end), items[0]!.steps[i])
  assert.equal(answer.body.first_error, 1)
})

test('a solution is split the way that is asked for', async () => {
  const solution = 'First 48 - 24 = 24. Then 24 - 2 = 22.\nSo 22.'
  const counts = []
  for (const split of ['auto', 'paragraph', 'line', 'numbered', 'sentence', 'tokens']) {
    const answer = await post({ items: [{ problem: pens.problem, solution, split }] })
    assertContract(answer, 'critique')
    counts.push(answer.body.results[0].steps.length)
  }
  assert.deepEqual(counts, [2, 1, 2, 1, 3, 1])
  assert.equal((await post({ problem: pens.problem, solution, split: 'words' })).status, 422)
})

test('steps longer together than a solution may be are refused with their field', async () => {
  const full = Array.from({ length: 24 }, () => 'x'.repeat(8000)) // with 24 line breaks 7,976 characters short of the limit
  const steps = (last: number) => [...full, '𝑥'.repeat(last)]
  assert.equal((await post({ problem: 'Long', steps: steps(7976) })).status, 200)
  const answer = await post({ items: [pens, { problem: 'Long', steps: steps(7977) }] })
  assert.equal(answer.status, 422)
  assertContract(answer, 'critique')
  assert.equal(answer.body.errors[0].path, 'items[1].steps')
})

test('a solution that splits into too many steps is refused with its field', async () => {
  const solution = Array.from({ length: 513 }, (_, i) => `Step number ${i}: ${i} + 1 = ${i + 1}.`).join(
    '\n\n',
  )
  const answer = await post({ items: [{ problem: 'x', solution }] })
  assert.equal(answer.status, 422)
  assertContract(answer, 'critique')
  assert.equal(answer.body.errors[0].path, 'items[0].solution')
})

test('a batch is one call of the critic, answered in order, each entry with its own id', async () => {
  const before = world.judged.length
  const items = Array.from({ length: 64 }, (_, i) =>
    i % 2
      ? { problem: `p${i}`, steps: [`${i} + 1 = ${i + 1}`] }
      : { problem: `p${i}`, solution: `${i} + 1 = ${i}` },
  )
  const answer = await post({ items })
  assert.equal(answer.status, 200)
  assertContract(answer, 'critique')
  assert.equal(world.judged.length, before + 1)
  const { results, request_id } = answer.body
  assert.deepEqual(
    results.map((result: { first_error: number | null }) => result.first_error),
    items.map((_, i) => (i % 2 ? null : 0)),
  )
  const ids = new Set([request_id, ...results.map((result: { request_id: string }) => result.request_id)])
  assert.equal(ids.size, 65)
})

test('a critic can be asked for by version, and an unknown one is a problem', async () => {
  assert.equal((await post({ ...pens, critic: 'sums@1' })).body.critic, 'sums@1')
  assert.equal((await post({ ...pens, critic: 'default' })).body.critic, 'sums@2')
  const unknown = await post({ ...pens, critic: 'sums@9' })
  assert.equal(unknown.status, 404)
  assert.equal(unknown.body.code, 'UNKNOWN_CRITIC')
  assertContract(unknown, 'critique')
})

test('what was answered is in the traffic log, with its canonical answer', async () => {
  const answer = await post({ problem: 'Count on.', solution: '20 + 1 = 21\n\nThe answer is 21.0.' })
  const [newest] = await world.traffic()
  assert.deepEqual(newest?.record, {
    id: answer.body.request_id,
    kind: 'critique',
    at: world.deps.now(),
    problem: 'Count on.',
    candidates: [{ steps: ['20 + 1 = 21', 'The answer is 21.0.'], scores: [0.9, 0.6], answer: '21' }],
    critic: 'sums@2',
  })
})

test('every item of a batch is logged under its own id', async () => {
  const before = (await world.traffic()).length
  const answer = await post({ items: [pens, { problem: 'y', steps: ['1 + 1 = 2'] }] })
  const newest = (await world.traffic()).slice(0, -before).map(({ record }) => record.id)
  assert.deepEqual(
    newest.toSorted(),
    answer.body.results.map((result: { request_id: string }) => result.request_id).toSorted(),
  )
})

test('X-Spar-Log: off keeps a critique out of the log', async () => {
  const before = (await world.traffic()).length
  assert.equal((await post(pens, { 'X-Spar-Log': 'off' })).status, 200)
  assert.equal((await post(pens, { 'X-Spar-Log': ' OFF ' })).status, 200)
  assert.equal((await world.traffic()).length, before)
  await post(pens)
  assert.equal((await world.traffic()).length, before + 1)
})

test('a critique that failed is not logged', async t => {
  const failing = {
    ...sumsCritic('failing'),
    judge: async () => {
      throw new Error('out of memory')
    },
  }
  const broken = createWorld(t, {
    critics: { ...world.deps.critics, criticFor: () => ({ critic: failing, fallback: null }) },
  })
  const answer = await request(broken.app).post('/critique').send(pens)
  assert.equal(answer.status, 500)
  assertContract(answer, 'critique')
  assert.deepEqual(await broken.traffic(), [])
})

test('where a candidate that is tried out fails, what serves answers, under its own name', async t => {
  const failing: Critic = {
    version: 'candidate',
    threshold: 0.5,
    judge: async () => {
      throw new AppError('CRITIC_FAILED', 'The critic failed on this request.')
    },
  }
  const routed = { critic: failing, fallback: sumsCritic('sums@2') }
  const own = createWorld(t, { critics: { ...world.deps.critics, criticFor: () => routed } })
  const answer = await request(own.app).post('/critique').send(pens)
  assert.deepEqual([answer.status, answer.body.critic], [200, 'sums@2'])
  assert.equal((await own.traffic())[0]!.record.critic, 'sums@2')
})
