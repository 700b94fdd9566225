import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import request from 'supertest'
import { assertContract } from './contract-check.ts'
import { listening } from './listening.ts'
import { parseEvents } from './read-events.ts'
import { createWorld, startLlm, type World } from './world.ts'

const problem = 'Tom has 5 apples, buys 7, then 30 more. How many has he?'
const body = { problem, llm: { upstream: 'fake' }, params: { n: 4 }, seed: 3 }
const aside = { Prefer: 'respond-async' }

const llm = await startLlm({ after })
const world = createWorld({ after }, { llmUrl: llm.url })

type App = Pick<World, 'app'>
const post = (own: App, sent: object, headers: Record<string, string> = {}) =>
  request(own.app).post('/search').set(headers).send(sent)
const look = (own: App, id: string) => request(own.app).get(`/search/${id}`)

/** Begins a search without waiting for it; returns its id. */
async function begin(own: App, sent: object, headers: Record<string, string> = {}): Promise<string> {
  const answer = await post(own, sent, { ...aside, ...headers })
  assert.equal(answer.status, 202, answer.text)
  assertContract(answer, 'search')
  return answer.body.id
}

async function untilEnded(own: App, id: string) {
  for (;;) {
    const answer = await look(own, id)
    assert.equal(answer.status, 200, answer.text)
    assertContract(answer, 'getSearch')
    if (answer.body.state !== 'running') return answer.body
    await new Promise(resolve => setTimeout(resolve, 5))
  }
}

async function assertUnknown(own: App, id: string): Promise<void> {
  const answer = await look(own, id)
  assert.deepEqual([answer.status, answer.body.code], [404, 'UNKNOWN_SEARCH'])
  assertContract(answer, 'getSearch')
}

test('a search without its client has an address at once and its result there later', async t => {
  const slow = await startLlm(t, { delayMs: 50 })
  const own = createWorld(t, { llmUrl: slow.url })
  const begun = await post(own, body, { Prefer: 'wait=5, Respond-Async' })
  assert.equal(begun.status, 202)
  assertContract(begun, 'search')
  const { id } = begun.body
  assert.equal(begun.headers.location, `/search/${id}`)
  assert.equal(begun.headers['preference-applied'], 'respond-async')
  assert.deepEqual(begun.body, {
    id,
    state: 'running',
    result: null,
    tree: null,
    problem: null,
    created_at: '2026-11-02T09:30:00.000Z',
    ended_at: null,
  })
  assert.equal((await look(own, id)).body.state, 'running')
  const ended = await untilEnded(own, id)
  assert.deepEqual([ended.state, ended.result.id, ended.result.answer], ['done', id, '42'])
  assert.equal(ended.result.request_id, begun.headers['x-request-id'])
  assert.equal(ended.ended_at, '2026-11-02T09:30:00.000Z')
  const [found] = await own.traffic()
  assert.equal(found?.record.id, id)
  const feedback = await request(own.app).post('/feedback').send({ search_id: id, answer_correct: true })
  assert.equal(feedback.body.accepted, 1)
})

for (const method of ['guard', 'mcts'])
  test(`${method} has its whole tree there, waited for or not`, async () => {
    const sent = { ...body, method, params: {} }
    const waited = await post(world, sent)
    const known = await untilEnded(world, waited.body.id)
    assert.deepEqual(known.result, waited.body)
    const [root, ...nodes] = known.tree
    assert.deepEqual([root.parent, root.depth, root.step], [-1, 0, ''])
    assert.ok(nodes.length > 3)
    for (const { parent, depth } of nodes) assert.equal(known.tree[parent].depth, depth - 1)
    assert.deepEqual((await untilEnded(world, await begin(world, sent))).tree, known.tree)
  })

test('a chat completion and a streamed search can be looked up by their ids', async () => {
  const chat = await request(world.app)
    .post('/v1/chat/completions')
    .send({ model: 'spar', messages: [{ role: 'user', content: problem }] })
  const known = await untilEnded(world, chat.body.spar.id)
  assert.equal(known.result.solution, chat.body.choices[0].message.content)
  assert.equal(known.tree, null)
  const done = parseEvents((await post(world, { ...body, stream: true })).text).at(-1)?.data
  assert.deepEqual((await untilEnded(world, (done as { id: string }).id)).result, done)
})

test('with X-Spar-Log: off only a search that was asked to be held is held, and none is logged', async t => {
  const own = createWorld(t, { llmUrl: llm.url })
  const off = { 'X-Spar-Log': 'off' }
  await assertUnknown(own, (await post(own, body, off)).body.id)
  assert.equal((await untilEnded(own, await begin(own, body, off))).state, 'done')
  const claimed = await post(own, body, { ...off, 'Idempotency-Key': 'a' })
  assert.equal((await untilEnded(own, claimed.body.id)).state, 'done')
  assert.deepEqual(await own.traffic(), [])
})

test('a search that fails without its client says why, and its client can be gone', async t => {
  const bad = await startLlm(t, { script: 'refuses' })
  const own = createWorld(t, { llmUrl: bad.url })
  const ended = await untilEnded(own, await begin(own, body, { 'X-Request-Id': 'mine' }))
  assert.deepEqual([ended.state, ended.result], ['failed', null])
  assert.deepEqual([ended.problem.code, ended.problem.request_id], ['LLM_REFUSED', 'mine'])
  const warning = own.lines.map(line => JSON.parse(line)).find(({ level }) => level === 'warn')
  assert.deepEqual([warning.request_id, warning.error.code], ['mine', 'LLM_REFUSED'])
})

test('what is wrong with a request is said at once, not in its result', async () => {
  const cases: [object, number, string][] = [
    [{ llm: { upstream: 'none' } }, 422, 'UNKNOWN_UPSTREAM'],
    [{ critic: 'sums@9' }, 404, 'UNKNOWN_CRITIC'],
    [{ params: { runs: 2 } }, 422, 'INVALID_REQUEST'],
  ]
  for (const [wrong, status, code] of cases) {
    const answer = await post(world, { ...body, ...wrong }, aside)
    assert.deepEqual([answer.status, answer.body.code], [status, code])
    assertContract(answer, 'search')
  }
})

test('a running search that is deleted ends with its calls and is forgotten', async t => {
  const slow = await startLlm(t, { script: 'hangs' })
  const own = createWorld(t, { llmUrl: slow.url })
  const id = await begin(own, body)
  while (slow.inFlight() < 4) await new Promise(resolve => setTimeout(resolve, 5))
  const answer = await request(own.app).delete(`/search/${id}`)
  assert.deepEqual([answer.status, answer.text], [204, ''])
  while (slow.inFlight() > 0) await new Promise(resolve => setTimeout(resolve, 5))
  await assertUnknown(own, id)
  assert.deepEqual(await own.traffic(), [])
  assert.ok(own.lines.every(line => ['info', 'debug'].includes(JSON.parse(line).level)))
})

test('a search that has ended is forgotten when it is deleted, and an unknown one is a problem', async () => {
  const { id } = (await post(world, body)).body
  assert.equal((await request(world.app).delete(`/search/${id}`)).status, 204)
  await assertUnknown(world, id)
  const again = await request(world.app).delete(`/search/${id}`)
  assert.deepEqual([again.status, again.body.code], [404, 'UNKNOWN_SEARCH'])
  assertContract(again, 'deleteSearch')
})

test('searches without their client end when the service closes', async t => {
  const slow = await startLlm(t, { script: 'hangs' })
  const closing = new AbortController()
  const own = createWorld(t, { llmUrl: slow.url, closing: closing.signal })
  await begin(own, body)
  while (slow.inFlight() === 0) await new Promise(resolve => setTimeout(resolve, 5))
  closing.abort()
  while (slow.inFlight() > 0) await new Promise(resolve => setTimeout(resolve, 5))
})

test('only so many run without their client; one more is OVERLOADED until one ends', async t => {
  const slow = await startLlm(t, { script: 'hangs' })
  const own = createWorld(t, { llmUrl: slow.url, config: { searches: { running: 2 } } })
  const first = await begin(own, body)
  await begin(own, body)
  const third = await post(own, body, aside)
  assert.deepEqual([third.status, third.body.code, third.headers['retry-after']], [429, 'OVERLOADED', '1'])
  assertContract(third, 'search')
  await request(own.app).delete(`/search/${first}`)
  await begin(own, body)
})

test('the oldest are forgotten when there are too many or too much of them', async t => {
  const size = JSON.stringify((await post(world, body)).body).length
  for (const searches of [{ ended: 2 }, { bytes: 2.5 * size }]) {
    const own = createWorld(t, { llmUrl: llm.url, config: { searches } })
    const ids: string[] = []
    for (let i = 0; i < 4; i++) ids.push((await post(own, body)).body.id)
    for (const id of ids.slice(0, 2)) await assertUnknown(own, id)
    for (const id of ids.slice(2)) assert.equal((await look(own, id)).status, 200)
  }
})

test('a search is forgotten some time after its end, its key too, and one that runs is not', async t => {
  const held = await startLlm(t, { script: (_, index) => (index < 8 ? 'ok' : 'hangs') })
  let now = Date.UTC(2026, 10, 2)
  const own = createWorld(t, { llmUrl: held.url, now: () => now, config: { searches: { ageMs: 1000 } } })
  const key = { 'Idempotency-Key': 'a' }
  const { id } = (await post(own, body, key)).body
  now += 1000
  assert.equal((await post(own, body, key)).body.id, id)
  now += 1
  await assertUnknown(own, id)
  assert.notEqual((await post(own, body, key)).body.id, id)
  const running = await begin(own, body)
  now += 5000
  assert.equal((await look(own, running)).body.state, 'running')
  await request(own.app).delete(`/search/${running}`)
})

test('a request that is sent again under its key has the first answer, without another search', async t => {
  const own = createWorld(t, { llmUrl: llm.url })
  const { seed: _, ...unseeded } = body
  const key = { 'Idempotency-Key': '8e03978e-40d5-43dd-bc93-6894a57f9324' }
  const first = await post(own, unseeded, key)
  const seen = llm.requests.length
  const again = await post(own, unseeded, key)
  assert.deepEqual([again.status, again.body], [200, first.body])
  assertContract(again, 'search')
  assert.notEqual(again.headers['x-request-id'], first.headers['x-request-id'])
  assert.equal(llm.requests.length, seen)
  assert.equal((await own.traffic()).length, 1)
  assert.notEqual((await post(own, unseeded, { 'Idempotency-Key': 'another' })).body.id, first.body.id)
})

test('a stream under its key is answered again with its end, and a search without its client with its address', async () => {
  const streamed = { ...body, stream: true }
  const key = { 'Idempotency-Key': 'stream' }
  const first = parseEvents((await post(world, streamed, key)).text)
  const again = await post(world, streamed, key)
  assertContract(again, 'search')
  assert.deepEqual(parseEvents(again.text), first.slice(-1))
  const id = await begin(world, body, { 'Idempotency-Key': 'aside' })
  assert.equal(await begin(world, body, { 'Idempotency-Key': 'aside' }), id)
  await untilEnded(world, id)
  assert.equal(await begin(world, body, { 'Idempotency-Key': 'aside' }), id)
})

test('a key that stands for another request is refused', async () => {
  const key = { 'Idempotency-Key': 'taken' }
  await post(world, body, key)
  const cases: [object, Record<string, string>][] = [
    [{ ...body, seed: 4 }, key],
    [{ ...body, stream: true }, key],
    [body, { ...key, ...aside }],
    [body, { ...key, 'X-LLM-Api-Key': 'sk-other' }],
  ]
  for (const [sent, headers] of cases) {
    const answer = await post(world, sent, headers)
    assert.deepEqual([answer.status, answer.body.code], [422, 'IDEMPOTENCY_MISMATCH'])
    assertContract(answer, 'search')
  }
})

test('a key is of one client: another one has its own of the same name', async () => {
  const key = { 'Idempotency-Key': '1' }
  const first = await post(world, body, { ...key, 'X-Api-Key': 'ann' })
  const other = await post(world, { ...body, seed: 4 }, { ...key, Authorization: 'Bearer bob' })
  assert.deepEqual([first.status, other.status], [200, 200])
  assert.notEqual(other.body.id, first.body.id)
  assert.equal((await post(world, body, { ...key, 'X-Api-Key': 'ann' })).body.id, first.body.id)
})

test('a key that is no key is refused', async () => {
  for (const key of ['', 'x'.repeat(256)]) {
    const answer = await post(world, body, { 'Idempotency-Key': key })
    assert.deepEqual([answer.status, answer.body.code], [422, 'INVALID_REQUEST'])
  }
  assert.equal((await post(world, body, { 'Idempotency-Key': 'x'.repeat(255) })).status, 200)
})

test('while the first request is running its key is in use, and it is free when its client leaves', async t => {
  const slow = await startLlm(t, { script: (_, index) => (index < 4 ? 'hangs' : 'ok') })
  const own = createWorld(t, { llmUrl: slow.url })
  const key = { 'Idempotency-Key': 'a' }
  await listening(own.app, async url => {
    const leave = new AbortController()
    const headers = { ...key, 'Content-Type': 'application/json' }
    const asked = fetch(`${url}/search`, {
      method: 'POST',
      headers,
      body: JSON.stringify(body),
      signal: leave.signal,
    })
    while (slow.inFlight() < 4) await new Promise(resolve => setTimeout(resolve, 5))
    const second = await post(own, body, key)
    assert.deepEqual([second.status, second.body.code], [409, 'IDEMPOTENCY_IN_USE'])
    assert.equal(second.headers['retry-after'], '1')
    assertContract(second, 'search')
    leave.abort()
    await assert.rejects(asked)
    while (slow.inFlight() > 0) await new Promise(resolve => setTimeout(resolve, 5))
  })
  assert.equal((await post(own, body, key)).status, 200)
})

test('a key is free again when its request fails, or its search is deleted', async t => {
  const once = await startLlm(t, { script: (_, index) => (index < 4 ? 'error' : 'ok') })
  const own = createWorld(t, { llmUrl: once.url })
  const key = { 'Idempotency-Key': 'a' }
  assert.equal((await post(own, body, key)).status, 502)
  const { id } = (await post(own, body, key)).body
  assert.match(id, /^search_/)
  await request(own.app).delete(`/search/${id}`)
  assert.notEqual((await post(own, body, key)).body.id, id)
})
