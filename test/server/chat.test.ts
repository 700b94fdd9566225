import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import request from 'supertest'
import { ERRORS, type ErrorCode } from '../../src/errors.ts'
import { parseAddressRanges } from '../../src/llm/address-guard.ts'
import type { GgufSampler } from '../../src/llm/gguf.ts'
import { parseAllowedHosts } from '../../src/llm/url-guard.ts'
import { createLlms } from '../../src/llms.ts'
import { assertContract, assertMatches, validator } from './contract-check.ts'
import { listening } from './listening.ts'
import { createWorld, startLlm } from './world.ts'

const problem = 'Tom has 5 apples, buys 7, then 30 more. How many has he?'
const user = { role: 'user', content: problem }
const llm = await startLlm({ after })
const world = createWorld({ after }, { llmUrl: llm.url, llmHosts: new URL(llm.url).host })

const ask = (body: object, headers: Record<string, string> = {}) =>
  request(world.app)
    .post('/v1/chat/completions')
    .set(headers)
    .send({ model: 'spar', messages: [user], ...body })

/** What the LLM was asked by the search that answered `body`. */
async function promptsOf(body: object, headers: Record<string, string> = {}) {
  const seen = llm.requests.length
  const answer = await ask({ spar: { params: { n: 1 } }, ...body }, headers)
  assert.equal(answer.status, 200, answer.text)
  return llm.requests.slice(seen)
}

test('the answer is a chat completion that carries the search', async () => {
  const answer = await ask({ spar: { params: { n: 4 } }, seed: 3 })
  assert.equal(answer.status, 200, answer.text)
  assertContract(answer, 'chatCompletions')
  const { choices, usage, spar, ...head } = answer.body
  assert.deepEqual(head, {
    id: spar.id,
    object: 'chat.completion',
    created: Date.UTC(2026, 10, 2, 9, 30) / 1000,
    model: 'spar',
  })
  assert.match(choices[0].message.content, /The answer is 42\.$/)
  assert.equal(choices[0].finish_reason, 'stop')
  assert.equal(usage.total_tokens, usage.prompt_tokens + usage.completion_tokens)
  assert.ok(usage.completion_tokens > 0)
  assert.match(spar.id, /^search_/)
  assert.deepEqual(
    [spar.critic, spar.answer, spar.method, spar.finish_reason],
    ['sums@2', '42', 'weighted_best_of_n', 'complete'],
  )
  assert.equal(spar.score, 0.6)
})

test('it is the answer that /search gives, is logged like it and takes feedback', async t => {
  const own = createWorld(t, { llmUrl: llm.url })
  const options = { params: { n: 4 }, method: 'best_of_n' }
  const chat = await request(own.app)
    .post('/v1/chat/completions')
    .send({ model: 'spar', messages: [user], seed: 7, spar: options })
  const search = await request(own.app)
    .post('/search')
    .send({ problem, llm: { upstream: 'fake' }, seed: 7, ...options })
  assert.equal(chat.body.choices[0].message.content, search.body.solution)
  assert.deepEqual(chat.body.usage.completion_tokens, search.body.usage.llm.completion_tokens)
  const feedback = await request(own.app)
    .post('/feedback')
    .send({ search_id: chat.body.spar.id, answer_correct: true })
  assert.equal(feedback.body.accepted, 1)
  const [second, first] = await own.traffic()
  assert.equal(first?.record.id, chat.body.spar.id)
  assert.deepEqual(first?.record.candidates, second?.record.candidates)
  await request(own.app)
    .post('/v1/chat/completions')
    .set('X-Spar-Log', 'off')
    .send({ model: 'spar', messages: [user] })
  assert.equal((await own.traffic()).length, 2)
})

test('rules and earlier turns are put before the problem', async () => {
  const [alone] = await promptsOf({})
  assert.equal(alone?.body?.messages.at(-1)?.content, problem)
  const [ruled] = await promptsOf({ messages: [{ role: 'system', content: 'Be brief.' }, user] })
  assert.equal(ruled?.body?.messages.at(-1)?.content, `Be brief.\n\n${problem}`)
  const [talk] = await promptsOf({
    messages: [
      { role: 'developer', content: 'Be brief.' },
      {
        role: 'user',
        content: [
          { type: 'text', text: 'What is' },
          { type: 'text', text: '5 + 7?' },
        ],
      },
      { role: 'assistant', content: '12' },
      { role: 'user', content: 'And 30 more?' },
    ],
  })
  assert.equal(
    talk?.body?.messages.at(-1)?.content,
    'Be brief.\n\nUser: What is\n5 + 7?\n\nAssistant: 12\n\nUser: And 30 more?',
  )
})

test("OpenAI's parameters reach the search where its method takes them", async () => {
  const [mapped] = await promptsOf({ temperature: 0.25, max_tokens: 77 })
  assert.deepEqual([mapped?.body?.temperature, mapped?.body?.max_tokens], [0.25, 77])
  const [newer] = await promptsOf({ max_completion_tokens: 66, max_tokens: 77 })
  assert.equal(newer?.body?.max_tokens, 66)
  const [own] = await promptsOf({ temperature: 0.25, spar: { params: { n: 1, temperature: 1.5 } } })
  assert.equal(own?.body?.temperature, 1.5)
  const [huge] = await promptsOf({ max_tokens: 1e9, spar: { params: { n: 1 }, budget: { max_tokens: 1e6 } } })
  assert.equal(huge?.body?.max_tokens, 32_768)
  const stepwise = { method: 'mcts', params: { simulations: 1 } }
  const [step] = await promptsOf({ max_tokens: 77, temperature: 0.25, spar: stepwise })
  assert.deepEqual([step?.body?.temperature, step?.body?.max_tokens], [0.25, 256])
  const seeds = [-1, 2 ** 32 - 1, 2 ** 33 - 1]
  const asked = await Promise.all(
    seeds.map(async seed => (await ask({ seed, spar: { params: { n: 3 } } })).body),
  )
  for (const { choices } of asked) assert.deepEqual(choices, asked[0].choices)
})

test('harmless fields are accepted', async () => {
  const answer = await ask({
    user: 'u-1',
    top_p: 0.9,
    presence_penalty: 0,
    metadata: { a: 'b' },
    store: false,
    n: 1,
    tools: [],
    tool_choice: 'none',
    response_format: { type: 'text' },
    modalities: ['text'],
    stop: null,
    logprobs: false,
    stream: null,
    temperature: null,
    seed: null,
    max_tokens: null,
    spar: { params: { n: 1 } },
  })
  assert.equal(answer.status, 200, answer.text)
})

const image = { type: 'image_url', image_url: { url: 'data:image/png;base64,AA==' } }
const call = { id: 'a', type: 'function', function: { name: 'f', arguments: '{}' } }
const tool = { type: 'function', function: { name: 'f' } }
const none = { upstream: 'none' }
const elsewhere = { base_url: 'http://169.254.169.254/v1', model: 'm' }
const REFUSED: readonly [name: string, body: object, code: ErrorCode, param: string | null][] = [
  ['two choices', { n: 2 }, 'CHAT_UNSUPPORTED', 'n'],
  ['a tool', { tools: [tool] }, 'CHAT_UNSUPPORTED', 'tools'],
  ['a function', { functions: [{ name: 'f' }] }, 'CHAT_UNSUPPORTED', 'functions'],
  ['a JSON answer', { response_format: { type: 'json_object' } }, 'CHAT_UNSUPPORTED', 'response_format'],
  ['a spoken answer', { modalities: ['text', 'audio'] }, 'CHAT_UNSUPPORTED', 'modalities'],
  ['a stop sequence', { stop: ['\n'] }, 'CHAT_UNSUPPORTED', 'stop'],
  ['log probabilities', { logprobs: true }, 'CHAT_UNSUPPORTED', 'logprobs'],
  [
    'an image',
    { messages: [{ role: 'user', content: [{ type: 'text', text: 'What?' }, image] }] },
    'CHAT_UNSUPPORTED',
    'messages[0].content[1]',
  ],
  [
    'a tool call',
    { messages: [{ role: 'assistant', tool_calls: [call] }, user] },
    'CHAT_UNSUPPORTED',
    'messages[0].tool_calls',
  ],
  ['a tool result', { messages: [user, { role: 'tool', content: '3' }] }, 'CHAT_UNSUPPORTED', 'messages[1]'],
  [
    'a begun answer',
    { messages: [user, { role: 'assistant', content: '5' }] },
    'CHAT_UNSUPPORTED',
    'messages[1]',
  ],
  ['no message', { messages: [] }, 'INVALID_REQUEST', 'messages'],
  ['a blank problem', { messages: [{ role: 'user', content: ' ' }] }, 'INVALID_REQUEST', 'messages[0]'],
  [
    'a long problem',
    { messages: [{ role: 'user', content: 'x'.repeat(20_001) }] },
    'INVALID_REQUEST',
    'messages',
  ],
  ['a wrong type', { temperature: 'hot' }, 'INVALID_REQUEST', 'temperature'],
  ['an unknown option', { spar: { methods: 'mcts' } }, 'INVALID_REQUEST', 'spar.methods'],
  ['a parameter of another method', { spar: { params: { runs: 2 } } }, 'INVALID_REQUEST', 'spar.params'],
  ['an unknown model', { model: 'gpt-9' }, 'UNKNOWN_UPSTREAM', 'model'],
  ['an unknown upstream', { spar: { llm: none } }, 'UNKNOWN_UPSTREAM', null],
  ['an unknown critic', { spar: { critic: 'sums@9' } }, 'UNKNOWN_CRITIC', null],
  ['an address that is not allowed', { spar: { llm: elsewhere } }, 'LLM_HOST_NOT_ALLOWED', null],
]

for (const stream of [false, true])
  for (const [name, body, code, param] of REFUSED)
    test(`${name} is refused with ${code}${stream ? ', streamed too' : ''}`, async () => {
      const seen = llm.requests.length
      const answer = await ask({ ...body, stream })
      assertContract(answer, 'chatCompletions')
      const { error } = answer.body
      assert.deepEqual([answer.status, error.code, error.param], [ERRORS[code].status, code, param])
      assert.equal(error.type, 'invalid_request_error')
      assert.equal(answer.headers['x-should-retry'], 'false')
      assert.equal(llm.requests.length, seen)
    })

test('a problem of exactly the most characters is taken', async () => {
  const answer = await ask({
    messages: [{ role: 'user', content: '😀'.repeat(20_000) }],
    spar: { params: { n: 1 } },
  })
  assert.equal(answer.status, 200, answer.text)
})

test("what goes wrong before or beside the handler has OpenAI's form too", async () => {
  const chat = () => request(world.app).post('/v1/chat/completions')
  const cases = [
    [await chat().set('Content-Type', 'application/json').send('{'), 400, 'BAD_JSON'],
    [await chat().set('Content-Type', 'text/plain').send('x'), 415, 'UNSUPPORTED_MEDIA_TYPE'],
    [await request(world.app).get('/v1/chat/completions'), 405, 'METHOD_NOT_ALLOWED'],
    [await request(world.app).post('/v1/embeddings').send({}), 404, 'NOT_FOUND'],
  ] as const
  for (const [answer, status, code] of cases) {
    assert.deepEqual([answer.status, answer.body.error.code], [status, code])
    assertMatches(validator('components', 'schemas', 'ChatError'), answer.body, code)
  }
})

test('an LLM that fails is an error that says whether to try again', async t => {
  const cases = [
    ['rate_limited', 'LLM_RATE_LIMITED', 'true'],
    ['refuses', 'LLM_REFUSED', 'false'],
  ] as const
  for (const [script, code, again] of cases) {
    const bad = await startLlm(t, { script })
    const own = createWorld(t, { llmUrl: bad.url })
    const answer = await request(own.app)
      .post('/v1/chat/completions')
      .send({ model: 'spar', messages: [user] })
    assertContract(answer, 'chatCompletions')
    assert.deepEqual([answer.status, answer.body.error.code], [ERRORS[code].status, code])
    assert.deepEqual([answer.body.error.type, answer.headers['x-should-retry']], ['server_error', again])
    assert.deepEqual(await own.traffic(), [])
  }
})

test('chunks add up to the answer and match the contract', async () => {
  const body = { seed: 3, spar: { params: { n: 4 } } }
  const whole = await ask(body)
  const answer = await ask({ ...body, stream: true, stream_options: { include_usage: true } })
  assertContract(answer, 'chatCompletions')
  const data = [...answer.text.matchAll(/^data: (.+)$/gm)].map(([, line]) => line!)
  assert.equal(data.pop(), '[DONE]')
  const chunks = data.map(line => JSON.parse(line))
  for (const chunk of chunks) assertMatches(validator('components', 'schemas', 'ChatChunk'), chunk, 'chunk')
  const content = chunks.map(({ choices }) => choices[0]?.delta.content ?? '').join('')
  assert.equal(content, whole.body.choices[0].message.content)
  assert.deepEqual(chunks[0].choices[0].delta, { role: 'assistant', content: '' })
  assert.ok(chunks.length > 5)
  const { id: _, ...spar } = chunks.at(-2).spar
  const { id: __, ...wanted } = whole.body.spar
  assert.deepEqual(spar, wanted)
  assert.deepEqual(chunks.at(-1).usage, whole.body.usage)
  assert.equal(new Set(chunks.map(({ id }) => id)).size, 1)
})

test('a solution that was cut off ends for its length', async () => {
  const answer = await ask({ max_tokens: 5, spar: { params: { n: 1 } } })
  assert.equal(answer.body.choices[0].finish_reason, 'length')
})

test('comments keep a stream open, and an error after one is data', async t => {
  const slow = await startLlm(t, { script: 'hangs' })
  const own = createWorld(t, { llmUrl: slow.url, config: { heartbeatMs: 10 } })
  const answer = await request(own.app)
    .post('/v1/chat/completions')
    .send({ model: 'spar', messages: [user], stream: true, spar: { budget: { deadline_ms: 100 } } })
  assert.equal(answer.status, 200)
  assert.match(answer.text, /^: still here\n\n/)
  const last = /\ndata: (.+)\n\n$/.exec(answer.text)?.[1]
  assert.equal(JSON.parse(last!).error.code, 'LLM_TIMEOUT')
  assert.doesNotMatch(answer.text, /DONE/)
})

test('a client that leaves ends its search', async t => {
  for (const stream of [false, true]) {
    const slow = await startLlm(t, { script: 'hangs' })
    const own = createWorld(t, { llmUrl: slow.url })
    await listening(own.app, async url => {
      const leave = new AbortController()
      const asked = fetch(`${url}/v1/chat/completions`, {
        method: 'POST',
        headers: { 'Content-Type': 'application/json' },
        body: JSON.stringify({ model: 'spar', messages: [user], stream }),
        signal: leave.signal,
      })
      while (slow.inFlight() === 0) await new Promise(resolve => setTimeout(resolve, 5))
      leave.abort()
      await assert.rejects(asked, { name: 'AbortError' })
      while (slow.inFlight() > 0) await new Promise(resolve => setTimeout(resolve, 5))
    })
  }
})

test('the LLM gets the key that is meant for it, and never the one of Authorization', async () => {
  const mine = { Authorization: 'Bearer sk-for-spar' }
  const endpoint = { llm: { base_url: llm.url, model: 'adder' }, params: { n: 1 } }
  for (const spar of [{ params: { n: 1 } }, endpoint]) {
    const [without] = await promptsOf({ model: 'spar', spar }, mine)
    assert.equal(without?.headers.authorization, undefined)
    const [given] = await promptsOf({ model: 'spar', spar }, { ...mine, 'X-LLM-Api-Key': 'sk-for-the-llm' })
    assert.equal(given?.headers.authorization, 'Bearer sk-for-the-llm')
  }
})

test('models are listed, the default first, and each can be asked', async () => {
  const models = await request(world.app).get('/v1/models')
  assertContract(models, 'listModels')
  assert.deepEqual(
    models.body.data.map(({ id }: { id: string }) => id),
    ['spar', 'fake', 'builtin'],
  )
  assert.equal((await ask({ model: 'fake', spar: { params: { n: 1 } } })).body.model, 'fake')
})

const guard = { privateRanges: parseAddressRanges(undefined) }

test('the names of the real upstreams begin with the default one and have none twice', () => {
  const config = { baseUrl: 'http://127.0.0.1:1/v1', model: 'm' }
  const upstreams = new Map(['b', 'a'].map(name => [name, { name, ...config }]))
  const sampler = async () => assert.fail('not asked')
  const namesOf = (first: string) =>
    createLlms({ upstreams, allowedHosts: parseAllowedHosts(undefined), guard, sampler, first }).names
  assert.deepEqual(namesOf('a'), ['a', 'builtin', 'b'])
  assert.deepEqual(namesOf('builtin'), ['builtin', 'b', 'a'])
})

test('a GGUF file is an upstream like the others, and is asked by its name', async () => {
  const asked: number[] = []
  const gguf: GgufSampler = async ({ maxTokens }) => {
    asked.push(maxTokens)
    return { text: '4', endedBy: 'end_of_text', promptTokens: 3, completionTokens: 2, meanLogprob: null }
  }
  const sampler = async () => assert.fail('not asked')
  const llms = createLlms({ upstreams: new Map(), allowedHosts: [], guard, sampler, gguf, first: 'gguf' })
  assert.deepEqual(llms.names, ['gguf', 'builtin'])
  const whole = { problem: '2 + 2', steps: [], until: 'end', temperature: 0, maxTokens: 9, seed: 0 } as const
  const reply = await llms.resolve({ upstream: 'gguf' }).propose(whole, new AbortController().signal)
  assert.deepEqual([reply.text, reply.usage.completion_tokens, asked], ['4', 2, [9]])
  const without = createLlms({ upstreams: new Map(), allowedHosts: [], guard, sampler, first: 'builtin' })
  assert.throws(() => without.resolve({ upstream: 'gguf' }), { code: 'UNKNOWN_UPSTREAM' })
})
