// The clients that people use, as they are published, against a listening service: the openai package and Vercel's AI SDK.
import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { createOpenAICompatible } from '@ai-sdk/openai-compatible'
import { APICallError, generateText, streamText } from 'ai'
import OpenAI from 'openai'
import { listening } from './listening.ts'
import { createWorld, startLlm } from './world.ts'

const content = 'Tom has 5 apples, buys 7, then 30 more. How many has he?'
const messages = [{ role: 'user' as const, content }]
const spar = { method: 'best_of_n', params: { n: 4 }, budget: { deadline_ms: 20_000 } }
const RIGHT = /^We start with 5\.\n\nThen 5 \+ 7 = 12\.\n\nThen 12 \+ 30 = 42\.\n\nThe answer is 42\.$/

/** A service whose upstream is a scripted LLM, with the base URL that its clients are given. */
async function withService(t: TestContext, run: (baseURL: string) => Promise<void>) {
  const llm = await startLlm(t)
  const world = createWorld(t, { llmUrl: llm.url })
  await listening(world.app, url => run(`${url}/v1`))
  return { llm, world }
}

const openAi = (baseURL: string) => new OpenAI({ baseURL, apiKey: 'sk-for-spar', maxRetries: 2 })
const aiSdk = (baseURL: string) =>
  createOpenAICompatible({ name: 'spar', baseURL, apiKey: 'sk-for-spar', includeUsage: true })

/** What `spar` adds to OpenAI's answers, which their types do not have. */
type WithSpar<T> = T & {
  readonly spar?: { readonly id: string; readonly critic: string; readonly score: number }
}

test('openai: an answer with its search, which takes feedback', async t => {
  const { llm, world } = await withService(t, async baseURL => {
    const body = { model: 'spar', messages, seed: 3, spar }
    const answer: WithSpar<OpenAI.ChatCompletion> = await openAi(baseURL).chat.completions.create(body)
    assert.match(answer.choices[0]!.message.content!, RIGHT)
    assert.equal(answer.choices[0]!.finish_reason, 'stop')
    assert.ok(answer.usage!.total_tokens > 0)
    assert.deepEqual([answer.spar!.critic, answer.spar!.score], ['sums@2', 0.6])
    const feedback = await openAi(baseURL.replace('/v1', '')).post('/feedback', {
      body: { search_id: answer.spar!.id, answer_correct: true },
    })
    assert.equal((feedback as { accepted: number }).accepted, 1)
  })
  assert.equal(llm.requests.length, 4)
  for (const { headers } of llm.requests) assert.equal(headers.authorization, undefined)
  assert.doesNotMatch(world.lines.join(''), /sk-for-spar|apples/)
})

test('openai: a stream with its usage and its search', async t => {
  await withService(t, async baseURL => {
    const body = {
      model: 'fake',
      messages,
      stream: true as const,
      stream_options: { include_usage: true },
      spar,
    }
    const stream = await openAi(baseURL).chat.completions.create(body)
    let text = ''
    const chunks: WithSpar<OpenAI.ChatCompletionChunk>[] = []
    for await (const chunk of stream) {
      chunks.push(chunk)
      text += chunk.choices[0]?.delta.content ?? ''
    }
    assert.match(text, RIGHT)
    assert.equal(chunks.at(-2)!.choices[0]!.finish_reason, 'stop')
    assert.equal(chunks.at(-2)!.spar!.critic, 'sums@2')
    assert.ok(chunks.at(-1)!.usage!.completion_tokens > 0)
  })
})

test('openai: its own accumulator of chunks takes the stream', async t => {
  await withService(t, async baseURL => {
    const final = await openAi(baseURL)
      .chat.completions.stream({ model: 'spar', messages })
      .finalChatCompletion()
    assert.match(final.choices[0]!.message.content!, /The answer is 42\.$/)
  })
})

test('openai: a refusal is its own kind of error, and is not tried again', async t => {
  const { llm } = await withService(t, async baseURL => {
    for (const stream of [false, true])
      await assert.rejects(
        openAi(baseURL).chat.completions.create({ model: 'spar', messages, n: 2, stream }),
        (error: unknown) => {
          assert.ok(error instanceof OpenAI.UnprocessableEntityError)
          assert.deepEqual(
            [error.code, error.param, error.type],
            ['CHAT_UNSUPPORTED', 'n', 'invalid_request_error'],
          )
          assert.match(error.message, /^422 .*one answer/)
          return true
        },
      )
  })
  assert.equal(llm.requests.length, 0)
})

test('openai: an error in the middle of a stream is thrown', async t => {
  const llm = await startLlm(t, { script: 'hangs' })
  const world = createWorld(t, { llmUrl: llm.url, config: { heartbeatMs: 10 } })
  await listening(world.app, async url => {
    const body = { model: 'spar', messages, stream: true as const, spar: { budget: { deadline_ms: 100 } } }
    const stream = await openAi(`${url}/v1`).chat.completions.create(body)
    await assert.rejects(
      async () => {
        for await (const _ of stream);
      },
      { code: 'LLM_TIMEOUT' },
    )
  })
})

test('openai: models are listed', async t => {
  await withService(t, async baseURL => {
    const ids: string[] = []
    for await (const { id } of openAi(baseURL).models.list()) ids.push(id)
    assert.deepEqual(ids, ['spar', 'fake', 'builtin'])
  })
})

test('AI SDK: a text with its usage, and the options of a search', async t => {
  const { llm } = await withService(t, async baseURL => {
    const { text, usage, finishReason } = await generateText({
      model: aiSdk(baseURL)('spar'),
      system: 'Add up.',
      prompt: content,
      seed: 3,
      providerOptions: { spar: { spar } },
    })
    assert.match(text, RIGHT)
    assert.equal(finishReason, 'stop')
    assert.ok(usage.outputTokens! > 0)
  })
  assert.equal(llm.requests.length, 4)
  assert.equal(llm.requests[0]?.body?.messages.at(-1)?.content, `Add up.\n\n${content}`)
})

test('AI SDK: a stream', async t => {
  await withService(t, async baseURL => {
    const { textStream, usage, finishReason } = streamText({
      model: aiSdk(baseURL)('spar'),
      prompt: content,
      seed: 3,
    })
    let text = ''
    for await (const part of textStream) text += part
    assert.match(text, RIGHT)
    assert.equal(await finishReason, 'stop')
    assert.ok((await usage).outputTokens! > 0)
  })
})

test('AI SDK: a refusal is thrown with its message', async t => {
  await withService(t, async baseURL => {
    await assert.rejects(
      generateText({ model: aiSdk(baseURL)('gpt-9'), prompt: content }),
      (error: unknown) => {
        assert.ok(APICallError.isInstance(error))
        assert.equal(error.statusCode, 422)
        assert.match(error.message, /spar, fake, builtin/)
        return true
      },
    )
  })
})
