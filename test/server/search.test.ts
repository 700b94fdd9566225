import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import request from 'supertest'
import type { Critic } from '../../src/critic/types.ts'
import { AppError } from '../../src/errors.ts'
import { METHOD_NAMES } from '../../src/search/params.ts'
import { assertContract } from './contract-check.ts'
import { listening } from './listening.ts'
import { createWorld, startLlm, sumsCritic } from './world.ts'

const problem = 'Tom has 5 apples, buys 7, then 30 more. How many has he?'
const fake = { upstream: 'fake' }
/** Adds up in two steps; one seed in four slips in the second, and says so in its answer. */
function solve(_problem: string, seed: number): string {
  const total = 12 + 30 + (seed % 4 === 3 ? 10 : 0)
  return `First 5 + 7 = 12.\n\nThen 12 + 30 = ${total}. The answer is ${total}.`
}

const llm = await startLlm({ after }, { solve })
const world = createWorld({ after }, { llmUrl: llm.url, llmHosts: new URL(llm.url).host })

const post = (body: object, headers: Record<string, string> = {}) =>
  request(world.app).post('/search').set(headers).send(body)

for (const method of METHOD_NAMES)
  test(`${method} finds the right answer, and its reply is what the contract says`, async () => {
    const answer = await post({ problem, llm: fake, method, seed: 3 })
    assert.equal(answer.status, 200, answer.text)
    assertContract(answer, 'search')
    const { body } = answer
    assert.equal(body.answer, '42')
    assert.match(body.solution, /The answer is 42\.$/)
    assert.equal(body.finish_reason, 'complete')
    assert.deepEqual([body.critic, body.method, body.seed], ['sums@2', method, 3])
    assert.match(body.id, /^search_/)
    assert.equal(body.request_id, answer.headers['x-request-id'])
    const chosen = body.candidates[body.chosen]
    assert.deepEqual([chosen.answer, chosen.steps, chosen.score], [body.answer, body.steps, body.score])
    assert.ok(body.usage.llm.calls > 0 && body.usage.llm.completion_tokens > 0)
    assert.ok(body.usage.critic.tokens > 0)
    assert.ok(!('estimated' in body.usage.llm))
  })

test('without method and params the defaults of the contract hold, and a seed is drawn', async () => {
  const { body } = await post({ problem, llm: fake })
  assert.equal(body.method, 'weighted_best_of_n')
  assert.equal(body.candidates.length, 8)
  assert.ok(Number.isInteger(body.seed))
})

test('the same seed gives the same search', async () => {
  const ask = async () => (await post({ problem, llm: fake, params: { n: 6 }, seed: 11 })).body.candidates
  assert.deepEqual(await ask(), await ask())
})

test('below the confidence asked for the answer is null and the chosen candidate stands beside it', async () => {
  const answer = await post({ problem, llm: fake, params: { n: 4, min_confidence: 1 }, seed: 3 })
  assertContract(answer, 'search')
  const { body } = answer
  assert.equal(body.answer, null)
  assert.equal(body.candidates[body.chosen].answer, '42')
  assert.ok(body.score > 0 && body.score < 1)
})

test('a wrong step is called wrong by the critic that guides', async () => {
  const { body } = await post({ problem, llm: fake, method: 'best_of_n', params: { n: 16 }, seed: 1 })
  const verdicts = body.candidates.flatMap((candidate: { steps: { verdict: string }[] }) =>
    candidate.steps.map(({ verdict }) => verdict),
  )
  assert.deepEqual(new Set(verdicts), new Set(['right', 'wrong']))
})

test('an endpoint on the allow-list is called with the key of the request', async () => {
  const seen = llm.requests.length
  const answer = await post(
    { problem, llm: { base_url: llm.url, model: 'adder' }, params: { n: 1 } },
    { 'X-LLM-Api-Key': 'sk-of-the-client' },
  )
  assert.equal(answer.status, 200, answer.text)
  assert.equal(llm.requests[seen]?.headers.authorization, 'Bearer sk-of-the-client')
  await post({ problem, llm: { base_url: llm.url, model: 'adder' }, params: { n: 1 } })
  assert.equal(llm.requests.at(-1)?.headers.authorization, undefined)
})

test('an endpoint elsewhere is refused without a call', async () => {
  const seen = llm.requests.length
  for (const base_url of ['http://169.254.169.254/v1', llm.url.replace('127.0.0.1', 'localhost')]) {
    const answer = await post({ problem, llm: { base_url, model: 'm' } })
    assert.deepEqual([answer.status, answer.body.code], [403, 'LLM_HOST_NOT_ALLOWED'])
    assertContract(answer, 'search')
  }
  assert.equal(llm.requests.length, seen)
})

const REFUSED: readonly [name: string, body: object, status: number, code: string, detail: RegExp][] = [
  ['an unknown upstream', { llm: { upstream: 'none' } }, 422, 'UNKNOWN_UPSTREAM', /none/],
  ['an unknown critic', { critic: 'sums@9' }, 404, 'UNKNOWN_CRITIC', /sums@9/],
  ['a parameter of another method', { params: { runs: 2 } }, 422, 'INVALID_REQUEST', /^params: .*"runs"/],
  ['an unknown method', { method: 'annealing' }, 422, 'INVALID_REQUEST', /^method: must be one of/],
  ['an empty problem', { problem: '' }, 422, 'INVALID_REQUEST', /^problem: must not be empty/],
]

for (const [name, body, status, code, detail] of REFUSED)
  test(`${name} is a clear problem`, async () => {
    const answer = await post({ problem, llm: fake, ...body })
    assert.deepEqual([answer.status, answer.body.code], [status, code], answer.text)
    assert.match(answer.body.detail, detail)
    assertContract(answer, 'search')
  })

test('a method that the LLM cannot run is METHOD_UNSUPPORTED', async t => {
  const real = world.deps.llms.resolve(fake)
  const whole = createWorld(t, {
    llms: { ...world.deps.llms, resolve: () => ({ ...real, canContinue: async () => false }) },
  })
  const answer = await request(whole.app).post('/search').send({ problem, llm: fake, method: 'mcts' })
  assert.deepEqual([answer.status, answer.body.code], [422, 'METHOD_UNSUPPORTED'])
  assertContract(answer, 'search')
})

test('a spent budget ends the search with the best answer so far', async () => {
  const answer = await post({ problem, llm: fake, params: { n: 8 }, budget: { max_calls: 3 } })
  assertContract(answer, 'search')
  assert.equal(answer.body.finish_reason, 'budget')
  assert.equal(answer.body.candidates.length, 3)
  assert.equal(answer.body.usage.llm.calls, 3)
})

test('tokens that the endpoint does not report are marked as estimated', async t => {
  const silent = await startLlm(t, { script: 'no_usage' })
  const own = createWorld(t, { llmUrl: silent.url })
  const answer = await request(own.app)
    .post('/search')
    .send({ problem, llm: fake, params: { n: 2 } })
  assertContract(answer, 'search')
  assert.equal(answer.body.usage.llm.estimated, true)
})

test('a search gets over calls that fail, and the log says how many', async t => {
  const half = await startLlm(t, { script: (_, index) => (index % 2 ? 'error' : 'ok') })
  const own = createWorld(t, { llmUrl: half.url })
  const answer = await request(own.app)
    .post('/search')
    .send({ problem, llm: fake, params: { n: 4 } })
  assert.equal(answer.status, 200)
  assert.equal(answer.body.candidates.length, 2)
  const warning = own.lines.map(line => JSON.parse(line)).find(({ level }) => level === 'warn')
  assert.deepEqual([warning.failed, warning.request_id], [2, answer.body.request_id])
})

test('a client that leaves ends its search and the calls under way', async t => {
  const slow = await startLlm(t, { script: 'hangs' })
  const own = createWorld(t, { llmUrl: slow.url })
  await listening(own.app, async url => {
    const leave = new AbortController()
    const asked = fetch(`${url}/search`, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify({ problem, llm: fake, params: { n: 4 } }),
      signal: leave.signal,
    })
    while (slow.inFlight() < 4) await new Promise(resolve => setTimeout(resolve, 5))
    leave.abort()
    await assert.rejects(asked, { name: 'AbortError' })
    while (slow.inFlight() > 0) await new Promise(resolve => setTimeout(resolve, 5))
  })
  assert.equal(slow.requests.length, 4)
  const ended = own.lines.map(line => JSON.parse(line)).filter(({ route }) => route === '/search')
  assert.deepEqual(
    ended.map(({ level, client_gone }) => [level, client_gone]),
    [['info', true]],
  )
  const metrics = await request(own.app).get('/metrics')
  assert.match(metrics.text, /_count\{method="POST",route="\/search",status="gone"\} 1/)
  assert.deepEqual(await own.traffic(), [])
})

test('searches end when the service closes', async t => {
  const slow = await startLlm(t, { script: 'hangs' })
  const closing = new AbortController()
  const own = createWorld(t, { llmUrl: slow.url, closing: closing.signal })
  const asked = request(own.app)
    .post('/search')
    .send({ problem, llm: fake })
    .then(answer => answer)
  while (slow.inFlight() === 0) await new Promise(resolve => setTimeout(resolve, 5))
  closing.abort()
  const answer = await asked
  assert.deepEqual([answer.status, answer.body.code], [503, 'NOT_READY'])
  assertContract(answer, 'search')
})

test('a running search stays on the critic it began with', async t => {
  const slow = await startLlm(t, { delayMs: 40 })
  const own = createWorld(t, { llmUrl: slow.url })
  const asked = request(own.app)
    .post('/search')
    .send({ problem, llm: fake, params: { n: 4, concurrency: 1 } })
    .then(answer => answer)
  while (slow.requests.length < 2) await new Promise(resolve => setTimeout(resolve, 5))
  await own.deps.critics.promote('sums@1', 'req')
  assert.equal((await asked).body.critic, 'sums@2')
})

test('where a candidate that is tried out fails in the middle of a search, what serves judges on, under its own name and threshold', async t => {
  const candidate = sumsCritic('candidate')
  const serving = { ...sumsCritic('sums@2'), threshold: 0.95 }
  let calls = 0
  const failing: Critic = {
    ...candidate,
    async judge(items, signal) {
      if (calls++ >= 1) throw new AppError('CRITIC_FAILED', 'The critic failed on this request.')
      return candidate.judge(items, signal)
    },
  }
  const critics = { ...world.deps.critics, criticFor: () => ({ critic: failing, fallback: serving }) }
  const own = createWorld(t, { llmUrl: llm.url, critics })
  const answer = await request(own.app).post('/search').send({ problem, llm: fake, method: 'beam', seed: 1 })
  assert.deepEqual([answer.status, answer.body.critic, calls], [200, 'sums@2', 2])
  assert.ok(
    answer.body.steps.every(
      ({ score, verdict }: { score: number | null; verdict: string }) =>
        score !== null && verdict === 'wrong',
    ),
  )
  assert.equal((await own.traffic())[0]!.record.critic, 'sums@2')
  const alone = { ...world.deps.critics, criticFor: () => ({ critic: failing, fallback: null }) }
  const answered = await request(createWorld(t, { llmUrl: llm.url, critics: alone }).app)
    .post('/search')
    .send({ problem, llm: fake, method: 'beam' })
  assert.deepEqual([answered.status, answered.body.code], [503, 'CRITIC_FAILED'])
})

test('a search is logged with its chosen candidate first, and takes feedback by its id', async t => {
  const own = createWorld(t, { llmUrl: llm.url })
  const app = request(own.app)
  const { body } = await app.post('/search').send({ problem, llm: fake, params: { n: 4 }, seed: 2 })
  const feedback = await app.post('/feedback').send({ search_id: body.id, answer_correct: true })
  assert.equal(feedback.body.accepted, 1)
  const [found] = await own.traffic()
  assert.equal(found?.record.kind, 'search')
  assert.equal(found?.record.problem, problem)
  assert.equal(found?.record.candidates.length, 4)
  assert.deepEqual(found?.record.candidates[0], {
    steps: body.steps.map(({ text }: { text: string }) => text),
    scores: body.steps.map(({ score }: { score: number }) => score),
    answer: '42',
  })
  assert.equal(found?.feedback[0]?.answer_correct, true)

  await app
    .post('/search')
    .set('X-Spar-Log', 'off')
    .send({ problem, llm: fake, params: { n: 1 } })
  assert.equal((await own.traffic()).length, 1)
})

test('searches, calls and tokens are counted', async t => {
  const own = createWorld(t, { llmUrl: llm.url })
  const { body } = await request(own.app)
    .post('/search')
    .send({ problem, llm: fake, params: { n: 3 } })
  const { text } = await request(own.app).get('/metrics')
  for (const line of [
    'spar_search_duration_seconds_count{method="weighted_best_of_n",finish_reason="complete"} 1',
    'spar_search_llm_calls_total{method="weighted_best_of_n"} 3',
    `spar_search_llm_tokens_total{method="weighted_best_of_n",kind="completion"} ${body.usage.llm.completion_tokens}`,
    `spar_critic_tokens_total{kind="search"} ${body.usage.critic.tokens}`,
  ])
    assert.ok(text.split('\n').includes(line), line)
})
