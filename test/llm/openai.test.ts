// The OpenAI client on a well-behaved endpoint: what it sends and what it makes of the answer.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createOpenAiLlm } from '../../src/llm/openai.ts'
import type { LlmAnswer, RecordedRequest } from '../fakes/llm-server.ts'
import { bench, KEY, never, PROBLEM, request, STEP_1, STEP_2, STEP_3 } from './support.ts'

test('a whole solution comes back with its usage', async t => {
  const { llm } = await bench(t)
  const reply = await llm.propose(request(), never())
  assert.equal(reply.text, [STEP_1, STEP_2, STEP_3, 'The answer is 49.'].join('\n\n'))
  assert.equal(reply.ended, true)
  assert.equal(reply.usage.calls, 1)
  assert.equal(reply.usage.completion_tokens, Math.ceil(reply.text.length / 4))
  assert.equal(reply.usage.estimated, undefined)
  assert.equal(llm.name, 'fake')
  assert.equal(await llm.canContinue(never()), true)
})

test('the request carries model, sampling options and the key, and the problem alone as the user message', async t => {
  const { llm, server } = await bench(t)
  await llm.propose(request({ temperature: 0.3, maxTokens: 77, seed: 5 }), never())
  const [sent] = server.requests
  assert.equal(sent?.path, '/v1/chat/completions')
  assert.equal(sent?.headers.authorization, `Bearer ${KEY}`)
  const { messages, ...rest } = sent!.body!
  assert.deepEqual(rest, { model: 'adder', temperature: 0.3, max_tokens: 77, seed: 5 })
  assert.deepEqual(
    messages.map(message => message.role),
    ['system', 'user'],
  )
  assert.equal(messages[1]?.content, PROBLEM)
})

test('without a key no authorization header is sent', async t => {
  const { llm, server } = await bench(t, {}, { apiKey: undefined })
  await llm.propose(request(), never())
  assert.equal(server.requests[0]?.headers.authorization, undefined)
})

test('the seed reaches the endpoint and changes the sample', async t => {
  const { llm } = await bench(t)
  const right = await llm.propose(request({ seed: 0 }), never())
  const wrong = await llm.propose(request({ seed: 3 }), never())
  assert.match(right.text, /answer is 49\./)
  assert.match(wrong.text, /answer is 59\./)
})

test('any seed is sent as an integer of 31 bits', async t => {
  const { llm, server } = await bench(t)
  for (const seed of [-1, 2 ** 53 - 1, 1.5]) await llm.propose(request({ seed }), never())
  for (const { body } of server.requests) assert.ok(Number.isInteger(body!.seed) && body!.seed! < 2 ** 31)
  assert.ok(server.requests.every(({ body }) => body!.seed! >= 0))
})

test('an answer cut by maxTokens has not ended', async t => {
  const { llm } = await bench(t)
  const reply = await llm.propose(request({ maxTokens: 5 }), never())
  assert.equal(reply.ended, false)
  assert.equal(reply.text, 'We start with 12.\n\nT')
})

test('one token is enough for a valid reply', async t => {
  const { llm } = await bench(t)
  const reply = await llm.propose(request({ maxTokens: 1, until: 'step' }), never())
  assert.deepEqual([reply.text, reply.ended], ['We s', false])
})

test('one step stops at the blank line and has not ended', async t => {
  const { llm, server } = await bench(t)
  const reply = await llm.propose(request({ until: 'step' }), never())
  assert.deepEqual([reply.text, reply.ended], [STEP_1, false])
  assert.deepEqual(server.requests[0]?.body?.stop, ['\n\n'])
})

for (const mode of ['ok', 'tells_stop_reason'] as const) {
  test(`steps one by one make the whole solution, ending with its answer (${mode})`, async t => {
    const { llm } = await bench(t, { script: mode })
    const steps: string[] = []
    for (let ended = false; !ended && steps.length < 10; ) {
      const reply = await llm.propose(request({ steps: [...steps], until: 'step' }), never())
      steps.push(reply.text)
      ended = reply.ended
    }
    assert.deepEqual(steps, [STEP_1, STEP_2, STEP_3, 'The answer is 49.'])
  })
}

test('an endpoint that tells its stop reason shows an end without an answer', async t => {
  const { llm } = await bench(t, { script: 'tells_stop_reason', solve: () => 'I do not know.' })
  const reply = await llm.propose(request({ until: 'step' }), never())
  assert.deepEqual([reply.text, reply.ended], ['I do not know.', true])
})

test('an endpoint that ignores the stop sequence still gives one step', async t => {
  const body = JSON.stringify({
    choices: [
      { message: { content: `${STEP_1}\n \n${STEP_2}\n\nThe answer is 42.` }, finish_reason: 'stop' },
    ],
    usage: { prompt_tokens: 9, completion_tokens: 20 },
  })
  const { llm } = await bench(t, { script: () => ({ body }) })
  const reply = await llm.propose(request({ until: 'step' }), never())
  assert.deepEqual([reply.text, reply.ended], [STEP_1, false])
  assert.deepEqual(reply.usage, { calls: 1, prompt_tokens: 9, completion_tokens: 20 })
})

test('thoughts are not part of the solution', async t => {
  const { llm } = await bench(t, {
    solve: () => `<think>\nhm, 12\n\nmaybe\n</think>\n\n${STEP_1}\n\n${STEP_2}`,
  })
  const whole = await llm.propose(request(), never())
  assert.equal(whole.text, `${STEP_1}\n\n${STEP_2}`)
  // The stop sequence falls into the thoughts; the step is fetched without it, and both calls are counted.
  const step = await llm.propose(request({ until: 'step' }), never())
  assert.deepEqual([step.text, step.ended, step.usage.calls], [STEP_1, false, 2])
})

for (const [given, path] of [
  ['', '/v1/chat/completions'],
  ['/', '/v1/chat/completions'],
  ['//', '/v1/chat/completions'],
  ['?api-version=1#x', '/v1/chat/completions?api-version=1'],
] as const) {
  test(`a base URL ending in "${given}" leads to ${path}`, async t => {
    const { server } = await bench(t)
    const llm = createOpenAiLlm({
      name: 'x',
      baseUrl: server.url + given,
      model: 'm',
      retry: { maxRetries: 0 },
    })
    await llm.propose(request(), never()).catch(() => {})
    assert.equal(server.requests[0]?.path, path)
  })
}

for (const mode of ['no_usage', 'wrong_usage'] as const) {
  test(`usage is estimated and marked when the endpoint sends ${mode}`, async t => {
    const { llm } = await bench(t, { script: mode })
    const { text, usage } = await llm.propose(request(), never())
    assert.equal(usage.estimated, true)
    assert.equal(usage.completion_tokens, Math.ceil(text.length / 4))
    assert.ok(usage.prompt_tokens > PROBLEM.length / 4)
  })
}

test('an address or key that cannot be used is refused when the client is made, without quoting it', () => {
  const cases = [
    { baseUrl: 'not a url' },
    { baseUrl: 'ftp://host/v1' },
    { baseUrl: `http://user:${KEY}@host/v1` },
    { baseUrl: 'http://host/v1', apiKey: `${KEY}\nX-Other: 1` },
    { baseUrl: 'http://host/v1', apiKey: `${KEY}é` },
  ]
  for (const options of cases) {
    assert.throws(
      () => createOpenAiLlm({ name: 'x', model: 'm', ...options }),
      (error: Error & { code?: string }) =>
        error.code === 'INVALID_REQUEST' && !error.message.includes('secret'),
    )
  }
})

test('log-probabilities are asked for only where they are wanted, and their mean is told', async t => {
  const { llm, server } = await bench(t, { script: 'tells_logprobs' })
  assert.ok(!('meanLogprob' in (await llm.propose(request(), never()))))
  const { meanLogprob } = await llm.propose(request({ logprobs: true }), never())
  assert.equal(meanLogprob, Math.log(0.5))
  assert.deepEqual(
    server.requests.map(({ body }) => body?.logprobs),
    [undefined, true],
  )
})

test('an endpoint that takes no notice of the wish for log-probabilities tells none', async t => {
  const { llm } = await bench(t)
  assert.equal((await llm.propose(request({ logprobs: true }), never())).meanLogprob, null)
})

test('an endpoint that refuses log-probabilities is asked without them, from then on at once', async t => {
  const { llm, server } = await bench(t, { script: 'rejects_logprobs' })
  for (let i = 0; i < 2; i++) {
    const reply = await llm.propose(request({ logprobs: true }), never())
    assert.deepEqual([reply.ended, reply.meanLogprob, reply.usage.calls], [true, null, 1])
  }
  assert.deepEqual(
    server.requests.map(({ body }) => body?.logprobs),
    [true, undefined, undefined],
  )
})

test('a request that is refused for another reason does not cost the log-probabilities', async t => {
  const { llm, server } = await bench(t, {
    script: (_, index) => (index < 2 ? 'bad_request' : 'tells_logprobs'),
  })
  await assert.rejects(llm.propose(request({ logprobs: true }), never()), { code: 'LLM_REFUSED' })
  assert.equal((await llm.propose(request({ logprobs: true }), never())).meanLogprob, Math.log(0.5))
  assert.equal(server.requests.length, 3)
})

// As OpenAI's reasoning models, Mistral and Gemini word it.
const REFUSALS = {
  max_tokens:
    "Unsupported parameter: 'max_tokens' is not supported with this model. Use 'max_completion_tokens' instead.",
  temperature: "Unsupported value: 'temperature' does not support 0.7 with this model.",
  stop: "Unsupported parameter: 'stop' is not supported with this model.",
  seed: '[{"type":"extra_forbidden","loc":["body","seed"],"msg":"Extra inputs are not permitted","input":0}]',
} as const
type Refused = keyof typeof REFUSALS

/** Refuses the fields one at a time, as endpoints do. */
const refusing =
  (...fields: readonly Refused[]) =>
  ({ body }: RecordedRequest): LlmAnswer | 'ok' => {
    const field = fields.find(field => body?.[field] !== undefined)
    if (field === undefined) return 'ok'
    return {
      status: field === 'seed' ? 422 : 400,
      body: JSON.stringify({ error: { message: REFUSALS[field] } }),
    }
  }

test('an endpoint that names a usual field as the one it refuses is asked without it, from then on at once', async t => {
  const { llm, server } = await bench(t, { script: refusing('seed', 'temperature', 'max_tokens') })
  for (let i = 0; i < 2; i++) {
    const reply = await llm.propose(request(), never())
    assert.deepEqual([reply.ended, reply.usage.calls], [true, 1])
  }
  assert.equal(server.requests.length, 5)
  const { model, messages, ...rest } = server.requests.at(-1)!.body!
  assert.deepEqual(rest, { max_completion_tokens: 200 })
})

test('where the stop sequence is refused the step is cut here, and is not taken for the end', async t => {
  const { llm } = await bench(t, { script: refusing('stop') })
  for (let i = 0; i < 2; i++) {
    const reply = await llm.propose(request({ until: 'step' }), never())
    assert.deepEqual([reply.text, reply.ended], [STEP_1, false])
  }
})

test('a rejection that repeats the request, or names no field of it, is final after one call', async t => {
  for (const message of [
    'The prompt is too long.',
    JSON.stringify({ messages: [], seed: 1, temperature: 1 }),
  ]) {
    const { llm, server } = await bench(t, {
      script: () => ({ status: 400, body: JSON.stringify({ error: { message } }) }),
    })
    await assert.rejects(llm.propose(request(), never()), { code: 'LLM_REFUSED' })
    assert.equal(server.requests.length, 1)
  }
})

test('a field that was named in vain is sent again', async t => {
  const vain = { status: 400, body: '{"error":"the seed is too large"}' }
  const { llm, server } = await bench(t, { script: (_, index) => (index < 2 ? vain : 'ok') })
  await assert.rejects(llm.propose(request(), never()), { code: 'LLM_REFUSED' })
  await llm.propose(request({ seed: 5 }), never())
  assert.deepEqual(
    server.requests.map(({ body }) => body?.seed),
    [0, undefined, 5],
  )
})
