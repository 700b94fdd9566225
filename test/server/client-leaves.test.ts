// At whatever stage a client leaves a search, its calls end with it. Through the front door, with the real clients.
import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import type { LlmServer, LlmServerOptions } from '../fakes/llm-server.ts'
import { cells, createSpar, DEADLINE_MS, llm, problem, settled } from './chaos-world.ts'
import { listening } from './listening.ts'
import { startLlm, sumsCritic } from './world.ts'

/** A critic that is under way with its call number `from` and those behind it until they are aborted. */
function slowCritic(from: number) {
  const seen = { waiting: 0 }
  const sums = sumsCritic('slow')
  let calls = 0
  const critic = {
    ...sums,
    async judge(...[items, signal]: Parameters<typeof sums.judge>) {
      if (calls++ < from) return sums.judge(items, signal)
      seen.waiting++
      await sleep(60_000, undefined, { signal }).catch(() => {})
      seen.waiting--
      throw signal?.reason
    },
  }
  return { critic, seen }
}

interface Stage {
  readonly name: string
  readonly upstream: LlmServerOptions
  readonly method: string
  readonly slowCritic?: true
  /** Its calls are streamed. */
  readonly tokens?: true
  /** Whether the search has come to this stage. */
  readonly reached: (server: LlmServer, critic: { readonly waiting: number }) => boolean
}

const called = (count: number) => (server: LlmServer) =>
  server.requests.length >= count && server.inFlight() > 0

const STAGES: readonly Stage[] = [
  { name: 'as soon as it has asked', upstream: { delayMs: 50 }, method: 'best_of_n', reached: () => true },
  { name: 'during the first calls', upstream: { script: 'hangs' }, method: 'best_of_n', reached: called(8) },
  {
    name: 'in the middle of an answer',
    upstream: { script: 'hangs_mid_body' },
    method: 'best_of_n',
    reached: called(2),
  },
  {
    name: 'between two tokens',
    upstream: { script: 'stream_stalls_between' },
    method: 'best_of_n',
    tokens: true,
    reached: called(2),
  },
  {
    name: 'while a retry waits',
    upstream: { script: 'rate_limited_retry_after', retryAfterS: 9 },
    method: 'best_of_n',
    reached: server => server.requests.length >= 8 && server.inFlight() === 0,
  },
  {
    name: 'while it is found out how the endpoint continues',
    upstream: { script: ({ body }) => (body?.continue_final_message ? 'hangs' : 'ok') },
    method: 'beam',
    reached: called(3),
  },
  {
    name: 'between steps',
    upstream: { script: (_, index) => (index < 4 ? 'ok' : 'hangs') },
    method: 'mcts',
    reached: called(5),
  },
  {
    name: 'while plans are drawn',
    upstream: { script: (_, index) => (index === 0 ? 'ok' : 'hangs') },
    method: 'plan',
    reached: called(2),
  },
  {
    name: 'while the critic judges',
    upstream: {},
    method: 'beam',
    slowCritic: true,
    reached: (_, critic) => critic.waiting > 0,
  },
]

async function until(holds: () => boolean, otherwise: string): Promise<void> {
  const startedAt = performance.now()
  while (!holds()) {
    assert.ok(performance.now() - startedAt < DEADLINE_MS, otherwise)
    await sleep(1)
  }
}

async function leave(t: TestContext, stage: Stage, stream: boolean) {
  const server = await startLlm(t, stage.upstream)
  const { critic, seen } = slowCritic(stage.slowCritic ? 1 : Number.POSITIVE_INFINITY)
  const critics = {
    criticFor: () => ({ critic, fallback: null }),
    get: () => critic,
    named: () => [],
    list: () => [],
    ...NO_SWITCH,
  }
  const { app, lines, traffic } = createSpar(
    t,
    server,
    { timeoutMs: 60_000, ...(stage.tokens && { stream: 'on' }) },
    { critics },
  )
  let ms = 0
  let calls = 0
  await listening(app, async url => {
    const client = new AbortController()
    const body = JSON.stringify({ problem, llm, method: stage.method, stream })
    const headers = { 'Content-Type': 'application/json' }
    const asked = fetch(`${url}/search`, { method: 'POST', headers, body, signal: client.signal })
    // A stream's answer may have begun; its body then breaks off.
    const gone = asked
      .then(answer => answer.text())
      .then(
        () => assert.fail('it was answered'),
        () => {},
      )
    await until(() => stage.reached(server, seen), `${stage.name}: it did not come to that`)
    client.abort()
    const leftAt = performance.now()
    await gone
    await until(() => server.inFlight() === 0 && seen.waiting === 0, `${stage.name}: calls are still open`)
    ms = Math.round(performance.now() - leftAt)
    await settled(() => server.inFlight() === 0)
    calls = server.requests.length
  })
  await sleep(50)
  assert.equal(server.requests.length, calls, `${stage.name}: called again after the client had gone`)
  assert.deepEqual(await traffic(), [])
  const [line] = lines.map(text => JSON.parse(text)).filter(({ route }) => route === '/search')
  if (line !== undefined) assert.equal(line.client_gone, true)
  return cells(stage.name, stream ? 'stream' : 'whole', stage.method, ms, calls, server.inFlight())
}

const NO_SWITCH = {
  promote: () => assert.fail('not asked'),
  rollback: () => assert.fail('not asked'),
}

test('at whatever stage the client leaves, its calls end with it and no more are made', async t => {
  const rows: string[] = []
  for (const stage of STAGES)
    rows.push(...(await Promise.all([leave(t, stage, false), leave(t, stage, true)])))
  t.diagnostic(
    cells('the client leaves', 'answer', 'method', 'ms until all calls ended', 'calls', 'open after it'),
  )
  for (const row of rows) t.diagnostic(row)
})
