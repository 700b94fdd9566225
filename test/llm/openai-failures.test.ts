// The OpenAI client on an endpoint that fails: each failure has its code, ends in time and tells no secret.
import assert from 'node:assert/strict'
import { createServer } from 'node:net'
import { type TestContext, test } from 'node:test'
import { inspect } from 'node:util'
import { gzipSync } from 'node:zlib'
import { AppError, type ErrorCode } from '../../src/errors.ts'
import type { OpenAiOptions } from '../../src/llm/openai.ts'
import { DEFAULT_RETRY } from '../../src/llm/retry.ts'
import type { LlmAnswer, LlmMode } from '../fakes/llm-server.ts'
import { bench, eventually, KEY, never, request } from './support.ts'

const PROBLEM = 'PRIVATE problem 1 and 2.'

function assertTellsNothing(error: AppError): void {
  const shown = inspect(error, { depth: 20, showHidden: true }) + JSON.stringify(error) + String(error.cause)
  for (const secret of [KEY, 'PRIVATE', '127.0.0.1', '"messages"', 'doctype', 'SSH-2.0']) {
    assert.ok(!shown.includes(secret), `${secret} in ${shown}`)
  }
}

async function failureOf(promise: Promise<unknown>): Promise<AppError> {
  const error = await promise.then(
    () => assert.fail('it should have failed'),
    (thrown: unknown) => thrown,
  )
  assert.ok(error instanceof AppError, inspect(error))
  assertTellsNothing(error)
  return error
}

async function failWith(t: TestContext, script: LlmMode | LlmAnswer, options: Partial<OpenAiOptions> = {}) {
  const { llm, server, waitsMs } = await bench(
    t,
    { script: typeof script === 'string' ? script : () => script },
    { timeoutMs: 5000, ...options },
  )
  const error = await failureOf(llm.propose(request({ problem: PROBLEM }), never()))
  return { error, server, waitsMs }
}

const cases: readonly [LlmMode, ErrorCode, calls: number, message: RegExp][] = [
  ['refuses', 'LLM_REFUSED', 1, /HTTP 401/],
  ['bad_request', 'LLM_REFUSED', 1, /HTTP 400/],
  ['not_found', 'LLM_REFUSED', 1, /HTTP 404/],
  ['redirect', 'LLM_REFUSED', 1, /redirect \(HTTP 302\)/],
  ['rate_limited', 'LLM_RATE_LIMITED', 3, /HTTP 429/],
  ['error', 'LLM_ERROR', 3, /HTTP 500/],
  ['dies', 'LLM_UNREACHABLE', 3, /could not be reached/],
  ['html', 'LLM_BAD_RESPONSE', 1, /web page/],
  ['broken_json', 'LLM_BAD_RESPONSE', 1, /not JSON/],
  ['not_http', 'LLM_BAD_RESPONSE', 1, /valid HTTP/],
  ['error_in_200', 'LLM_BAD_RESPONSE', 1, /an error in the place/],
  ['empty_choices', 'LLM_BAD_RESPONSE', 1, /without choices/],
  ['no_content', 'LLM_BAD_RESPONSE', 1, /without text/],
  ['dies_mid_body', 'LLM_BAD_RESPONSE', 1, /broke off/],
]

for (const [mode, code, calls, message] of cases) {
  test(`${mode} is ${code} after ${calls} call(s) and tells no secret`, async t => {
    const { error, server } = await failWith(t, mode)
    assert.equal(error.code, code)
    assert.match(error.message, message)
    assert.match(error.message, /"fake"/)
    assert.equal(server.requests.length, calls)
  })
}

const statuses: readonly [status: number, code: ErrorCode][] = [
  [204, 'LLM_BAD_RESPONSE'],
  [301, 'LLM_REFUSED'],
  [307, 'LLM_REFUSED'],
  [402, 'LLM_REFUSED'],
  [403, 'LLM_REFUSED'],
  [408, 'LLM_TIMEOUT'],
  [422, 'LLM_REFUSED'],
  [503, 'LLM_ERROR'],
]

for (const [status, code] of statuses) {
  test(`HTTP ${status} is ${code}`, async t => {
    const headers = { location: 'http://127.0.0.1:1/' }
    const { error } = await failWith(t, { status, headers, body: '' })
    assert.equal(error.code, code)
  })
}

test('the words of a rejection are waited for only a little', async t => {
  const { llm } = await bench(t, { script: 'hangs_mid_rejection' })
  const begunAt = performance.now()
  await assert.rejects(llm.propose(request(), never()), { code: 'LLM_REFUSED' })
  assert.ok(performance.now() - begunAt < 5000)
})

test('a redirect is not followed', async t => {
  const { server } = await failWith(t, 'redirect')
  assert.deepEqual(
    server.requests.map(sent => sent.path),
    ['/v1/chat/completions'],
  )
})

test('a closed port is LLM_UNREACHABLE with its reason', async t => {
  const closed = createServer()
  await new Promise<void>(resolve => closed.listen(0, '127.0.0.1', resolve))
  const { port } = closed.address() as { port: number }
  await new Promise(resolve => closed.close(resolve))
  const { llm, waitsMs } = await bench(t, {}, { baseUrl: `http://127.0.0.1:${port}/v1` })
  const error = await failureOf(llm.propose(request({ problem: PROBLEM }), never()))
  assert.equal(error.code, 'LLM_UNREACHABLE')
  assert.match(error.message, /ECONNREFUSED/)
  assert.equal(waitsMs.length, 2)
})

test('TLS to a port that does not speak it is LLM_UNREACHABLE', async t => {
  const { llm, server } = await bench(t)
  const plain = new URL(server.url)
  const secure = await bench(t, {}, { baseUrl: `https://${plain.host}/v1`, retry: { maxRetries: 0 } })
  const error = await failureOf(secure.llm.propose(request({ problem: PROBLEM }), never()))
  assert.equal(error.code, 'LLM_UNREACHABLE')
  assert.ok((await llm.propose(request(), never())).ended)
})

for (const mode of ['hangs', 'hangs_mid_body'] as const) {
  test(`${mode} is LLM_TIMEOUT, is not tried again, and its connection is closed`, async t => {
    const { error, server } = await failWith(t, mode, { timeoutMs: 60 })
    assert.equal(error.code, 'LLM_TIMEOUT')
    assert.match(error.message, /within 0\.06 s/)
    assert.equal(server.requests.length, 1)
    assert.ok(await eventually(() => server.openSockets() === 0))
  })

  test(`an abort while it ${mode} rejects with the signal's reason at once and closes the connection`, async t => {
    const { llm, server } = await bench(t, { script: mode })
    const caller = new AbortController()
    const reason = new Error('the client left')
    const proposed = llm.propose(request(), caller.signal)
    assert.ok(await eventually(() => server.inFlight() === 1))
    const at = performance.now()
    caller.abort(reason)
    await assert.rejects(proposed, error => error === reason)
    assert.ok(performance.now() - at < 1000)
    assert.ok(await eventually(() => server.openSockets() === 0))
    assert.equal(server.requests.length, 1)
  })
}

test('an aborted signal stops a call before it is made', async t => {
  const { llm, server } = await bench(t)
  const reason = new Error('too late')
  await assert.rejects(llm.propose(request(), AbortSignal.abort(reason)), error => error === reason)
  assert.equal(server.openSockets(), 0)
})

test('an abort ends the wait before a retry', async t => {
  const options = { retry: { sleep: DEFAULT_RETRY.sleep } }
  const { llm, server } = await bench(t, { script: 'rate_limited_retry_after', retryAfterS: 9 }, options)
  const caller = new AbortController()
  const proposed = llm.propose(request(), caller.signal)
  assert.ok(await eventually(() => server.requests.length === 1 && server.inFlight() === 0))
  const reason = new Error('gone')
  const at = performance.now()
  caller.abort(reason)
  await assert.rejects(proposed, error => error === reason)
  assert.ok(performance.now() - at < 1000)
  assert.equal(server.requests.length, 1)
})

test('an endless body is cut at the cap and its connection is closed', async t => {
  const { error, server } = await failWith(t, 'huge_body', { maxResponseBytes: 300_000 })
  assert.equal(error.code, 'LLM_BAD_RESPONSE')
  assert.match(error.message, /more than 300000 bytes/)
  assert.ok(await eventually(() => server.openSockets() === 0))
})

test('a compressed body counts at its full size', async t => {
  const body = gzipSync(Buffer.alloc(4_000_000, 32))
  assert.ok(body.length < 10_000)
  const answer = { headers: { 'content-encoding': 'gzip' }, body }
  const { error } = await failWith(t, answer, { maxResponseBytes: 100_000 })
  assert.match(error.message, /more than 100000 bytes/)
})

test('a broken compression is LLM_BAD_RESPONSE', async t => {
  const { error } = await failWith(t, { headers: { 'content-encoding': 'gzip' }, body: 'PRIVATE not gzip' })
  assert.equal(error.code, 'LLM_BAD_RESPONSE')
})

test('deep nesting is LLM_BAD_RESPONSE, not a crash', async t => {
  const { error } = await failWith(t, { body: `${'['.repeat(500_000)}${']'.repeat(500_000)}` })
  assert.equal(error.code, 'LLM_BAD_RESPONSE')
})

test('a passing failure is retried with growing, jittered waits, and the reply counts one call', async t => {
  const script = (_: unknown, index: number) => (['error', 'dies', 'ok'] as const)[index] ?? 'ok'
  const { llm, waitsMs } = await bench(t, { script })
  const reply = await llm.propose(request(), never())
  assert.equal(reply.usage.calls, 1)
  assert.deepEqual(waitsMs, [187.5, 375])
})

test('Retry-After is waited for, with jitter on top', async t => {
  const script = (_: unknown, index: number) => (index === 0 ? 'rate_limited_retry_after' : 'ok')
  const { llm, waitsMs } = await bench(t, { script, retryAfterS: 2 })
  await llm.propose(request(), never())
  assert.deepEqual(waitsMs, [2125])
})

test('a long Retry-After is passed on to the caller and not waited for', async t => {
  const { llm, server } = await bench(t, { script: 'rate_limited_retry_after', retryAfterS: 120 })
  const error = await failureOf(llm.propose(request({ problem: PROBLEM }), never()))
  assert.deepEqual([error.code, error.retryAfterS], ['LLM_RATE_LIMITED', 120])
  assert.equal(server.requests.length, 1)
})

test('a Retry-After date becomes seconds', async t => {
  const headers = { 'retry-after': 'Fri, 01 Jan 2027 00:01:00 GMT' }
  const now = () => Date.UTC(2027, 0, 1, 0, 0, 15)
  const { error } = await failWith(t, { status: 429, headers, body: '' }, { now })
  assert.equal(error.retryAfterS, 45)
})
