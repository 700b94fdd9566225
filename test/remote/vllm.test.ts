// A reward model behind a real HTTP server: what it is sent, every shape it answers in, and what becomes of its failures.
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { type TestContext, test } from 'node:test'
import { AppError } from '../../src/errors.ts'
import { QWEN_PRM } from '../../src/remote/prm-prompt.ts'
import { createVllmCritic, type VllmOptions } from '../../src/remote/vllm.ts'
import { type LlmServerOptions, startLlmServer } from '../fakes/llm-server.ts'
import { type VllmFake, vllmScript } from '../fakes/vllm.ts'

const golden = (name: string) =>
  JSON.parse(readFileSync(new URL(`golden/${name}.json`, import.meta.url), 'utf8'))
const KEY = 'sk-VERY-secret-0123456789'
const SUMS = { problem: 'A box holds 48 pens.', steps: ['48 - 24 = 24.', '24 - 2 = 21.', 'So it is 21.'] }
const WANT = [0.9375, 0.0625, 0.625]

async function bench(
  t: TestContext,
  fake: VllmFake & Pick<LlmServerOptions, 'delayMs'> = {},
  change: Partial<VllmOptions> = {},
) {
  const server = await startLlmServer({ script: vllmScript(fake), delayMs: fake.delayMs ?? 0 })
  t.after(() => server.close())
  const failures: { unscored: number; error: unknown }[] = []
  const critic = createVllmCritic({
    name: 'qwen',
    baseUrl: server.url,
    model: 'Qwen/Qwen2.5-Math-PRM-7B',
    apiKey: KEY,
    threshold: 0.5,
    deadlineMs: 5000,
    concurrency: 4,
    batch: 8,
    form: QWEN_PRM,
    values: 'auto',
    onFailed: failure => void failures.push(failure),
    retry: { sleep: async () => {} },
    ...change,
  })
  return { critic, server, failures }
}

const scoresOf = (critiques: readonly { steps: readonly { score: number | null }[] }[]) =>
  critiques.map(({ steps }) => steps.map(({ score }) => score && Math.round(score * 1e6) / 1e6))

test('the request is the pinned one, at the server’s root and with the key', async t => {
  const { critic, server } = await bench(t)
  await critic.judge([golden('flamingos')])
  const [request] = server.requests
  assert.equal(request?.path, '/pooling')
  assert.equal(request?.headers.authorization, `Bearer ${KEY}`)
  assert.deepEqual(request?.body, golden('pooling-request'))
})

for (const rows of ['steps', 'tokens'] as const)
  for (const values of ['probabilities', 'logits'] as const)
    test(`rows of ${values}, one for each of the ${rows}, score each step, with the checker’s evidence`, async t => {
      const { critic, server } = await bench(t, { rows, values })
      const [critique] = await critic.judge([SUMS])
      assert.deepEqual(scoresOf([critique!]), [WANT])
      assert.deepEqual(
        critique!.steps.map(({ evidence }) => evidence.map(({ holds }) => holds)),
        [[true], [false], []],
      )
      assert.ok(critique!.tokens > 10)
      const paths = server.requests.map(({ path }) => path)
      assert.deepEqual(paths.sort(), rows === 'steps' ? ['/pooling'] : ['/pooling', '/tokenize', '/tokenize'])
    })

test('solutions go out in batches, and each gets its own scores back', async t => {
  const { critic, server } = await bench(t, {}, { batch: 3 })
  const items = Array.from({ length: 8 }, (_, i) => ({
    problem: `Add ${i} and 1.`,
    steps: [`${i} + 1 = ${i % 2 === 0 ? i + 1 : i + 2}`, 'Done.'].slice(0, i === 5 ? 1 : 2),
  }))
  const want = items.map(({ steps }, i) => [i % 2 === 0 ? 0.9375 : 0.0625, 0.625].slice(0, steps.length))
  assert.deepEqual(scoresOf(await critic.judge(items)), want)
  assert.equal(server.requests.length, 3)
})

test('no more calls than allowed are under way at once', async t => {
  const { critic, server } = await bench(t, { delayMs: 20 }, { batch: 1, concurrency: 2 })
  let most = 0
  const watch = setInterval(() => (most = Math.max(most, server.inFlight())), 1)
  await critic.judge(Array.from({ length: 8 }, () => SUMS))
  clearInterval(watch)
  assert.equal(most, 2)
  assert.equal(server.requests.length, 8)
})

test('a solution that is too long for the model is unscored with a reason, and the others of its batch are scored', async t => {
  const { critic, failures } = await bench(t, { maxTokens: 150 })
  const long = { problem: 'Long', steps: [Array(200).fill('word').join(' '), '1 + 1 = 2'] }
  const [first, second, third] = await critic.judge([SUMS, long, SUMS])
  assert.deepEqual(scoresOf([first!, third!]), [WANT, WANT])
  for (const { score, reason } of second!.steps) {
    assert.equal(score, null)
    assert.match(reason!, /^LLM_REFUSED: The LLM "qwen" refused the request \(HTTP 400\)/)
  }
  assert.deepEqual(
    failures.map(({ unscored }) => unscored),
    [2],
  )
})

for (const [mode, code] of [
  ['error', 'LLM_ERROR'],
  ['refuses', 'LLM_REFUSED'],
  ['rate_limited', 'LLM_RATE_LIMITED'],
  ['dies', 'LLM_UNREACHABLE'],
  ['dies_mid_body', 'LLM_BAD_RESPONSE'],
  ['html', 'LLM_BAD_RESPONSE'],
  ['broken_json', 'LLM_BAD_RESPONSE'],
  ['error_in_200', 'LLM_BAD_RESPONSE'],
  ['not_http', 'LLM_BAD_RESPONSE'],
  ['redirect', 'LLM_REFUSED'],
  ['hangs', 'LLM_TIMEOUT'],
  ['hangs_mid_body', 'LLM_TIMEOUT'],
] as const)
  test(`a server that ${mode} leaves every step unscored with ${code}, and leaks neither key nor text`, async t => {
    const { critic, failures } = await bench(t, { act: () => mode }, { deadlineMs: 300 })
    const [critique] = await critic.judge([SUMS])
    assert.deepEqual(scoresOf([critique!]), [[null, null, null]])
    for (const { reason } of critique!.steps) {
      assert.ok(reason!.startsWith(`${code}: `), reason)
      assert.ok(!reason!.includes(KEY) && !reason!.includes('48'), reason)
    }
    assert.equal(critique!.steps[1]!.evidence[0]!.holds, false, 'the checker needs no model')
    assert.equal(failures.length, 1)
  })

test('a failure that passes is tried again', async t => {
  const { critic, server } = await bench(t, { act: (_, index) => (index < 2 ? 'error' : undefined) })
  assert.deepEqual(scoresOf(await critic.judge([SUMS])), [WANT])
  assert.equal(server.requests.length, 3)
})

test('rows that fit neither steps nor tokens are refused', async t => {
  const body = JSON.stringify({ data: [{ index: 0, data: [[0.5, 0.5]] }] })
  const act: VllmFake['act'] = ({ path }) => (path === '/pooling' ? { body } : undefined)
  const { critic } = await bench(t, { act })
  const [critique] = await critic.judge([SUMS])
  assert.match(
    critique!.steps[0]!.reason!,
    /^LLM_BAD_RESPONSE: The reward model "qwen" gave 1 rows for \d+ tokens and 3 steps/,
  )
})

test('a separator that is several tokens to the model is told, not guessed around', async t => {
  const { critic } = await bench(t, { rows: 'tokens' }, { form: { ...QWEN_PRM, separator: '<step>' } })
  const [critique] = await critic.judge([SUMS])
  assert.match(critique!.steps[0]!.reason!, /has no token <step>/)
})

test('an endpoint that is down is not asked for every batch', async t => {
  const { critic, server } = await bench(
    t,
    { act: () => 'error' },
    { batch: 1, concurrency: 1, retry: { maxRetries: 0 } },
  )
  const critiques = await critic.judge(Array.from({ length: 40 }, () => SUMS))
  assert.ok(critiques.every(({ steps }) => steps.every(({ score }) => score === null)))
  assert.equal(server.requests.length, 4)
})

test('a client that leaves ends the calls at once', async t => {
  const { critic, server } = await bench(t, { act: () => 'hangs' })
  const client = new AbortController()
  const judged = critic.judge([SUMS], client.signal)
  while (server.inFlight() === 0) await new Promise(resolve => setTimeout(resolve, 5))
  client.abort(new Error('gone'))
  await assert.rejects(judged, /gone/)
  for (let i = 0; i < 200 && server.inFlight() > 0; i++) await new Promise(resolve => setTimeout(resolve, 5))
  assert.equal(server.inFlight(), 0)
})

test('more than may wait is refused as overload', async t => {
  const { critic } = await bench(t, { delayMs: 50 })
  const many = Array.from({ length: 513 }, () => SUMS)
  await assert.rejects(
    critic.judge(many),
    (error: unknown) => error instanceof AppError && error.code === 'OVERLOADED',
  )
})

test('a solution without steps is answered without a call, and times are told', async t => {
  const { critic, server } = await bench(t)
  let total = -1
  assert.deepEqual(
    await critic.judge([{ problem: 'x', steps: [] }], undefined, timing => (total = timing.total)),
    [{ steps: [], tokens: 0 }],
  )
  assert.ok(total >= 0)
  assert.equal(server.requests.length, 0)
})
