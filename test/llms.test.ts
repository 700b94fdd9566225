// Which language model a request means, and what requests to the same one share.
import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { parseAddressRanges } from '../src/llm/address-guard.ts'
import type { UpstreamConfig } from '../src/llm/upstreams.ts'
import { parseAllowedHosts } from '../src/llm/url-guard.ts'
import { createLlms } from '../src/llms.ts'
import { type LlmServerOptions, startLlmServer } from './fakes/llm-server.ts'
import { never, request, STEP_1 } from './llm/support.ts'

async function serve(t: TestContext, options: LlmServerOptions, config: Partial<UpstreamConfig> = {}) {
  const server = await startLlmServer(options)
  t.after(() => server.close())
  const named = { name: 'named', baseUrl: server.url, model: 'adder', ...config }
  const llms = createLlms({
    upstreams: new Map([['named', named]]),
    allowedHosts: parseAllowedHosts('127.0.0.1'),
    guard: { privateRanges: parseAddressRanges('') },
    sampler: () => assert.fail('not asked'),
    first: 'named',
  })
  return { server, llms }
}

test('that an endpoint of a client refuses log-probabilities is found out once, for each model there', async t => {
  const { server, llms } = await serve(t, { script: 'rejects_logprobs' })
  for (const model of ['a', 'a', 'a', 'b']) {
    const llm = llms.resolve({ base_url: server.url, model }, 'a-key')
    assert.equal((await llm.propose(request({ logprobs: true }), never())).meanLogprob, null)
  }
  assert.deepEqual(
    server.requests.map(({ body }) => [body?.model, body?.logprobs]),
    [
      ['a', true],
      ['a', undefined],
      ['a', undefined],
      ['a', undefined],
      ['b', true],
      ['b', undefined],
    ],
  )
})

test('how an endpoint of a client continues is found out once', async t => {
  const { server, llms } = await serve(t, { script: 'rejects_continuation' })
  for (let i = 0; i < 3; i++) {
    const llm = llms.resolve({ base_url: server.url, model: 'a' })
    await llm.propose(request({ steps: [STEP_1] }), never())
  }
  assert.equal(server.requests.filter(({ body }) => body?.continue_final_message).length, 1)
})

test('a way to continue that is refused one day is found out again', async t => {
  let isNew = false
  const { server, llms } = await serve(t, { script: () => (isNew ? 'rejects_continuation' : 'ok') })
  const ask = () => llms.resolve({ upstream: 'named' }).propose(request({ steps: [STEP_1] }), never())
  await ask()
  isNew = true
  await assert.rejects(ask(), { code: 'LLM_REFUSED' })
  assert.ok((await ask()).text.length > 0)
  assert.ok((await ask()).text.length > 0)
  assert.equal(server.requests.length, 6)
})

test('a key of a client is for its request, and what that finds out of a named upstream is for all', async t => {
  const { server, llms } = await serve(t, { script: 'rejects_stream' }, { stream: 'on', apiKey: 'own' })
  await llms.resolve({ upstream: 'named' }, 'another').propose(request(), never())
  await llms.resolve({ upstream: 'named' }).propose(request(), never())
  assert.deepEqual(
    server.requests.map(({ body, headers }) => [headers.authorization, body?.stream]),
    [
      ['Bearer another', true],
      ['Bearer another', undefined],
      ['Bearer own', undefined],
    ],
  )
})
