// The OpenAI client on an endpoint that streams: what it asks for, what it makes of the chunks, when it hangs up, and what it does
// where there is no stream.
import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import type { OpenAiOptions } from '../../src/llm/openai.ts'
import { SpentError } from '../../src/llm/spent.ts'
import type { LlmRequest } from '../../src/llm/types.ts'
import type { LlmScript, LlmServerOptions } from '../fakes/llm-server.ts'
import { bench, eventually, never, PROBLEM, request, STEP_1, STEP_2, STEP_3 } from './support.ts'

const WHOLE = [STEP_1, STEP_2, STEP_3, 'The answer is 49.'].join('\n\n')

const streaming = (t: TestContext, server: LlmServerOptions = {}, options: Partial<OpenAiOptions> = {}) =>
  bench(t, server, { stream: 'on', ...options })

for (const script of ['ok', 'stream_no_done', 'stream_two_choices', 'stream_drips'] as const) {
  test(`a streamed solution is the one that comes unstreamed, with its usage (${script})`, async t => {
    const [streamed, plain] = [await streaming(t, { script }), await bench(t)]
    for (const change of [
      {},
      { maxTokens: 5 },
      { until: 'step' },
      { steps: [STEP_1] },
    ] as Partial<LlmRequest>[]) {
      const got = await streamed.llm.propose(request(change), never())
      assert.deepEqual(got, await plain.llm.propose(request(change), never()))
      assert.equal(got.usage.estimated, undefined)
    }
    const { body, headers } = streamed.server.requests[0]!
    assert.deepEqual([body?.stream, body?.stream_options], [true, { include_usage: true }])
    assert.match(String(headers.accept), /text\/event-stream/)
  })
}

test('streamed calls use one connection, one after the other', async t => {
  const { llm, server } = await streaming(t)
  for (let i = 0; i < 5; i++) await llm.propose(request({ seed: i }), never())
  assert.equal(server.openSockets(), 1)
})

test('streamed log-probabilities have the mean of those that come unstreamed', async t => {
  const { llm } = await streaming(t, { script: 'tells_logprobs' })
  assert.equal((await llm.propose(request({ logprobs: true }), never())).meanLogprob, Math.log(0.5))
})

test('an endpoint that writes on behind the step is hung up on, and the tokens are an estimate of what it wrote until then', async t => {
  const solve = () => `${STEP_1}\n\n${'And so on. '.repeat(20_000)}`
  const { llm, server } = await streaming(t, { script: 'ignores_stop', solve })
  const reply = await llm.propose(request({ until: 'step', maxTokens: 100_000 }), never())
  assert.deepEqual([reply.text, reply.ended], [STEP_1, false])
  assert.equal(reply.usage.estimated, true)
  assert.ok(reply.usage.completion_tokens <= 10, 'nothing of what followed is counted')
  assert.ok(await eventually(() => server.openSockets() === 0))
})

test('the last step ends the solution, though the endpoint would write on', async t => {
  const solve = () => `The answer is 49.\n\nOr is it? ${'Let us see. '.repeat(5000)}`
  const { llm } = await streaming(t, { script: 'ignores_stop', solve })
  const reply = await llm.propose(request({ until: 'step' }), never())
  assert.deepEqual([reply.text, reply.ended], ['The answer is 49.', true])
})

test('by default a stream is asked for only where an endpoint was seen to write on behind a step', async t => {
  const { llm, server } = await bench(t, { script: 'ignores_stop' })
  const texts: string[] = []
  for (let i = 0; i < 2; i++) {
    await llm.propose(request(), never())
    texts.push((await llm.propose(request({ until: 'step' }), never())).text)
  }
  assert.deepEqual(texts, [STEP_1, STEP_1])
  assert.deepEqual(
    server.requests.map(({ body }) => body?.stream),
    [undefined, undefined, undefined, true],
  )
})

const MUTE: LlmScript = ({ body }) => (body?.stream ? { status: 400, body: '' } : 'ok')
for (const [how, script, tries] of [
  ['and says so', 'rejects_stream', []],
  ['without a word', MUTE, [[true, false]]],
] as const) {
  test(`an endpoint that refuses to stream ${how} is asked without, from then on at once`, async t => {
    const { llm, server } = await streaming(t, { script })
    for (let i = 0; i < 2; i++) assert.equal((await llm.propose(request(), never())).text, WHOLE)
    assert.deepEqual(
      server.requests.map(({ body }) => [body?.stream, body?.stream_options !== undefined]),
      [[true, true], ...tries, [undefined, false], [undefined, false]],
    )
  })
}

test('an endpoint that refuses to tell the usage of a stream streams without it, and tokens are estimated', async t => {
  const { llm, server } = await streaming(t, { script: 'rejects_stream_options' })
  for (let i = 0; i < 2; i++) {
    const { text, usage } = await llm.propose(request(), never())
    assert.deepEqual([text, usage.estimated], [WHOLE, true])
    assert.equal(usage.completion_tokens, Math.ceil(text.length / 4))
  }
  assert.equal(server.requests.length, 3)
})

test('an answer in plain JSON is taken as it is, and no stream is asked for any more', async t => {
  const { llm, server } = await streaming(t, { script: 'streams_never' })
  for (let i = 0; i < 2; i++) {
    const { text, usage } = await llm.propose(request(), never())
    assert.deepEqual([text, usage.estimated], [WHOLE, undefined])
  }
  assert.deepEqual(
    server.requests.map(({ body }) => body?.stream),
    [true, undefined],
  )
})

test('a stream under the wrong name is a stream, and JSON under the wrong name is JSON', async t => {
  const chunk = (delta: object, finish: string | null) =>
    `data: ${JSON.stringify({ choices: [{ index: 0, delta, finish_reason: finish }] })}\n\n`
  const stream = `${chunk({ content: 'a ' }, null)}${chunk({ content: 'b' }, 'stop')}`
  const json = JSON.stringify({ choices: [{ message: { content: 'a b' }, finish_reason: 'stop' }] })
  for (const [type, body] of [
    ['application/json', stream],
    ['text/event-stream', ` \n${json}`],
  ] as const) {
    const script = () => ({ headers: { 'content-type': type }, body })
    const { llm } = await streaming(t, { script })
    assert.equal((await llm.propose(request(), never())).text, 'a b', type)
  }
})

test('thoughts that are streamed apart are no part of the solution', async t => {
  const deltas = [
    { role: 'assistant' },
    { reasoning_content: 'hm' },
    { reasoning_content: '\n\nha' },
    { content: 'a' },
  ]
  const choices = [
    ...deltas.map(delta => ({ index: 0, delta })),
    { index: 0, delta: {}, finish_reason: 'stop' },
  ]
  const body = choices.map(choice => `data: ${JSON.stringify({ choices: [choice] })}\n\n`).join('')
  const { llm } = await streaming(t, { script: () => ({ body }) })
  assert.equal((await llm.propose(request({ until: 'step' }), never())).text, 'a')
})

test('text without end is cut at many times max_tokens, as by its length, and the endpoint is hung up on', async t => {
  const { llm, server } = await streaming(t, { script: 'stream_endless_tokens' })
  const { text, ended, usage } = await llm.propose(request({ maxTokens: 10 }), never())
  assert.deepEqual([ended, usage.estimated], [false, true])
  assert.ok(text.length > 40 && text.length < 5000)
  assert.ok(await eventually(() => server.openSockets() === 0))
})

test('a stream that is whole but never closes is waited for only a little', async t => {
  const { llm, server } = await streaming(t, { script: 'stream_never_closes' })
  const { text, usage } = await llm.propose(request(), never())
  assert.deepEqual([text, usage.estimated], [WHOLE, true])
  assert.ok(await eventually(() => server.openSockets() === 0))
})

const failures = [
  ['stream_dies', 'LLM_BAD_RESPONSE', /broke off/, true],
  ['stream_ends_early', 'LLM_BAD_RESPONSE', /only a part of an answer/, true],
  ['stream_error_chunk', 'LLM_BAD_RESPONSE', /an error in the middle of an answer/, true],
  ['stream_endless_line', 'LLM_BAD_RESPONSE', /a line of more than/, false],
  ['stream_stalls_between', 'LLM_TIMEOUT', /did not answer within 0\.4 s/, true],
  ['stream_stalls_first', 'LLM_TIMEOUT', /wrote nothing within 0\.1 s/, false],
  ['hangs', 'LLM_TIMEOUT', /wrote nothing within 0\.1 s/, false],
] as const

for (const [script, code, message, isSpent] of failures) {
  test(`${script} is ${code} after one call${isSpent ? ', which tells what was spent' : ''}`, async t => {
    const limits = { timeoutMs: code === 'LLM_TIMEOUT' ? 400 : 20_000, firstTokenTimeoutMs: 100 }
    const { llm, server } = await streaming(
      t,
      { script },
      code === 'LLM_TIMEOUT' ? limits : { timeoutMs: 20_000 },
    )
    const error = await llm.propose(request(), never()).then(
      () => assert.fail('it should have failed'),
      (thrown: Error & { code?: string }) => thrown,
    )
    assert.equal(error.code, code)
    assert.match(error.message, message)
    assert.ok(!error.message.includes(PROBLEM))
    assert.equal(error instanceof SpentError, isSpent)
    if (error instanceof SpentError) {
      assert.equal(error.usage.estimated, true)
      assert.ok(error.usage.completion_tokens > 0 && error.usage.completion_tokens < WHOLE.length / 4)
    }
    assert.equal(server.requests.length, 1)
    assert.ok(await eventually(() => server.inFlight() === 0))
  })
}

test('a model that has begun to write in time may take longer than its first token', async t => {
  const limits = { firstTokenTimeoutMs: 200, timeoutMs: 20_000 }
  const { llm } = await streaming(t, { script: 'stream_drips', delayMs: 50 }, limits)
  assert.equal((await llm.propose(request(), never())).text, WHOLE)
})

test('an abort in the middle of a stream rejects with its reason and hangs up', async t => {
  const { llm, server } = await streaming(t, { script: 'stream_stalls_between' })
  const caller = new AbortController()
  const asked = llm.propose(request(), caller.signal)
  assert.ok(await eventually(() => server.inFlight() === 1))
  const reason = new Error('gone')
  caller.abort(reason)
  await assert.rejects(asked, error => error === reason)
  assert.ok(await eventually(() => server.openSockets() === 0))
})
