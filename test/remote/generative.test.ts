// A chat model as a critic, behind a real HTTP server: votes, rationales, examples, memory and failures.
import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { createChat } from '../../src/llm/chat.ts'
import { createGenerativeCritic, type GenerativeOptions } from '../../src/remote/generative.ts'
import { type LlmScript, startLlmServer } from '../fakes/llm-server.ts'
import { checksSums } from '../fakes/spc-critic.ts'

const SUMS = { problem: 'A box holds 48 pens.', steps: ['48 - 24 = 24.', '24 - 2 = 21.'] }

async function bench(
  t: TestContext,
  script: LlmScript = checksSums(),
  change: Partial<GenerativeOptions> = {},
) {
  const server = await startLlmServer({ script })
  t.after(() => server.close())
  const retry = { maxRetries: 0 }
  const critic = createGenerativeCritic({
    name: 'spc',
    chat: createChat({ name: 'chat', baseUrl: server.url, model: 'adder', retry }),
    threshold: 0.5,
    deadlineMs: 5000,
    concurrency: 4,
    samples: 2,
    temperature: 0.7,
    maxTokens: 200,
    examples: [],
    ...change,
  })
  return { critic, server }
}

test('each step is asked about alone, with what stands before it, as often as there are votes', async t => {
  const { critic, server } = await bench(t)
  const [critique] = await critic.judge([SUMS])
  assert.deepEqual(
    critique!.steps.map(({ score, rationale, evidence }) => [score, rationale, evidence[0]?.holds]),
    [
      [1, 'The sum holds.', true],
      [0, 'The sum does not hold.', false],
    ],
  )
  assert.equal(server.requests.length, 4)
  const asked = server.requests.map(({ body }) => String(body!.messages.at(-1)!.content))
  assert.equal(asked.filter(text => text.includes('## Last Step\n48 - 24 = 24.')).length, 2)
  assert.ok(asked.every(text => !text.includes('24 - 2 = 21.') || text.endsWith('24 - 2 = 21.')))
  assert.deepEqual([...new Set(server.requests.map(({ body }) => body!.seed))].sort(), [1, 2])
  assert.ok(critique!.tokens > 0)
})

test('the score is the share of votes for right, and the words are from the winning side', async t => {
  const votes = ['Correct', 'Incorrect', 'Correct', 'Correct']
  const { critic } = await bench(t, checksSums({ verdict: seed => votes[seed - 1]! }), { samples: 4 })
  const [critique] = await critic.judge([{ problem: 'x', steps: ['1 + 1 = 2'] }])
  assert.equal(critique!.steps[0]!.score, 0.75)
  assert.equal(critique!.steps[0]!.rationale, 'The sum holds.')
})

test('a reply without a verdict does not vote, and is told; where none votes the step is unscored', async t => {
  const { critic } = await bench(t, checksSums({ verdict: seed => (seed === 1 ? 'Correct' : 'perhaps') }), {
    samples: 3,
  })
  const [critique] = await critic.judge([{ problem: 'x', steps: ['1 + 1 = 2'] }])
  assert.equal(critique!.steps[0]!.score, 1)
  assert.equal(critique!.steps[0]!.reason, 'LLM_BAD_RESPONSE: 2 replies hold no verdict.')
  const silent = await bench(t, checksSums({ verdict: () => 'perhaps' }))
  const [nothing] = await silent.critic.judge([SUMS])
  for (const { score, reason, rationale } of nothing!.steps) {
    assert.deepEqual([score, rationale], [null, undefined])
    assert.equal(reason, 'LLM_BAD_RESPONSE: 2 replies hold no verdict.')
  }
})

test('steps that paths share are asked about once, and again never while they are remembered', async t => {
  const { critic, server } = await bench(t, checksSums(), { samples: 1 })
  const longer = { ...SUMS, steps: [...SUMS.steps, '21 + 1 = 22.'] }
  const other = { ...SUMS, steps: [SUMS.steps[0]!, '24 + 2 = 26.'] }
  const first = await critic.judge([SUMS, longer, other])
  assert.equal(server.requests.length, 4)
  const again = await critic.judge([longer])
  assert.equal(server.requests.length, 4)
  assert.deepEqual(again[0]!.steps, first[1]!.steps)
  assert.equal(again[0]!.tokens, 0)
})

test('examples of a request stand in for those of the configuration, for that request', async t => {
  const one = { problem: 'Q?', steps: ['1 + 1 = 3.'], right: false, critique: 'It is 2.' }
  const two = { ...one, critique: 'Look at the sum.' }
  const { critic, server } = await bench(t, checksSums(), { samples: 1, examples: [one] })
  const item = { problem: 'x', steps: ['1 + 1 = 2'] }
  await critic.judge([item])
  await critic.withExamples!([two]).judge([item])
  await critic.judge([item])
  const shown = server.requests.map(({ body }) => String(body!.messages[2]!.content))
  assert.deepEqual(shown, [
    'It is 2.\n\n<Answer>Incorrect</Answer>',
    'Look at the sum.\n\n<Answer>Incorrect</Answer>',
  ])
})

test('a step that fails is unscored with its reason, the others are scored, and it is asked about anew the next time', async t => {
  let broken = true
  const script: LlmScript = (request, index) =>
    broken && String(request.body!.messages.at(-1)!.content).endsWith('24 - 2 = 21.')
      ? 'refuses'
      : checksSums()(request, index)
  const { critic } = await bench(t, script)
  const [critique] = await critic.judge([SUMS])
  assert.equal(critique!.steps[0]!.score, 1)
  assert.equal(critique!.steps[1]!.score, null)
  assert.match(critique!.steps[1]!.reason!, /^LLM_REFUSED: /)
  broken = false
  assert.deepEqual(
    (await critic.judge([SUMS]))[0]!.steps.map(({ score }) => score),
    [1, 0],
  )
})

test('at the deadline what was scored stays scored', async t => {
  const script: LlmScript = (request, index) =>
    String(request.body!.messages.at(-1)!.content).endsWith('24 - 2 = 21.')
      ? 'hangs'
      : checksSums()(request, index)
  const { critic } = await bench(t, script, { deadlineMs: 300 })
  const [critique] = await critic.judge([SUMS])
  assert.equal(critique!.steps[0]!.score, 1)
  assert.equal(critique!.steps[1]!.reason, 'LLM_TIMEOUT: The critic "spc" did not answer within 0.3 s.')
})

test('a chat model that refuses a temperature judges without one', async t => {
  const script: LlmScript = (request, index) =>
    request.body?.temperature === undefined
      ? checksSums()(request, index)
      : { status: 400, body: '{"error":{"param":"temperature"}}' }
  const { critic } = await bench(t, script)
  const [critique] = await critic.judge([SUMS])
  assert.deepEqual(
    critique!.steps.map(({ score }) => score),
    [1, 0],
  )
})
