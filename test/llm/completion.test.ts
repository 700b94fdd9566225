// Reading a chat completion body that may be anything.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { AppError } from '../../src/errors.ts'
import { addUsage, readCompletion } from '../../src/llm/completion.ts'

const ASKED = { name: 'x', messages: [{ role: 'user', content: '12345678' }], maxTokens: 100 } as const

function read(choice: object, usage?: unknown) {
  return readCompletion({ choices: [choice], usage }, ASKED)
}

test('text in parts is joined', () => {
  const content = [{ type: 'text', text: 'a' }, { type: 'thinking' }, { type: 'text', text: 'b' }]
  assert.equal(read({ message: { content } }).text, 'ab')
})

test('a reasoning model that was cut before its answer gave an empty text', () => {
  assert.equal(read({ message: { content: null }, finish_reason: 'length' }).text, '')
  assert.equal(read({ message: { content: null, reasoning_content: 'hm' }, finish_reason: 'stop' }).text, '')
})

test('no text at all cannot be read', () => {
  for (const message of [{ content: null }, { content: 5 }, { content: [] }, {}, null]) {
    assert.throws(() => read({ message, finish_reason: 'stop' }), { code: 'LLM_BAD_RESPONSE' })
  }
})

test('what stopped it is known only where the endpoint tells', () => {
  const message = { content: 'a' }
  assert.equal(read({ message, finish_reason: 'stop' }).stoppedBy, 'unknown')
  assert.equal(read({ message, finish_reason: 'stop', stop_reason: null }).stoppedBy, 'end_of_text')
  assert.equal(read({ message, finish_reason: 'stop', stop_reason: 128009 }).stoppedBy, 'end_of_text')
  assert.equal(read({ message, finish_reason: 'stop', stop_reason: '\n\n' }).stoppedBy, 'stop_sequence')
  assert.equal(read({ message, finish_reason: 'length', stop_reason: null }).stoppedBy, 'unknown')
})

const estimated = { calls: 1, prompt_tokens: 2, completion_tokens: 1, estimated: true }
const usages: readonly [given: unknown, want: object][] = [
  [
    { prompt_tokens: 5, completion_tokens: 3 },
    { calls: 1, prompt_tokens: 5, completion_tokens: 3 },
  ],
  [undefined, estimated],
  [null, estimated],
  ['lots', estimated],
  [{ prompt_tokens: -1, completion_tokens: 3 }, estimated],
  [{ prompt_tokens: 1.5, completion_tokens: 3 }, estimated],
  [
    { prompt_tokens: 5, completion_tokens: null },
    { ...estimated, prompt_tokens: 5 },
  ],
  [
    { prompt_tokens: 5, completion_tokens: 0 },
    { ...estimated, prompt_tokens: 5 },
  ],
  [{ prompt_tokens: 0, completion_tokens: 1e300 }, estimated],
]

for (const [given, want] of usages) {
  test(`usage ${JSON.stringify(given)} is read as ${JSON.stringify(want)}`, () => {
    assert.deepEqual(read({ message: { content: 'abc' } }, given).usage, want)
  })
}

const logprobs: readonly [given: unknown, want: number | null][] = [
  [{ content: [{ logprob: -1 }, { logprob: -3 }] }, -2],
  [{ content: [{ logprob: 1e-9 }, { logprob: -1 }] }, -0.5],
  [{ content: [{ logprob: -1 }, { token: 'a' }] }, null],
  [{ content: [{ logprob: 'secret' }] }, null],
  [{ content: [] }, null],
  [{ content: null }, null],
  [null, null],
  [undefined, null],
]

for (const [given, want] of logprobs) {
  test(`log-probabilities ${JSON.stringify(given)} have the mean ${want}`, () => {
    assert.equal(read({ message: { content: 'abc' }, logprobs: given }).meanLogprob, want)
  })
}

test('a sum is estimated when a part of it is', () => {
  const exact = { calls: 1, prompt_tokens: 1, completion_tokens: 2 }
  assert.deepEqual(addUsage(exact, exact), { calls: 2, prompt_tokens: 2, completion_tokens: 4 })
  assert.equal(addUsage(exact, { ...exact, estimated: true }).estimated, true)
})

test('any JSON is either a completion or LLM_BAD_RESPONSE', () => {
  const near = fc.record({
    choices: fc.array(
      fc.record({ message: fc.record({ content: fc.jsonValue() }), finish_reason: fc.jsonValue() }),
    ),
    usage: fc.jsonValue(),
  })
  fc.assert(
    fc.property(fc.oneof(fc.jsonValue(), near), body => {
      try {
        const { text, usage } = readCompletion(body, ASKED)
        assert.equal(typeof text, 'string')
        assert.ok(Number.isSafeInteger(usage.prompt_tokens) && Number.isSafeInteger(usage.completion_tokens))
      } catch (error) {
        assert.ok(error instanceof AppError && error.code === 'LLM_BAD_RESPONSE')
      }
    }),
  )
})

test('a text longer than max_tokens can be is cut, as by its length, and its cost is that of all of it', () => {
  const long = read({ message: { content: 'x'.repeat(2 ** 20) }, finish_reason: 'stop' })
  assert.equal(long.cutByLength, true)
  assert.ok(long.text.length > 4 * ASKED.maxTokens && long.text.length < 100 * ASKED.maxTokens)
  assert.equal(long.usage.completion_tokens, 2 ** 18)
  const fits = read({ message: { content: 'x'.repeat(4 * ASKED.maxTokens) }, finish_reason: 'stop' })
  assert.deepEqual([fits.cutByLength, fits.text.length], [false, 400])
})
