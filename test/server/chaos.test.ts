// The chaos table: whatever an upstream does, a search ends in time with an answer or an error code, and no call outlives it. Through the front door, with the real clients and their real retries; every fault meets every door.
import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import request from 'supertest'
import { parseAddressRanges } from '../../src/llm/address-guard.ts'
import { parseAllowedHosts } from '../../src/llm/url-guard.ts'
import { createLlms } from '../../src/llms.ts'
import type { LlmServerOptions } from '../fakes/llm-server.ts'
import { cells, createSpar, DEADLINE_MS, llm, problem, settled } from './chaos-world.ts'
import { assertContract } from './contract-check.ts'
import { parseEvents } from './read-events.ts'
import { createWorld, startLlm } from './world.ts'

/** Of one call; short where nothing else ends it. */
const CALL_TIMEOUT_MS = 15_000
const SHORT_TIMEOUT_MS = 300
/** By how much an answer may be later than its deadline: the machine that tests may be busy. */
const GRACE_MS = 3000
const AT_ONCE = 9

type Budget = Readonly<Record<string, number>>

/** Each door with a method of its own: whole solutions, steps, a tree. `outcome` is `status finish` or `status CODE`. */
const DOORS = {
  'search, best_of_n': {
    operation: 'search',
    path: '/search',
    body: (budget: Budget) => ({ problem, llm, method: 'best_of_n', params: { n: 2 }, budget }),
    outcome: ({ status, body }: request.Response) => `${status} ${body.code ?? body.finish_reason}`,
  },
  'stream, beam': {
    operation: 'search',
    path: '/search',
    body: (budget: Budget) => ({
      problem,
      llm,
      method: 'beam',
      params: { n: 2, width: 2 },
      budget,
      stream: true,
    }),
    outcome: ({ status, body, text }: request.Response) => {
      const end = parseEvents(text ?? '').at(-1)?.data as Record<string, string> | undefined
      return `${status} ${body.code ?? end?.['code'] ?? end?.['finish_reason']}`
    },
  },
  'chat, mcts': {
    operation: 'chatCompletions',
    path: '/v1/chat/completions',
    body: (budget: Budget) => ({
      model: 'fake',
      messages: [{ role: 'user', content: problem }],
      spar: { method: 'mcts', params: { simulations: 2, width: 2 }, budget },
    }),
    outcome: ({ status, body }: request.Response) =>
      `${status} ${body.error?.code ?? body.spar.finish_reason}`,
  },
} as const

interface Fault {
  readonly name: string
  readonly upstream: LlmServerOptions
  readonly want: string
  readonly budget?: Budget
  /** Nobody listens at the upstream's port. */
  readonly closed?: true
  /** Its calls are streamed. */
  readonly stream?: 'on'
}

const FAULTS: readonly Fault[] = [
  { name: 'refuses connections', upstream: {}, closed: true, want: '502 LLM_UNREACHABLE' },
  { name: 'refuses the key', upstream: { script: 'refuses' }, want: '502 LLM_REFUSED' },
  { name: 'hangs', upstream: { script: 'hangs' }, want: '504 LLM_TIMEOUT' },
  {
    name: 'hangs in the middle of its answer',
    upstream: { script: 'hangs_mid_body' },
    want: '504 LLM_TIMEOUT',
  },
  { name: 'dies', upstream: { script: 'dies' }, want: '502 LLM_UNREACHABLE' },
  {
    name: 'dies in the middle of its answer',
    upstream: { script: 'dies_mid_body' },
    want: '502 LLM_BAD_RESPONSE',
  },
  { name: 'answers 429', upstream: { script: 'rate_limited' }, want: '503 LLM_RATE_LIMITED' },
  {
    name: 'answers 429 with a Retry-After of a minute',
    upstream: { script: 'rate_limited_retry_after', retryAfterS: 60 },
    want: '503 LLM_RATE_LIMITED',
  },
  {
    name: 'answers 429 with a Retry-After of a second, once',
    upstream: { script: (_, index) => (index === 0 ? 'rate_limited_retry_after' : 'ok'), retryAfterS: 1 },
    want: '200 complete',
  },
  { name: 'answers 500', upstream: { script: 'error' }, want: '502 LLM_ERROR' },
  {
    name: 'answers 500, once',
    upstream: { script: (_, i) => (i === 0 ? 'error' : 'ok') },
    want: '200 complete',
  },
  { name: 'redirects', upstream: { script: 'redirect' }, want: '502 LLM_REFUSED' },
  { name: 'sends a web page', upstream: { script: 'html' }, want: '502 LLM_BAD_RESPONSE' },
  { name: 'sends what is not HTTP', upstream: { script: 'not_http' }, want: '502 LLM_BAD_RESPONSE' },
  { name: 'sends broken JSON', upstream: { script: 'broken_json' }, want: '502 LLM_BAD_RESPONSE' },
  { name: 'sends empty choices', upstream: { script: 'empty_choices' }, want: '502 LLM_BAD_RESPONSE' },
  { name: 'sends an error as 200', upstream: { script: 'error_in_200' }, want: '502 LLM_BAD_RESPONSE' },
  { name: 'sends a line of 100 MB', upstream: { script: 'long_line' }, want: '502 LLM_BAD_RESPONSE' },
  { name: 'sends bytes without end', upstream: { script: 'huge_body' }, want: '502 LLM_BAD_RESPONSE' },
  { name: 'sends tokens without end', upstream: { script: 'endless_tokens' }, want: '504 LLM_TIMEOUT' },
  { name: 'sends a wrong usage', upstream: { script: 'wrong_usage' }, want: '200 complete' },
  { name: 'sends no usage', upstream: { script: 'no_usage' }, want: '200 complete' },
  { name: 'is well, budget of one token', upstream: {}, budget: { max_tokens: 1 }, want: '200 budget' },
  {
    name: 'is well, deadline of 1 ms',
    upstream: { delayMs: 50 },
    budget: { deadline_ms: 1 },
    want: '504 LLM_TIMEOUT',
  },
]

/** The same upstream, asked to stream. */
const STREAM_FAULTS: readonly Fault[] = (
  [
    ['is well', {}, '200 complete'],
    ['refuses to stream', { script: 'rejects_stream' }, '200 complete'],
    ['answers in plain JSON', { script: 'streams_never' }, '200 complete'],
    ['takes no notice of the stop sequence', { script: 'ignores_stop' }, '200 complete'],
    ['streams two choices', { script: 'stream_two_choices' }, '200 complete'],
    ['does not mark the end of its stream', { script: 'stream_no_done' }, '200 complete'],
    ['leaves its stream open', { script: 'stream_never_closes' }, '200 complete'],
    ['sends a wrong usage chunk', { script: 'stream_wrong_usage' }, '200 complete'],
    ['dies in the middle of its stream', { script: 'stream_dies' }, '502 LLM_BAD_RESPONSE'],
    ['ends in the middle of its stream', { script: 'stream_ends_early' }, '502 LLM_BAD_RESPONSE'],
    ['sends an error in the middle of its stream', { script: 'stream_error_chunk' }, '502 LLM_BAD_RESPONSE'],
    ['streams a line without end', { script: 'stream_endless_line' }, '502 LLM_BAD_RESPONSE'],
    ['streams tokens without end', { script: 'stream_endless_tokens' }, '200 complete'],
    ['stalls before its first token', { script: 'stream_stalls_first' }, '504 LLM_TIMEOUT'],
    ['stalls between tokens', { script: 'stream_stalls_between' }, '504 LLM_TIMEOUT'],
    [
      'dies once in the middle of its stream',
      { script: (_, i) => (i === 0 ? 'stream_dies' : 'ok') },
      '200 complete',
    ],
  ] as const satisfies readonly (readonly [string, LlmServerOptions, string])[]
).map(([name, upstream, want]) => ({ name, upstream, want, stream: 'on' }))

type Door = keyof typeof DOORS

async function meet(t: TestContext, { upstream, budget, closed, want, stream }: Fault, door: Door) {
  const server = await startLlm(t, upstream)
  if (closed) await server.close()
  const timeoutMs = want.endsWith('LLM_TIMEOUT') ? SHORT_TIMEOUT_MS : CALL_TIMEOUT_MS
  const { app, traffic } = createSpar(t, server, { timeoutMs, ...(stream && { stream }) })
  const { operation, path, body, outcome } = DOORS[door]
  const startedAt = performance.now()
  const answer = await request(app)
    .post(path)
    .send(body({ deadline_ms: DEADLINE_MS, ...budget }))
  const ms = Math.round(performance.now() - startedAt)
  assertContract(answer, operation)
  const got = outcome(answer)
  await settled(() => server.inFlight() === 0)
  const calls = server.requests.length
  if (!got.startsWith('200')) assert.deepEqual(await traffic(), [])
  assert.equal((await request(app).get('/healthz')).status, 200)
  return { got, ms, calls, after: server.requests.length - calls, open: server.inFlight(), answer }
}

for (const [how, faults] of [
  ['', FAULTS],
  ['streamed, ', STREAM_FAULTS],
] as const)
  test(`${how}whatever the upstream does, every search ends in time with an answer or a code, and no call outlives it`, t =>
    meetAll(t, faults))

async function meetAll(t: TestContext, faults: readonly Fault[]) {
  const rows: string[] = []
  const doors = Object.keys(DOORS) as Door[]
  const cases = faults.flatMap(fault => doors.map(door => ({ fault, door })))
  // Few at a time: what is measured is the search and not the queue for a core.
  for (let first = 0; first < cases.length; first += AT_ONCE) {
    const batch = cases.slice(first, first + AT_ONCE)
    const met = await Promise.all(batch.map(({ fault, door }) => meet(t, fault, door)))
    for (const [i, { got, ms, calls, after, open }] of met.entries()) {
      const { fault, door } = batch[i]!
      rows.push(cells(fault.name, door, got, ms, calls, open))
      assert.equal(got, fault.want, `${fault.name}: ${door}`)
      assert.ok(ms < DEADLINE_MS + GRACE_MS, `${fault.name}: ${door} took ${ms} ms`)
      assert.equal(after, 0, `${fault.name}: ${door} called again after its end`)
    }
  }
  t.diagnostic(cells('upstream', 'door, method', 'end', 'ms', 'calls', 'open after it'))
  for (const row of rows) t.diagnostic(row)
}

test('what a stream has cost that breaks off is counted, as an estimate', async t => {
  const fault = STREAM_FAULTS.find(({ name }) => name === 'dies once in the middle of its stream')!
  const { answer } = await meet(t, fault, 'search, best_of_n')
  const { llm: used } = answer.body.usage
  assert.deepEqual([used.calls, used.estimated], [2, true])
  const [whole] = answer.body.candidates
  assert.equal(answer.body.candidates.length, 1)
  assert.ok(used.completion_tokens > Math.ceil(whole.solution.length / 4) + 1)
})

test('a first token that does not come ends the search long before a call may', async t => {
  const server = await startLlm(t, { script: 'stream_stalls_first' })
  const { app } = createSpar(t, server, { timeoutMs: 60_000, firstTokenTimeoutMs: 200, stream: 'on' })
  const startedAt = performance.now()
  const answer = await request(app).post('/search').send({ problem, llm, method: 'beam' })
  assert.deepEqual([answer.status, answer.body.code], [504, 'LLM_TIMEOUT'])
  assert.ok(performance.now() - startedAt < GRACE_MS)
  await settled(() => server.inFlight() === 0)
})

test('while an upstream is left alone a search ends at once, with the time to come back', async t => {
  const server = await startLlm(t, { script: 'hangs' })
  const { app } = createSpar(t, server, { timeoutMs: SHORT_TIMEOUT_MS, concurrency: 2 })
  const ask = () =>
    request(app)
      .post('/search')
      .send({ problem, llm, method: 'best_of_n', params: { n: 32, concurrency: 32 } })
  assert.equal((await ask()).body.code, 'LLM_TIMEOUT')
  const calls = server.requests.length
  assert.ok(calls <= 6, `${calls} calls, each of which took its time`)
  const answer = await ask()
  assert.deepEqual([answer.status, answer.body.code], [502, 'LLM_UNREACHABLE'])
  assert.match(answer.headers['retry-after']!, /^[1-5]$/)
  assert.equal(server.requests.length, calls)
})

test('a request may wish for a stream, or for none, whatever the upstream is configured to', async t => {
  const server = await startLlm(t)
  const { app } = createSpar(t, server, {})
  for (const wish of [{}, { stream: true }, { stream: false }]) {
    const body = { problem, llm: { ...llm, ...wish }, method: 'best_of_n', params: { n: 1 } }
    const answer = await request(app).post('/search').send(body)
    assertContract(answer, 'search')
    assert.equal(answer.status, 200)
  }
  assert.deepEqual(
    server.requests.map(({ body }) => body?.stream),
    [undefined, true, undefined],
  )
})

test('a wait that the upstream asks for is passed on, and usage that cannot be read is an estimate', async t => {
  const fault = (name: string) => FAULTS.find(fault => fault.name === name)!
  const limited = await meet(t, fault('answers 429 with a Retry-After of a minute'), 'search, best_of_n')
  assert.equal(limited.answer.headers['retry-after'], '60')
  const estimated = await meet(t, fault('sends a wrong usage'), 'search, best_of_n')
  assert.equal(estimated.answer.body.usage.llm.estimated, true)
})

test('a name of a client that leads to an address which is not public is refused before a byte is sent', async t => {
  const server = await startLlm(t)
  const { app } = createWorld(t, {
    llms: createLlms({
      upstreams: new Map(),
      allowedHosts: parseAllowedHosts('inside.example'),
      guard: {
        privateRanges: parseAddressRanges(''),
        resolve: (_, callback) => callback(null, [{ address: '127.0.0.1', family: 4 }]),
      },
      sampler: () => assert.fail('not asked'),
      first: 'builtin',
    }),
  })
  const endpoint = { base_url: server.url.replace('127.0.0.1', 'inside.example'), model: 'm' }
  const answer = await request(app).post('/search').send({ problem, llm: endpoint })
  assert.deepEqual([answer.status, answer.body.code], [403, 'LLM_HOST_NOT_ALLOWED'])
  assertContract(answer, 'search')
  assert.equal(server.openSockets(), 0)
})
