// Further critics through the front door: chosen by name or as the default, listed, shown examples, and never in the way when
// their endpoint is down.
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { test } from 'node:test'
import request from 'supertest'
import type { Why } from '../src/critic/pointer.ts'
import type { Registry } from '../src/critic/registry.ts'
import type { Critic } from '../src/critic/types.ts'
import { type CriticsOptions, createCritics } from '../src/critics.ts'
import { AppError } from '../src/errors.ts'
import { gatesOf } from '../src/llm/gate.ts'
import { openRemoteCritics } from '../src/remote/open.ts'
import { parseCriticSpecs } from '../src/remote/specs.ts'
import { type LlmScript, startLlmServer } from './fakes/llm-server.ts'
import { checksSums } from './fakes/spc-critic.ts'
import { vllmScript } from './fakes/vllm.ts'
import { assertContract } from './server/contract-check.ts'
import { ADMIN_KEY, createWorld, startLlm, sumsCritic } from './server/world.ts'

type Scope = Parameters<typeof startLlm>[0]
const SUMS = { problem: 'A box holds 48 pens.', steps: ['48 - 24 = 24.', '24 - 2 = 21.'] }

/** One server for both kinds, as they ask at different paths. */
const both: LlmScript = (asked, index) =>
  (asked.path.endsWith('/chat/completions') ? checksSums() : vllmScript())(asked, index)

const serves: CriticsOptions['route'] = serving => ({ critic: serving, fallback: null })

async function open(t: Scope, { first = null as string | null, script = both, route = serves } = {}) {
  const server = await startLlmServer({ script })
  t.after(() => server.close())
  const specs = parseCriticSpecs(
    JSON.stringify({
      qwen: { kind: 'vllm', url: server.url, model: 'prm', deadline_ms: 2000 },
      spc: { kind: 'generative', upstream: 'chat', samples: 1 },
      mix: {
        kind: 'ensemble',
        members: [
          { critic: 'local', weight: 1 },
          { critic: 'qwen', weight: 1 },
          { critic: 'gone', weight: 1 },
        ],
      },
    }),
    {},
  )
  const local = sumsCritic('sums@2')
  const get = (version: string) => {
    if (version === 'sums@2') return local
    throw new AppError('UNKNOWN_CRITIC', 'GET /critics lists the critics there are.')
  }
  const list = () => [{ version: 'sums@2', serving: true }] as ReturnType<Registry['list']>
  const switches: unknown[] = []
  const promote = async (version: string, why: Why) => {
    switches.push(why)
    return { serving: version, previous: null }
  }
  const registry = { current: () => local, get, list, promote } as unknown as Registry
  const upstreams = new Map([['chat', { name: 'chat', baseUrl: server.url, model: 'adder' }]])
  const gates = gatesOf(upstreams)
  const remote = openRemoteCritics({
    specs,
    upstreams,
    gates,
    local: version => (version === null ? local : get(version)),
  })
  const critics = createCritics({ registry: () => registry, route, remote, specs, first })
  const llm = await startLlm(t)
  const world = createWorld(t, { critics, llmUrl: llm.url })
  return {
    world,
    server,
    gates,
    switches,
    post: (body: object, client = 'one') =>
      request(world.app).post('/critique').set('X-Api-Key', client).send(body),
  }
}

const fingerprint = (key: string) => createHash('sha256').update(key).digest('hex').slice(0, 16)

test('every critic is listed by name and kind, and the default is marked', async t => {
  const { world } = await open(t, { first: 'qwen' })
  const answer = await request(world.app).get('/critics')
  assertContract(answer, 'namedCritics')
  assert.deepEqual(answer.body.critics, [
    { name: 'qwen', kind: 'vllm', default: true, takes_examples: false },
    { name: 'spc', kind: 'generative', default: false, takes_examples: true },
    { name: 'mix', kind: 'ensemble', default: false, takes_examples: false },
    { name: 'sums@2', kind: 'local', default: false, takes_examples: false },
  ])
})

test('a request names the critic it wants; without a name the default scores', async t => {
  const { post } = await open(t, { first: 'qwen' })
  for (const [critic, name, scores] of [
    [undefined, 'qwen', [0.9375, 0.0625]],
    ['default', 'qwen', [0.9375, 0.0625]],
    ['spc', 'spc', [1, 0]],
    ['sums@2', 'sums@2', [0.9, 0.1]],
    ['local', 'sums@2', [0.9, 0.1]],
  ] as const) {
    const answer = await post({ ...SUMS, critic })
    assertContract(answer, 'critique')
    assert.equal(answer.body.critic, name)
    assert.deepEqual(
      answer.body.steps.map((step: { score: number }) => step.score),
      scores,
    )
  }
  assert.equal((await post({ ...SUMS, critic: 'nobody' })).body.code, 'UNKNOWN_CRITIC')
})

test('only who names no critic, where none is configured, meets the candidate that is tried out on its share of clients', async t => {
  const candidate = sumsCritic('sums@3')
  const [some, other] = ['some', 'other'].map(fingerprint)
  const route: CriticsOptions['route'] = (serving, client) => {
    assert.ok(client === some || client === other)
    return client === some ? { critic: candidate, fallback: serving } : { critic: serving, fallback: null }
  }
  const plain = await open(t, { route })
  const set = await open(t, { route, first: 'qwen' })
  for (const [{ post }, critic, key, want] of [
    [plain, undefined, 'some', 'sums@3'],
    [plain, 'default', 'some', 'sums@3'],
    [plain, undefined, 'other', 'sums@2'],
    [plain, 'local', 'some', 'sums@2'],
    [plain, 'spc', 'some', 'spc'],
    [set, undefined, 'some', 'qwen'],
    [set, 'local', 'some', 'sums@2'],
  ] as const) {
    const answer = await post({ ...SUMS, critic }, key)
    assertContract(answer, 'critique')
    assert.equal(answer.body.critic, want, `${critic} ${key}`)
  }
})

test('a candidate that is tried out and fails leaves the answer to what serves', async t => {
  const failing: Critic = {
    ...sumsCritic('sums@3'),
    judge: async () => {
      throw new AppError('CRITIC_FAILED', 'The critic failed on this request.')
    },
  }
  const { post } = await open(t, { route: serving => ({ critic: failing, fallback: serving }) })
  const answer = await post(SUMS)
  assert.deepEqual([answer.status, answer.body.critic], [200, 'sums@2'])
})

test('a promotion by hand is told to the decision record with the request that asked for it', async t => {
  const { world, switches } = await open(t)
  const answer = await request(world.app)
    .post('/admin/critics/sums@2/promote')
    .set('Authorization', `Bearer ${ADMIN_KEY}`)
  assert.equal(answer.status, 200, answer.text)
  const figures = { request_id: answer.headers['x-request-id'] }
  assert.deepEqual(switches, [{ kind: 'promotion', by: 'admin', reason: 'Promoted by hand.', figures }])
})

test('a chat model as a critic is not asked while the breaker of its upstream is open', async t => {
  const { post, server, gates } = await open(t)
  const down = { ok: false as const, status: null, error: new AppError('LLM_UNREACHABLE', 'It is down.') }
  for (let i = 0; i < 5; i++) await gates.get('chat')!.pass(async () => down, new AbortController().signal)
  const answer = await post({ ...SUMS, critic: 'spc' })
  assert.match(answer.body.steps[0].reason, /^LLM_UNREACHABLE: The LLM "chat" failed 5 times in a row/)
  assert.equal(server.requests.length, 0)
})

test('a critic that writes says why', async t => {
  const { post } = await open(t)
  const answer = await post({ ...SUMS, critic: 'spc' })
  assert.equal(answer.body.steps[1].rationale, 'The sum does not hold.')
})

test('an ensemble says which member it had to leave out', async t => {
  const { post } = await open(t)
  const answer = await post({ ...SUMS, critic: 'mix' })
  assertContract(answer, 'critique')
  for (const { score, reason } of answer.body.steps) {
    assert.ok(score > 0 && score < 1)
    assert.match(reason, /^CRITIC_FAILED: Left out: gone \(UNKNOWN_CRITIC: /)
  }
  assert.deepEqual(
    answer.body.steps.map((step: { verdict: string }) => step.verdict),
    ['right', 'wrong'],
  )
})

test('examples reach a critic that takes them and are refused by one that does not', async t => {
  const { post, server } = await open(t)
  const examples = [{ problem: 'Q?', steps: ['1 + 1 = 3.'], right: false, critique: 'It is 2.' }]
  const answer = await post({ ...SUMS, critic: 'spc', examples })
  assertContract(answer, 'critique')
  assert.equal(server.requests[0]!.body!.messages[2]!.content, 'It is 2.\n\n<Answer>Incorrect</Answer>')
  const refused = await post({ ...SUMS, critic: 'qwen', examples })
  assertContract(refused, 'critique')
  assert.deepEqual(refused.body.errors, [{ path: 'examples', message: 'mean nothing to the critic qwen' }])
  const wrong = await post({ ...SUMS, critic: 'spc', examples: [{ problem: 'Q?' }] })
  assert.equal(wrong.body.code, 'INVALID_REQUEST')
})

for (const act of ['error', 'hangs', 'html'] as const)
  test(`while its endpoint ${act} a critic leaves steps unscored, with a reason and a 200`, async t => {
    const { post, world } = await open(t, { first: 'qwen', script: () => act })
    const answer = await post(SUMS)
    assertContract(answer, 'critique')
    assert.equal(answer.status, 200)
    assert.deepEqual(answer.body.aggregate, { min: null, mean: null, prod: null, last: null })
    for (const { score, verdict, reason } of answer.body.steps) {
      assert.deepEqual([score, verdict], [null, 'unscored'])
      assert.match(reason, /^LLM_/)
    }
    assert.ok(world.lines.every(line => !line.includes('pens') && !line.includes('48 - 24')))
  })

for (const [critic, method, answered] of [
  ['qwen', 'weighted_best_of_n', true],
  ['spc', 'guard', true],
  ['mix', 'best_of_n', true],
  ['qwen', 'best_of_n', false],
] as const)
  test(`a ${method} search is guided by ${critic}, ${answered ? '' : 'not '}answering`, async t => {
    const { world } = await open(t, answered ? {} : { script: () => 'refuses' })
    const answer = await request(world.app)
      .post('/search')
      .send({ problem: 'Add 12 and 30 and 7.', llm: { upstream: 'fake' }, method, critic, seed: 1 })
    assertContract(answer, 'search')
    assert.equal(answer.status, 200, JSON.stringify(answer.body))
    assert.equal(answer.body.critic, critic)
    const scores = answer.body.steps.map(({ score }: { score: number | null }) => score)
    assert.ok(scores.length > 0)
    assert.ok(scores.every((score: number | null) => (score === null) === !answered))
  })
