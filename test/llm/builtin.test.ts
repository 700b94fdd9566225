// The adapter from a sampler to the LLM port.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createBuiltinLlm, type Sampler } from '../../src/llm/builtin.ts'
import { never, request } from './support.ts'

const echo: Sampler = async ({ problem, steps, seed, until }) => ({
  text: `${problem}|${steps.join('|')}|${seed}|${until}`,
  ended: until === 'end',
  promptTokens: 7,
  completionTokens: 3,
})

test('the sampler gets the request, and its counts become the usage', async () => {
  const llm = createBuiltinLlm(echo)
  const reply = await llm.propose(
    request({ problem: 'p', steps: ['a', 'b'], seed: 9, until: 'step' }),
    never(),
  )
  assert.deepEqual(reply, {
    text: 'p|a|b|9|step',
    ended: false,
    usage: { calls: 1, prompt_tokens: 7, completion_tokens: 3 },
  })
  assert.equal(llm.name, 'builtin')
  assert.equal(await llm.canContinue(never()), true)
  assert.ok(!llm.canInstruct)
})

test("an abort rejects with the signal's reason, before the call or during it", async () => {
  const reason = new Error('gone')
  let calls = 0
  const caller = new AbortController()
  const llm = createBuiltinLlm(async (given, signal) => {
    calls++
    caller.abort(reason)
    return echo(given, signal)
  })
  await assert.rejects(llm.propose(request(), AbortSignal.abort(reason)), error => error === reason)
  assert.equal(calls, 0)
  await assert.rejects(llm.propose(request(), caller.signal), error => error === reason)
  assert.equal(calls, 1)
})

test('what the sampler throws goes through as it is', async () => {
  const fault = new Error('no model')
  const llm = createBuiltinLlm(() => Promise.reject(fault))
  await assert.rejects(llm.propose(request(), never()), error => error === fault)
})
