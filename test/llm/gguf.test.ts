// A GGUF model as an upstream: what it writes, how it shares its sequences, and what is said when it cannot run. The library is a double.
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { createGgufLlm } from '../../src/llm/gguf.ts'
import { startGguf } from '../../src/llm/gguf-host.ts'
import { type GgufAsk, type GgufOptions, openGguf } from '../../src/llm/gguf-model.ts'
import { createWriter } from '../../src/llm/gguf-writer.ts'
import { seen } from '../fakes/llama-library.ts'
import { never, PROBLEM, request, STEP_1, STEP_2, STEP_3 } from './support.ts'

const ANSWER = 'The answer is 49.'
const LIBRARY = new URL('../fakes/llama-library.ts', import.meta.url).href

function optionsOn(t: TestContext, change: Partial<GgufOptions> & { readonly bytes?: string } = {}) {
  const { bytes = 'GGUF', ...given } = change
  const dir = mkdtempSync(join(tmpdir(), 'spar-gguf-'))
  t.after(() => rmSync(dir, { recursive: true }))
  const path = join(dir, 'model.gguf')
  writeFileSync(path, bytes)
  return { path, library: LIBRARY, threads: 1, gpu: false, contextTokens: 4096, parallel: 4, ...given }
}

async function startOn(t: TestContext, change: Partial<GgufOptions> = {}) {
  const host = await startGguf(optionsOn(t, change))
  t.after(() => host.close())
  return { host, llm: createGgufLlm(host.sample) }
}

const ask = (change: Partial<GgufAsk> = {}): GgufAsk => ({
  messages: [{ role: 'user', content: PROBLEM }],
  stop: null,
  temperature: 1,
  maxTokens: 500,
  seed: 0,
  logprobs: false,
  ...change,
})

test('a worker writes a whole solution, the rest of one, and one step, with exact counts', async t => {
  const { llm } = await startOn(t)
  assert.equal(llm.name, 'gguf')
  const whole = await llm.propose(request(), never())
  const text = [STEP_1, STEP_2, STEP_3, ANSWER].join('\n\n')
  assert.deepEqual([whole.text, whole.ended], [text, true])
  assert.equal(whole.usage.completion_tokens, text.length + 1, 'every byte and the end')
  assert.ok(whole.usage.prompt_tokens > PROBLEM.length && whole.usage.estimated === undefined)
  const rest = await llm.propose(request({ steps: [STEP_1, STEP_2] }), never())
  assert.deepEqual([rest.text, rest.ended], [`${STEP_3}\n\n${ANSWER}`, true])
  const step = await llm.propose(request({ steps: [STEP_1], until: 'step' }), never())
  assert.deepEqual([step.text, step.ended], [STEP_2, false])
  assert.equal(step.usage.completion_tokens, STEP_2.length + 2)
  const last = await llm.propose(request({ steps: [STEP_1, STEP_2, STEP_3], until: 'step' }), never())
  assert.deepEqual([last.text, last.ended], [ANSWER, true])
})

test('a text is cut at max_tokens, and at the end of the context', async t => {
  const { llm } = await startOn(t, { contextTokens: 600 })
  const cut = await llm.propose(request({ maxTokens: 8 }), never())
  assert.deepEqual([cut.text, cut.ended, cut.usage.completion_tokens], [STEP_1.slice(0, 8), false, 8])
  const endless = await llm.propose(request({ problem: 'endless', maxTokens: 5000 }), never())
  assert.equal(endless.ended, false)
  assert.equal(endless.usage.prompt_tokens + endless.usage.completion_tokens, 600)
  const long = llm.propose(request({ problem: 'x'.repeat(600) }), never())
  await assert.rejects(long, { code: 'LLM_REFUSED', message: /600 tokens/ })
})

test('samples are written at the same time, as many as there are sequences, and each by its own seed', async t => {
  const model = await openGguf(optionsOn(t, { parallel: 3 }))
  t.after(() => model.close())
  seen.atOnce = 0
  const seeds = [0, 1, 2, 3, 4, 5, 6, 7]
  const texts = await Promise.all(seeds.map(seed => model.write(ask({ seed }), () => false)))
  assert.equal(seen.atOnce, 3)
  const wrong = texts.map(({ text }) => text.includes('59'))
  assert.deepEqual(
    wrong,
    seeds.map(seed => seed % 4 === 3),
  )
})

test('what a sequence has taken in already is not taken in again', async t => {
  const model = await openGguf(optionsOn(t, { parallel: 2 }))
  t.after(() => model.close())
  const first = await model.write(ask(), () => false)
  seen.tokensTaken = 0
  const again = await model.write(ask(), () => false)
  assert.deepEqual(again, first)
  assert.equal(seen.tokensTaken, 1)
})

test('log-probabilities are there when asked for', async t => {
  const model = await openGguf(optionsOn(t))
  t.after(() => model.close())
  assert.equal((await model.write(ask(), () => false)).meanLogprob, null)
  const { meanLogprob } = await model.write(ask({ logprobs: true }), () => false)
  assert.ok(Math.abs(meanLogprob! - Math.log(0.5)) < 1e-12)
})

test('log-probabilities go through the port where they are wanted', async t => {
  const { llm } = await startOn(t)
  const reply = await llm.propose(request({ logprobs: true }), never())
  assert.ok(Math.abs(reply.meanLogprob! - Math.log(0.5)) < 1e-12)
})

test('an abort rejects at once and frees its sequence, waiting or writing', async t => {
  const { llm } = await startOn(t, { parallel: 1 })
  const gone = new Error('gone')
  const callers = [new AbortController(), new AbortController()]
  const asked = callers.map(({ signal }) =>
    llm.propose(request({ problem: 'endless', maxTokens: 100_000 }), signal),
  )
  const next = llm.propose(request(), never())
  for (const caller of callers) caller.abort(gone)
  for (const call of asked) await assert.rejects(call, error => error === gone)
  assert.equal((await next).ended, true)
  await assert.rejects(llm.propose(request(), AbortSignal.abort(gone)), error => error === gone)
})

test('a failure of the model is an error without its words', async t => {
  const { llm } = await startOn(t)
  await assert.rejects(llm.propose(request({ problem: 'broken secret' }), never()), (error: Error) => {
    assert.equal((error as { code?: string }).code, 'LLM_ERROR')
    return !error.message.includes('secret')
  })
  assert.equal((await llm.propose(request(), never())).ended, true)
})

test('an error of the library that no message can hold ends one text, and not the worker', async t => {
  const { host, llm } = await startOn(t)
  await assert.rejects(llm.propose(request({ problem: 'a handle' }), never()), (error: Error) => {
    assert.equal((error as { code?: string }).code, 'LLM_ERROR')
    assert.deepEqual([(error.cause as Error).name, (error.cause as Error).message], ['TypeError', 'lost'])
    return true
  })
  assert.equal(host.dead(), false)
  assert.equal((await llm.propose(request(), never())).ended, true)
})

test('a long text of thoughts takes time by its length', () => {
  const detokenize = (tokens: readonly number[]) => String.fromCharCode(...tokens)
  const writer = createWriter({ detokenize }, { prompt: [], stop: '\n\n', endTexts: [] })
  for (const char of '<think>') writer.push(char.charCodeAt(0))
  const startedAt = process.cpuUsage()
  for (let i = 0; i < 200_000; i++) assert.equal(writer.push(i % 100 < 2 ? 10 : 120), null)
  const { user } = process.cpuUsage(startedAt)
  assert.ok(user < 5_000_000, `${user} µs`)
})

test('closing ends what is being written, and nothing is written afterwards', async t => {
  const { host, llm } = await startOn(t)
  const writing = llm.propose(request({ problem: 'endless', maxTokens: 100_000 }), never())
  const ended = assert.rejects(writing, { code: 'LLM_ERROR', message: /closed/ })
  await host.close()
  await ended
  assert.equal(host.dead(), true)
  await assert.rejects(llm.propose(request(), never()), { code: 'LLM_ERROR' })
})

const UNREADY: readonly [name: string, change: Partial<GgufOptions> & { bytes?: string }, message: RegExp][] =
  [
    ['no file', { path: '/nowhere/secret.gguf' }, /no file at the path in SPAR_GGUF/],
    ['a file of another kind', { bytes: 'secret' }, /SPAR_GGUF is not a GGUF model/],
    ['too little memory', { contextTokens: 2 ** 20 }, /SPAR_GGUF_CONTEXT can be lowered/],
    ['no library', { library: 'file:///nowhere/secret.js' }, /SPAR_GGUF_LIBRARY cannot be loaded/],
    ['another library', { library: 'node:path' }, /SPAR_GGUF_LIBRARY is not node-llama-cpp/],
  ]

for (const [name, change, message] of UNREADY) {
  test(`with ${name} the upstream says so in a sentence`, async t => {
    await assert.rejects(startGguf(optionsOn(t, change)), (error: Error) => {
      assert.match(error.message, message)
      assert.equal((error as { code?: string }).code, 'LLM_UNREACHABLE')
      return !error.message.includes('secret')
    })
  })
}

test('without the optional package the upstream names it', async t => {
  const installed = await import('node-llama-cpp' as string).then(
    () => true,
    () => false,
  )
  if (installed) return t.skip('node-llama-cpp is installed')
  await assert.rejects(startGguf(optionsOn(t, { library: undefined })), /needs the package node-llama-cpp/)
})

test('a character over several tokens is written whole, and marks are seen across tokens', () => {
  const bytes = (text: string) => [...new TextEncoder().encode(text)]
  const detokenize = (tokens: readonly number[]) => new TextDecoder().decode(Uint8Array.from(tokens))
  const write = (text: string, stop: string | null) => {
    const writer = createWriter({ detokenize }, { prompt: [], stop, endTexts: ['### User'] })
    const ends = bytes(text).map(token => writer.push(token))
    return [writer.text(), ends.find(end => end !== null) ?? null]
  }
  assert.deepEqual(write('3 × 4 = 12 ✓🙂', '\n\n'), ['3 × 4 = 12 ✓🙂', null])
  assert.deepEqual(write('\n\na b\n\n', '\n\n'), ['\n\na b', 'stop_sequence'])
  assert.deepEqual(write('a\n\nb### User', null), ['a\n\nb', 'end_of_text'])
  assert.deepEqual(write('<think>\na\n\nb</think>\n\nc\n\n', '\n\n').at(-1), 'stop_sequence')
})
