import assert from 'node:assert/strict'
import { once } from 'node:events'
import { request as httpRequest, type IncomingMessage, type ServerResponse } from 'node:http'
import { after, test } from 'node:test'
import request from 'supertest'
import type { Critic } from '../../src/critic/types.ts'
import { AppError } from '../../src/errors.ts'
import type { Llm } from '../../src/llm/types.ts'
import { assertContract, assertMatches, validator } from './contract-check.ts'
import { listening } from './listening.ts'
import { parseEvents, type ReceivedEvent, readEvents } from './read-events.ts'
import { createWorld, startLlm, sumsCritic, type World } from './world.ts'

const problem = 'Tom has 5 apples, buys 7, then 30 more. How many has he?'
const fake = { upstream: 'fake' }
const headers = { 'Content-Type': 'application/json' }

const llm = await startLlm({ after })
const world = createWorld({ after }, { llmUrl: llm.url })

const ask = (own: Pick<World, 'app'>, body: object) =>
  request(own.app)
    .post('/search')
    .send({ problem, llm: fake, stream: true, ...body })

/** The events of a whole stream, each of them what the contract says. */
async function eventsOf(own: Pick<World, 'app'>, body: object): Promise<ReceivedEvent[]> {
  const answer = await ask(own, body)
  assert.equal(answer.status, 200, answer.text)
  assertContract(answer, 'search')
  const events = parseEvents(answer.text)
  for (const { event, data } of events)
    assertMatches(validator('components', 'schemas', 'SearchEvents'), { [event]: data }, event)
  assert.equal(events.length, answer.text.match(/^data: /gm)?.length)
  return events
}

const dataOf = (events: readonly ReceivedEvent[], name: string) =>
  events.filter(({ event }) => event === name).map(({ data }) => data as Record<string, never>)

for (const method of ['best_of_n', 'weighted_best_of_n', 'self_consistency', 'guard', 'mcts'])
  test(`${method} tells what happens and ends with the answer that it gives without a stream`, async () => {
    const events = await eventsOf(world, { method, seed: 3 })
    assert.equal(
      events.findIndex(({ event }) => event === 'done'),
      events.length - 1,
    )
    const [done] = dataOf(events, 'done')
    const { body: plain } = await ask(world, { method, seed: 3, stream: false })
    const { id, request_id, ...found } = done!
    const { id: _, request_id: __, ...wanted } = plain
    assert.deepEqual(found, wanted)
    assert.ok(id && request_id)

    const told = dataOf(events, 'candidate').map(({ candidate }) => JSON.stringify(candidate))
    for (const { votes: _, ...candidate } of plain.candidates)
      assert.ok(told.some(text => text.startsWith(JSON.stringify(candidate).slice(0, -1))))
    assert.equal(dataOf(events, 'best').at(-1)?.answer, plain.answer)
    assert.deepEqual(dataOf(events, 'usage').at(-1), plain.usage)
    for (const name of ['step', 'score']) assert.ok(dataOf(events, name).length > 0, name)
  })

test('a score names the steps it is for, with the verdict of the critic that guides', async () => {
  const events = await eventsOf(world, { method: 'best_of_n', params: { n: 8 }, seed: 1 })
  const texts = new Map(dataOf(events, 'step').map(({ branch, index, text }) => [`${branch}.${index}`, text]))
  const scored = dataOf(events, 'score').flatMap(({ branch, steps }) =>
    (steps as unknown as { index: number; verdict: string }[]).map(step => ({ branch, ...step })),
  )
  assert.equal(scored.length, texts.size)
  const wrong = scored.filter(({ verdict }) => verdict === 'wrong')
  assert.ok(wrong.length > 0)
  for (const { branch, index } of wrong) assert.match(texts.get(`${branch}.${index}`)!, /12 \+ 30 = 52/)
})

test('plan tells which plan each solution follows', async () => {
  const events = await eventsOf(world, { method: 'plan', params: { n: 3, plans: 1 }, seed: 1 })
  const plans = dataOf(events, 'plan')
  assert.deepEqual(
    plans.map(({ branch, plan, text }) => [branch, plan, typeof text]),
    [
      [0, 0, 'object'],
      [1, 1, 'string'],
      [2, plans[2]!['plan'], plans[2]!['plan'] === 0 ? 'object' : 'string'],
    ],
  )
})

test('the guard tells which steps it rejects', async () => {
  const events = await eventsOf(world, { method: 'guard', params: { runs: 8 }, seed: 1 })
  assert.ok(dataOf(events, 'prune').some(({ reason }) => reason === 'rejected'))
})

test('events are sent as they happen, and a client that leaves ends the calls under way', async t => {
  const slow = await startLlm(t, { script: (_, index) => (index === 0 ? 'ok' : 'hangs') })
  const own = createWorld(t, { llmUrl: slow.url })
  await listening(own.app, async url => {
    const leave = new AbortController()
    const body = JSON.stringify({ problem, llm: fake, params: { n: 3 }, stream: true })
    const answer = await fetch(`${url}/search`, { method: 'POST', headers, body, signal: leave.signal })
    assert.match(answer.headers.get('content-type') ?? '', /^text\/event-stream/)
    const events = readEvents(answer)
    while ((await events.next()).value?.event !== 'candidate');
    while (slow.inFlight() < 2) await new Promise(resolve => setTimeout(resolve, 5))
    leave.abort()
    while (slow.inFlight() > 0) await new Promise(resolve => setTimeout(resolve, 5))
  })
  assert.equal(slow.requests.length, 3)
  assert.deepEqual(await own.traffic(), [])
  const [line] = own.lines.map(text => JSON.parse(text)).filter(({ route }) => route === '/search')
  assert.deepEqual([line.level, line.client_gone], ['info', true])
})

test('a streamed search is logged like any other', async t => {
  const own = createWorld(t, { llmUrl: llm.url })
  const [done] = dataOf(await eventsOf(own, { params: { n: 4 } }), 'done')
  const [found] = await own.traffic()
  assert.equal(found?.record.id, done?.id)
  assert.equal(found?.record.candidates.length, 4)
})

test('an error before the first event is an ordinary problem', async t => {
  const bad = await startLlm(t, { script: (_, index) => (index === 0 ? 'refuses' : 'hangs') })
  const own = createWorld(t, { llmUrl: bad.url })
  const cases: [object, number, string][] = [
    [{ llm: { upstream: 'none' } }, 422, 'UNKNOWN_UPSTREAM'],
    [{ params: { runs: 3 } }, 422, 'INVALID_REQUEST'],
    [{ params: { n: 1 } }, 502, 'LLM_REFUSED'],
    [{ budget: { deadline_ms: 50 } }, 504, 'LLM_TIMEOUT'],
  ]
  for (const [body, status, code] of cases) {
    const answer = await ask(own, body)
    assert.deepEqual([answer.status, answer.body.code], [status, code], answer.text)
    assertContract(answer, 'search')
  }
})

/** A critic that scores two solutions and then throws. */
function failingCritic(error: unknown): Critic {
  const sums = sumsCritic('failing')
  let calls = 0
  return {
    ...sums,
    async judge(items, signal) {
      if (++calls > 2) throw error
      return sums.judge(items, signal)
    },
  }
}

test('an error after the first event is an event with the problem, which tells no more than a problem does', async t => {
  const cases = [
    [new AppError('CRITIC_FAILED', 'The worker has ended.'), 'CRITIC_FAILED', /The worker has ended/],
    [new TypeError('cannot read the secret sauce'), 'INTERNAL', /^Quote request_id/],
  ] as const
  for (const [error, code, detail] of cases) {
    const critics = {
      ...world.deps.critics,
      criticFor: () => ({ critic: failingCritic(error), fallback: null }),
    }
    const own = createWorld(t, { llmUrl: llm.url, critics })
    const events = await eventsOf(own, { params: { n: 4, concurrency: 1 } })
    assert.equal(dataOf(events, 'candidate').length, 2)
    const { event, data } = events.at(-1)!
    const shown = data as { code: string; detail: string }
    assert.deepEqual([event, shown.code], ['error', code])
    assert.match(shown.detail, detail)
    const line = own.lines.map(text => JSON.parse(text)).find(({ message }) => message === 'request')
    assert.equal(line.code, code)
    assert.deepEqual(await own.traffic(), [])
  }
})

test('a search that the service ends while it streams says so', async t => {
  const slow = await startLlm(t, { script: (_, index) => (index === 0 ? 'ok' : 'hangs') })
  const closing = new AbortController()
  const own = createWorld(t, { llmUrl: slow.url, closing: closing.signal })
  const asked = eventsOf(own, { params: { n: 2 } })
  while (own.judged.length === 0) await new Promise(resolve => setTimeout(resolve, 5))
  setTimeout(() => closing.abort(), 20)
  const { event, data } = (await asked).at(-1)!
  assert.deepEqual([event, (data as { code: string }).code], ['error', 'NOT_READY'])
})

test('calls that fail are told by their code and by nothing that the endpoint said', async t => {
  const half = await startLlm(t, { script: (_, index) => (index % 2 ? 'error' : 'ok') })
  const own = createWorld(t, { llmUrl: half.url })
  const events = await eventsOf(own, { params: { n: 4 } })
  assert.deepEqual(dataOf(events, 'failure').at(-1), { failed: 2, code: 'LLM_ERROR' })
  assert.doesNotMatch(JSON.stringify(events), /"headers"/)
})

test('silence is filled with heartbeats, and an error after one is an event', async t => {
  const slow = await startLlm(t, { script: 'hangs' })
  const own = createWorld(t, { llmUrl: slow.url, config: { heartbeatMs: 10 } })
  const events = await eventsOf(own, { budget: { deadline_ms: 120 } })
  const beats = dataOf(events, 'heartbeat').map(({ elapsed_ms }) => Number(elapsed_ms))
  assert.ok(beats.length >= 3, `${beats.length} heartbeats`)
  assert.deepEqual(
    beats,
    beats.toSorted((a, b) => a - b),
  )
  assert.equal(events.at(-1)!.event, 'error')
  assert.equal((events.at(-1)!.data as { code: string }).code, 'LLM_TIMEOUT')
})

/** Writes solutions of half a megabyte at once. */
const verbose: Llm = {
  name: 'verbose',
  canContinue: async () => true,
  async propose() {
    const text = `${`${'so '.repeat(300)}\n\n`.repeat(500)}The answer is 42.`
    return { text, ended: true, usage: { calls: 1, prompt_tokens: 1, completion_tokens: 1 } }
  },
}

interface Unread {
  readonly answer: IncomingMessage
  /** The server's side of the answer. */
  readonly served: ServerResponse
}

/** Asks for a stream of about 50 MB and leaves the reading of it to `run`. */
async function askWithoutReading(own: Pick<World, 'app'>, run: (unread: Unread) => Promise<void>) {
  let served: ServerResponse | undefined
  const app = (req: IncomingMessage, res: ServerResponse) => {
    served = res
    own.app(req, res)
  }
  await listening(app, async url => {
    const sent = httpRequest(`${url}/search`, { method: 'POST', headers })
    sent.end(JSON.stringify({ problem, llm: fake, params: { n: 32 }, stream: true }))
    const [answer] = (await once(sent, 'response')) as [IncomingMessage]
    answer.on('error', () => {})
    await run({ answer, served: served! })
    answer.destroy()
  })
}

test('what a slow reader has not read yet does not pile up, and it misses nothing', async t => {
  const llms = { ...world.deps.llms, resolve: () => verbose }
  const own = createWorld(t, { llms, config: { heartbeatMs: 2 } })
  await askWithoutReading(own, async ({ answer, served }) => {
    while (!served.writableNeedDrain) await new Promise(resolve => setTimeout(resolve, 5))
    await new Promise(resolve => setTimeout(resolve, 200))
    const waiting = served.writableLength
    assert.ok(waiting < 4 * 2 ** 20, `${waiting} bytes wait`)
    await new Promise(resolve => setTimeout(resolve, 100))
    assert.equal(served.writableLength, waiting)
    let candidates = 0
    let bytes = 0
    let end = ''
    for await (const chunk of answer.setEncoding('utf8')) {
      bytes += chunk.length
      end = (end + chunk).slice(-65_536)
      candidates += chunk.split('event: candidate\n').length - 1
    }
    assert.ok(bytes > 20 * 2 ** 20, `${bytes} bytes`)
    assert.ok(candidates > 28, `${candidates} candidates`)
    assert.match(end, /"request_id":"req_\d+"\}\n\n$/)
  })
})

test('a reader that reads nothing for too long is taken for gone', async t => {
  const config = { stallMs: 50, heartbeatMs: 5 }
  const own = createWorld(t, { config, llms: { ...world.deps.llms, resolve: () => verbose } })
  await askWithoutReading(own, async ({ served }) => {
    while (!served.closed) await new Promise(resolve => setTimeout(resolve, 5))
  })
  assert.ok(own.lines.some(line => JSON.parse(line).client_gone === true))
  assert.deepEqual(await own.traffic(), [])
})
