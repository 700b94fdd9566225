// What the calls to one upstream share: slots, the circuit breaker and the retry budget.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { AppError, type ErrorCode } from '../../src/errors.ts'
import { createGate } from '../../src/llm/gate.ts'
import type { Outcome } from '../../src/llm/post.ts'
import type { LlmMode } from '../fakes/llm-server.ts'
import { bench, eventually, never, request } from './support.ts'

const good: Outcome = { ok: true, body: null }
const failed = (code: ErrorCode): Outcome => ({ ok: false, status: null, error: new AppError(code, 'x') })

/** A gate with a clock of its own; `ask` tells whether the call was made. */
function gateAt() {
  const clock = { ms: 0 }
  const gate = createGate({ name: 'fake', now: () => clock.ms })
  const ask = async (outcome: Outcome) => {
    let made = false
    const call = async () => {
      made = true
      return outcome
    }
    const got = await gate.pass(call, never())
    return { made, got }
  }
  return { clock, gate, ask }
}

for (const code of ['LLM_UNREACHABLE', 'LLM_TIMEOUT', 'LLM_ERROR'] as const) {
  test(`after five ${code} in a row the upstream is not asked for five seconds, then by one call`, async () => {
    const { clock, ask } = gateAt()
    for (let i = 0; i < 5; i++) assert.ok((await ask(failed(code))).made)
    clock.ms = 1500
    const { made, got } = await ask(good)
    assert.ok(!made && !got.ok)
    assert.deepEqual([got.error.code, got.error.retryAfterS], ['LLM_UNREACHABLE', 4])
    assert.match(got.error.message, /"fake" failed 5 times in a row/)
    clock.ms = 5000
    const [probe, other] = await Promise.all([ask(failed(code)), ask(good)])
    assert.deepEqual([probe.made, other.made], [true, false])
    clock.ms = 9999
    assert.ok(!(await ask(good)).made, 'the probe failed: five seconds more')
    clock.ms = 10_000
    assert.ok((await ask(good)).made)
    assert.ok((await ask(good)).made, 'closed again')
  })
}

test('an upstream that answers at all keeps its breaker closed', async () => {
  for (const between of [
    good,
    failed('LLM_REFUSED'),
    failed('LLM_RATE_LIMITED'),
    failed('LLM_BAD_RESPONSE'),
  ]) {
    const { ask } = gateAt()
    for (let i = 0; i < 20; i++) assert.ok((await ask(i % 5 === 4 ? between : failed('LLM_ERROR'))).made)
  }
})

test('calls that stand in line are told at once when the breaker opens, and none waits for the one that tries', async () => {
  const clock = { ms: 0 }
  const gate = createGate({ name: 'fake', concurrency: 1, now: () => clock.ms })
  for (let i = 0; i < 4; i++) await gate.pass(async () => failed('LLM_ERROR'), never())
  const hanging = Promise.withResolvers<Outcome>()
  const fifth = gate.pass(() => hanging.promise, never())
  let made = 0
  const counted = async () => {
    made++
    return good
  }
  const inLine = Array.from({ length: 3 }, () => gate.pass(counted, never()))
  hanging.resolve(failed('LLM_TIMEOUT'))
  await fifth
  for (const told of await Promise.all(inLine)) {
    assert.ok(!told.ok)
    assert.deepEqual([told.error.code, told.error.retryAfterS], ['LLM_UNREACHABLE', 5])
  }
  clock.ms = 6000
  const trying = Promise.withResolvers<Outcome>()
  const probe = gate.pass(() => trying.promise, never())
  const early = gate.pass(counted, never())
  assert.equal((await early).ok, false, 'refused while another one tries')
  assert.equal(made, 0)
  trying.resolve(good)
  assert.equal((await probe).ok, true)
  assert.equal((await gate.pass(counted, never())).ok, true)
})

test('retries are a fifth of the calls, once the first ten are used up', async () => {
  const { gate, ask } = gateAt()
  const taken = () => {
    let count = 0
    while (gate.takeRetry()) count++
    return count
  }
  assert.equal(taken(), 10)
  for (let i = 0; i < 26; i++) await ask(good)
  assert.equal(taken(), 5)
  for (let i = 0; i < 1000; i++) await ask(good)
  assert.equal(taken(), 10)
})

test('an endpoint that is down is spared: its breaker opens and its retries run out', async t => {
  let mode: LlmMode = 'error'
  const clock = { ms: 0 }
  const gate = createGate({ name: 'fake', now: () => clock.ms })
  const { llm, server } = await bench(t, { script: () => mode }, { gate })
  const codes: string[] = []
  for (let i = 0; i < 20; i++) {
    await llm.propose(request(), never()).catch((error: AppError) => codes.push(error.code))
  }
  assert.deepEqual([codes.length, codes[0], codes.at(-1)], [20, 'LLM_ERROR', 'LLM_UNREACHABLE'])
  assert.equal(server.requests.length, 15, 'five calls with two retries each')
  mode = 'ok'
  clock.ms = 6000
  assert.ok((await llm.propose(request(), never())).ended)
  assert.ok((await llm.propose(request(), never())).ended)
})

test('no more calls than allowed are made at a time; an abort ends the wait of those that stand in line', async t => {
  const { llm, server } = await bench(t, { script: 'hangs' }, { concurrency: 2 })
  const reason = new Error('gone')
  const callers = Array.from({ length: 5 }, () => new AbortController())
  const asked = callers.map(({ signal }) =>
    llm.propose(request(), signal).catch((error: unknown) => assert.equal(error, reason)),
  )
  assert.ok(await eventually(() => server.inFlight() === 2))
  callers[2]!.abort(reason)
  await asked[2]
  callers[0]!.abort(reason)
  assert.ok(await eventually(() => server.requests.length === 3 && server.inFlight() === 2))
  for (const caller of callers) caller.abort(reason)
  await Promise.all(asked)
  assert.ok(await eventually(() => server.inFlight() === 0))
  assert.ok(server.requests.length <= 4)
})
