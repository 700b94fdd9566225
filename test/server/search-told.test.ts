// Methods that tell the LLM something in words, through the front door: what it is told and what comes of its replies.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import request from 'supertest'
import type { LlmAnswer, RecordedRequest } from '../fakes/llm-server.ts'
import { assertContract } from './contract-check.ts'
import { createWorld, startLlm } from './world.ts'

const problem = 'Tom has 5 apples, buys 7, then 30 more. How many has he?'
const fake = { upstream: 'fake' }

/** A chat completion with this text. */
const says = (content: string): LlmAnswer => ({
  body: JSON.stringify({
    choices: [{ message: { role: 'assistant', content }, finish_reason: 'stop' }],
    usage: { prompt_tokens: 10, completion_tokens: 5 },
  }),
})

const userOf = ({ body }: RecordedRequest) => body!.messages.find(({ role }) => role === 'user')!.content

/** A Spar on an LLM that replies as `reply` says to request number `index`. */
async function tell(
  t: Parameters<typeof startLlm>[0],
  body: object,
  reply: (sent: RecordedRequest, index: number) => string,
) {
  const llm = await startLlm(t, { script: (sent, index) => says(reply(sent, index)) })
  const { app } = createWorld(t, { llmUrl: llm.url })
  const answer = await request(app)
    .post('/search')
    .send({ problem, llm: fake, seed: 1, ...body })
  assertContract(answer, 'search')
  return { answer, told: llm.requests.map(userOf) }
}

test('pairwise puts two solutions to the LLM in both orders, and its verdict decides', async t => {
  const solutions = ['5 + 7 = 12\n\nThe answer is 12.', '12 + 30 = 42\n\nThe answer is 42.']
  const body = { method: 'pairwise', params: { n: 2, concurrency: 1 } }
  const { answer, told } = await tell(t, body, (sent, index) => {
    if (index < 2) return solutions[index]!
    return `One leaves out the 30.\n\nVerdict: ${userOf(sent).endsWith(solutions[1]!) ? 'B' : 'A'}`
  })
  assert.equal(answer.status, 200, answer.text)
  assert.deepEqual(told.slice(2), [
    `Problem: ${problem}\n\nSolution A:\n\n${solutions[0]}\n\nSolution B:\n\n${solutions[1]}`,
    `Problem: ${problem}\n\nSolution A:\n\n${solutions[1]}\n\nSolution B:\n\n${solutions[0]}`,
  ])
  assert.equal(answer.body.answer, '42')
  assert.deepEqual(
    answer.body.candidates.map(({ votes }: { votes: number }) => votes),
    [0, 1],
  )
  assert.equal(answer.body.usage.llm.calls, 4)
})

const slip = 'Then 12 + 30 = 52.'
const steps = ['First 5 + 7 = 12.', slip, 'The answer is 52.']
const critique = `${problem}

An earlier try went wrong at this step:

${slip}

What is wrong there: 12 + 30 = 52 does not hold.

Do not make that mistake again, and do not mention the earlier try.`

test('revise tells the LLM the refused step and what the critic found, with the steps that stand as its own', async t => {
  const sent: RecordedRequest[] = []
  const body = { method: 'revise', params: { runs: 1 } }
  const { answer, told } = await tell(t, body, (asked, index) => {
    sent.push(asked)
    return index === 0 ? steps.join('\n\n') : 'Then 12 + 30 = 42.\n\nThe answer is 42.'
  })
  assert.equal(answer.status, 200, answer.text)
  assert.deepEqual(told, [problem, critique])
  assert.deepEqual(sent[1]!.body!.messages.at(-1), { role: 'assistant', content: `${steps[0]}\n\n` })
  assert.equal(answer.body.solution, 'First 5 + 7 = 12.\n\nThen 12 + 30 = 42.\n\nThe answer is 42.')
})

test('revise has the critique in its one message where the LLM is continued by prompt', async t => {
  const body = { method: 'revise', params: { runs: 1 } }
  const { answer, told } = await tell(t, body, (asked, index) => {
    if (index === 0) return steps.join('\n\n')
    // A restart, which shows that this endpoint does not continue messages.
    return asked.body!.continue_final_message ? steps.join('\n\n') : 'Then 12 + 30 = 42.\n\nThe answer is 42.'
  })
  assert.equal(answer.body.answer, '42', answer.text)
  assert.ok(
    told.at(-1)!.startsWith(`${critique}\n\nHere are the steps so far:\n\n${steps[0]}\n\n`),
    told.at(-1),
  )
})

test('plan asks for a plan and puts it into the next request', async t => {
  const body = {
    method: 'plan',
    params: { n: 2, plans: 1, concurrency: 1, max_tokens: 99, step_max_tokens: 33 },
  }
  const systems: string[] = []
  const limits: unknown[] = []
  const { answer, told } = await tell(t, body, ({ body: sent }, index) => {
    systems.push(sent!.messages[0]!.content)
    limits.push(sent!.max_tokens)
    return ['12 + 30 = 52\n\nThe answer is 52.', 'Add all.\nThen stop.', '12 + 30 = 42\n\nThe answer is 42.'][
      index
    ]!
  })
  assert.equal(answer.status, 200, answer.text)
  const followed = `${problem}\n\nFollow this plan as far as it is right:\n\nAdd all.\nThen stop.`
  assert.deepEqual(told, [problem, problem, followed])
  assert.match(systems[1]!, /plan of two to five lines/)
  assert.deepEqual([systems[0], systems[2]], [systems[0], systems[0]])
  assert.deepEqual(limits, [99, 33, 99])
  assert.equal(answer.body.answer, '42')
})

const NEED_WORDS = ['pairwise', 'plan']

for (const method of NEED_WORDS)
  test(`${method} is METHOD_UNSUPPORTED with an LLM that does not follow instructions`, async t => {
    const llm = await startLlm(t)
    const { deps } = createWorld(t, { llmUrl: llm.url })
    const { canInstruct: _, ...untold } = deps.llms.resolve(fake)
    const { app } = createWorld(t, { llms: { ...deps.llms, resolve: () => untold } })
    const answer = await request(app).post('/search').send({ problem, llm: fake, method })
    assert.deepEqual([answer.status, answer.body.code], [422, 'METHOD_UNSUPPORTED'])
    assert.match(answer.body.detail, /instructions/)
    assertContract(answer, 'search')
    assert.equal(llm.requests.length, 0)
  })
