// Spans of the real service, at a real collector: one tree a request, under the caller's trace and above the LLM's, without texts.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { type Collector, type SpanSeen, startCollector } from '../fakes/collector.ts'
import { type LlmServer, startLlmServer } from '../fakes/llm-server.ts'
import { startTestService } from '../fakes/service.ts'
import { tempFolder } from '../fakes/tiny-critic.ts'

const TRACES = { critique: 'a'.repeat(32), search: 'b'.repeat(32), failed: 'c'.repeat(32) }
const PARENT = '1234567890abcdef'
const folder = tempFolder()
let collector: Collector
let llm: LlmServer

/** Asks for everything once; spans have all come when the service has ended. */
before(async () => {
  collector = await startCollector()
  llm = await startLlmServer({ script: ({ body }) => (body?.model === 'broken' ? 'refuses' : 'ok') })
  const settings = {
    OTEL_EXPORTER_OTLP_ENDPOINT: collector.url,
    SPAR_LLM_FAKE_URL: llm.url,
    SPAR_LLM_FAKE_MODEL: 'adder',
    SPAR_LLM_FAKE_KEY: 'sk-VERY-secret',
    SPAR_LLM_BROKEN_URL: llm.url,
    SPAR_LLM_BROKEN_MODEL: 'broken',
  }
  const service = await startTestService(folder.path, { settings })
  const post = (path: string, trace: string, body: object) =>
    fetch(service.url + path, {
      method: 'POST',
      headers: { 'content-type': 'application/json', traceparent: `00-${trace}-${PARENT}-01` },
      body: JSON.stringify(body),
    })
  const problem = 'Add 12 and 30 and 7 pelicans.'
  const search = { problem, method: 'best_of_n', params: { n: 2 }, seed: 1 }
  const statuses = [
    await post('/critique', TRACES.critique, { problem, steps: ['12 + 30 = 42.', '42 + 7 = 49 pelicans.'] }),
    await post('/search', TRACES.search, { ...search, llm: { upstream: 'fake' } }),
    await post('/search', TRACES.failed, { ...search, llm: { upstream: 'broken' } }),
  ].map(({ status }) => status)
  await fetch(`${service.url}/healthz`)
  await fetch(`${service.url}/no/such/pelican`)
  assert.equal(await service.stop(), 0)
  assert.deepEqual(statuses, [200, 200, 502])
})

after(async () => {
  await collector.close()
  await llm.close()
  folder.remove()
})

const spansOf = (trace: string) => collector.spans.filter(({ traceId }) => traceId === trace)
const named = (spans: readonly SpanSeen[], name: string) => spans.filter(span => span.name === name)
const childrenOf = (spans: readonly SpanSeen[], { spanId }: SpanSeen) =>
  spans.filter(({ parentSpanId }) => parentSpanId === spanId)

test('a critique is one tree: request, critic, and the critic’s stages, under the caller’s span', () => {
  const spans = spansOf(TRACES.critique)
  const [root] = named(spans, 'POST /critique')
  assert.equal(root!.parentSpanId, PARENT)
  assert.equal(root!.service, 'spar')
  assert.equal(root!.facts['http.response.status_code'], 200)
  const [critic, ...more] = childrenOf(spans, root!)
  assert.deepEqual([critic!.name, more.length], ['critic', 0])
  assert.deepEqual([critic!.facts['spar.items'], critic!.facts['spar.steps']], [1, 2])
  const stages = childrenOf(spans, critic!).toSorted((a, b) => a.start - b.start)
  assert.deepEqual(stages.map(({ name }) => name).sort(), ['critic infer', 'critic queue', 'critic tokenise'])
  const sum = stages.reduce((ms, stage) => ms + stage.ms, 0)
  assert.ok(sum > 0 && sum <= critic!.ms + 1, `${sum} of ${critic!.ms} ms`)
})

test('a search is one tree with its calls to the language model, which go on with the trace', () => {
  const spans = spansOf(TRACES.search)
  const [root] = named(spans, 'POST /search')
  const [search] = childrenOf(spans, root!)
  assert.equal(search!.name, 'search')
  assert.deepEqual(
    ['spar.method', 'spar.finish_reason', 'spar.llm.calls'].map(name => search!.facts[name]),
    ['best_of_n', 'complete', 2],
  )
  const calls = childrenOf(spans, search!).filter(({ name }) => name === 'upstream call')
  assert.equal(calls.length, 2)
  assert.ok(childrenOf(spans, search!).some(({ name }) => name === 'critic'))
  const sent = llm.requests
    .filter(({ body }) => body?.model === 'adder')
    .map(({ headers }) => headers['traceparent'])
  assert.deepEqual(sent.sort(), calls.map(({ spanId }) => `00-${TRACES.search}-${spanId}-01`).sort())
})

test('what failed is marked with its code', () => {
  const spans = spansOf(TRACES.failed)
  const [root] = named(spans, 'POST /search')
  assert.deepEqual([root!.failed, root!.facts['error.type']], [true, 'LLM_REFUSED'])
  const [call] = named(spans, 'upstream call')
  assert.deepEqual(
    [call!.facts['http.response.status_code'], call!.facts['error.type']],
    [401, 'LLM_REFUSED'],
  )
})

test('no span holds a text, a key or an address, and probes have none', () => {
  const all = JSON.stringify(collector.spans)
  for (const secret of ['pelican', '12 + 30', 'sk-VERY-secret', new URL(llm.url).host])
    assert.ok(!all.includes(secret), secret)
  assert.equal(named(collector.spans, 'GET /healthz').length, 0)
  assert.equal(named(collector.spans, 'GET unmatched').length, 1)
})
