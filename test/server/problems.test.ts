import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { gzipSync } from 'node:zlib'
import request from 'supertest'
import { AppError } from '../../src/errors.ts'
import { problemType } from '../../src/server/problem.ts'
import { assertContract, assertMatches, validator } from './contract-check.ts'
import { createWorld, sumsCritic } from './world.ts'

const world = createWorld({ after })
const app = () => request(world.app)
const json = { 'Content-Type': 'application/json' }
const good = { problem: 'x', steps: ['1 + 1 = 2'] }

interface BadInput {
  readonly body: string | Buffer
  readonly headers?: Record<string, string>
  readonly status: number
  readonly code: string
  readonly detail: RegExp
}

const BAD: Readonly<Record<string, BadInput>> = {
  'an empty problem': {
    body: JSON.stringify({ problem: '', steps: ['a'] }),
    status: 422,
    code: 'INVALID_REQUEST',
    detail: /^problem: must not be empty$/,
  },
  'no steps': {
    body: JSON.stringify({ problem: 'x', steps: [] }),
    status: 422,
    code: 'INVALID_REQUEST',
    detail: /^steps: must have at least 1 item$/,
  },
  '10,000 steps': {
    body: JSON.stringify({ problem: 'x', steps: Array(10_000).fill('1 + 1 = 2') }),
    status: 422,
    code: 'INVALID_REQUEST',
    detail: /^steps: must have at most 512 items$/,
  },
  'a body of 5 MB': {
    body: JSON.stringify({ problem: 'x', steps: ['y'.repeat(5 * 2 ** 20)] }),
    status: 413,
    code: 'BODY_TOO_LARGE',
    detail: /1,048,576 bytes/,
  },
  'a small body that unpacks to 50 MB': {
    body: gzipSync(Buffer.alloc(50 * 2 ** 20, ' ')),
    headers: { ...json, 'Content-Encoding': 'gzip' },
    status: 413,
    code: 'BODY_TOO_LARGE',
    detail: /1,048,576 bytes/,
  },
  'broken JSON': {
    body: '{"problem": "x", "steps": ["a"',
    status: 400,
    code: 'BAD_JSON',
    detail: /^The body is not valid JSON at position 30\.$/,
  },
  'broken gzip': {
    body: Buffer.from('no gzip'),
    headers: { ...json, 'Content-Encoding': 'gzip' },
    status: 400,
    code: 'BAD_JSON',
    detail: /could not be read/,
  },
  'a body that is JSON but not an object': {
    body: 'null',
    status: 422,
    code: 'INVALID_REQUEST',
    detail: /^The body must be an object$/,
  },
  'no body': {
    body: '',
    headers: {},
    status: 422,
    code: 'INVALID_REQUEST',
    detail: /^The body is missing/,
  },
  'JSON said to be a form, as curl -d does': {
    body: JSON.stringify(good),
    headers: { 'Content-Type': 'application/x-www-form-urlencoded' },
    status: 415,
    code: 'UNSUPPORTED_MEDIA_TYPE',
    detail: /Content-Type: application\/json/,
  },
  'an unknown encoding': {
    body: JSON.stringify(good),
    headers: { ...json, 'Content-Encoding': 'rot13' },
    status: 415,
    code: 'UNSUPPORTED_MEDIA_TYPE',
    detail: /UTF-8/,
  },
  'another charset': {
    body: JSON.stringify(good),
    headers: { 'Content-Type': 'application/json; charset=latin1' },
    status: 415,
    code: 'UNSUPPORTED_MEDIA_TYPE',
    detail: /UTF-8/,
  },
}

for (const [name, { body, headers = json, status, code, detail }] of Object.entries(BAD))
  test(`${name} is answered with ${code}, and the service goes on`, async () => {
    const call = app().post('/critique').set(headers)
    if (typeof body === 'string') call.send(body)
    else call.serialize(() => body as unknown as string).send({})
    const answer = await call
    assert.equal(answer.status, status, answer.text)
    assertContract(answer, 'critique')
    assert.equal(answer.headers['content-type'], 'application/problem+json; charset=utf-8')
    assert.equal(answer.body.code, code)
    assert.match(answer.body.detail, detail)
    assert.equal(answer.body.status, status)
    assert.equal(answer.body.request_id, answer.headers['x-request-id'])
    assert.equal((await app().post('/critique').send(good)).status, 200)
  })

test('an unknown address is NOT_FOUND', async () => {
  for (const path of [
    '/',
    '/critiques',
    '/admin',
    '/admin/critics/x/demote',
    '/admin/jobs/%ff',
    '/healthz/x',
  ]) {
    const answer = await app().get(path)
    assert.deepEqual([answer.status, answer.body.code], [404, 'NOT_FOUND'], path)
    assertMatches(validator('components', 'schemas', 'Problem'), answer.body, path)
  }
})

test('a wrong method is METHOD_NOT_ALLOWED and names the right ones', async () => {
  const answers = [
    [await app().get('/critique'), 'POST'],
    [await app().delete('/admin/jobs/x'), 'GET, HEAD'],
    [await app().post('/healthz').send({}), 'GET, HEAD'],
    [await app().options('/search'), 'POST'],
  ] as const
  for (const [answer, allow] of answers) {
    assert.deepEqual([answer.status, answer.body.code], [405, 'METHOD_NOT_ALLOWED'])
    assert.equal(answer.headers.allow, allow)
    assertMatches(validator('components', 'schemas', 'Problem'), answer.body, allow)
  }
})

test('HEAD is answered like GET, without a body', async () => {
  const answer = await app().head('/healthz')
  assert.deepEqual([answer.status, answer.text], [200, undefined])
})

test('a usable request id is echoed in header and body, any other is replaced', async () => {
  const named = await app().post('/critique').set('X-Request-Id', 'a.b_c:d-1').send(good)
  assert.deepEqual([named.headers['x-request-id'], named.body.request_id], ['a.b_c:d-1', 'a.b_c:d-1'])
  const failed = await app().post('/critique').set('X-Request-Id', 'mine').send({})
  assert.deepEqual([failed.headers['x-request-id'], failed.body.request_id], ['mine', 'mine'])
  for (const id of ['', 'a b', 'a"b', 'x'.repeat(129)]) {
    const answer = await app().post('/critique').set('X-Request-Id', id).send(good)
    assert.match(answer.body.request_id, /^req_\d+$/)
  }
})

test('an unexpected error is INTERNAL, tells nothing, and is logged under its request id', async t => {
  const critic = {
    ...sumsCritic('broken'),
    judge: async () => {
      throw new TypeError('cannot read the secret sauce')
    },
  }
  const broken = createWorld(t, {
    critics: { ...world.deps.critics, criticFor: () => ({ critic: critic, fallback: null }) },
  })
  const answer = await request(broken.app).post('/critique').send(good)
  assert.equal(answer.status, 500)
  assertContract(answer, 'critique')
  assert.deepEqual(answer.body, {
    type: 'urn:spar:error:internal',
    title: 'Something went wrong on our side',
    status: 500,
    detail: `Quote request_id ${answer.body.request_id} to the operator.`,
    code: 'INTERNAL',
    request_id: answer.body.request_id,
  })
  const line = broken.lines.map(text => JSON.parse(text)).find(({ level }) => level === 'error')
  assert.equal(line.request_id, answer.body.request_id)
  assert.equal(line.error.name, 'TypeError')
  assert.match(line.error.at[0], /problems\.test\.ts/)
})

test('an expected failure keeps its code and says when to try again', async t => {
  const critic = {
    ...sumsCritic('busy'),
    judge: async () => {
      throw new AppError('OVERLOADED', 'Too many steps are waiting.', {
        retryAfterS: 0.2,
        limit: 'critic_items',
      })
    },
  }
  const busy = createWorld(t, {
    critics: { ...world.deps.critics, criticFor: () => ({ critic: critic, fallback: null }) },
  })
  const answer = await request(busy.app).post('/critique').send(good)
  assert.deepEqual([answer.status, answer.body.code, answer.body.limit], [429, 'OVERLOADED', 'critic_items'])
  assert.equal(answer.headers['retry-after'], '1')
  assertContract(answer, 'critique')
})

test('an INTERNAL that is thrown on purpose tells nothing either', async t => {
  const critic = {
    ...sumsCritic('broken'),
    judge: async () => {
      throw new AppError('INTERNAL', 'the secret sauce is out')
    },
  }
  const broken = createWorld(t, {
    critics: { ...world.deps.critics, criticFor: () => ({ critic: critic, fallback: null }) },
  })
  const answer = await request(broken.app).post('/critique').send(good)
  assert.deepEqual([answer.status, answer.body.code], [500, 'INTERNAL'])
  assert.doesNotMatch(answer.text, /sauce/)
})

test('the type of a problem is a stable URI', () => {
  assert.equal(problemType('LLM_BAD_RESPONSE'), 'urn:spar:error:llm-bad-response')
})
