// Continuing a partial answer: each mode, the probe of `auto`, and what is remembered.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { AppError } from '../../src/errors.ts'
import { SpentError } from '../../src/llm/spent.ts'
import type { RecordedRequest } from '../fakes/llm-server.ts'
import { bench, eventually, never, PROBLEM, request, STEP_1, STEP_2, STEP_3 } from './support.ts'

const ANSWER = 'The answer is 49.'

function modeOf({ body }: RecordedRequest): string {
  if (body?.continue_final_message) return 'continue_final_message'
  if (body?.messages.at(-1)?.prefix) return 'prefix'
  if (body?.messages.at(-1)?.role === 'assistant') return 'assistant_prefill'
  return (body?.messages.at(-1)?.content.length ?? 0) > PROBLEM.length ? 'prompted' : 'fresh'
}

for (const mode of ['continue_final_message', 'prefix', 'assistant_prefill', 'prompted'] as const) {
  test(`${mode} goes on from the given steps, to the next step or to the end`, async t => {
    const { llm, server } = await bench(t, {}, { continuation: mode })
    const next = await llm.propose(request({ steps: [STEP_1, STEP_2], until: 'step' }), never())
    assert.deepEqual([next.text, next.ended], [STEP_3, false])
    const rest = await llm.propose(request({ steps: [STEP_1] }), never())
    assert.deepEqual([rest.text, rest.ended], [[STEP_2, STEP_3, ANSWER].join('\n\n'), true])
    assert.deepEqual(server.requests.map(modeOf), [mode, mode])
  })
}

test('continue_final_message sends the switches of vLLM and the steps as the last message', async t => {
  const { llm, server } = await bench(t, {}, { continuation: 'continue_final_message' })
  await llm.propose(request({ steps: [STEP_1, STEP_2] }), never())
  const { body } = server.requests[0]!
  assert.equal(body?.continue_final_message, true)
  assert.equal(body?.add_generation_prompt, false)
  assert.deepEqual(body?.messages.at(-1), { role: 'assistant', content: `${STEP_1}\n\n${STEP_2}\n\n` })
})

test('a fixed mode that the endpoint rejects is an error, not a downgrade', async t => {
  const { llm, server } = await bench(
    t,
    { script: 'rejects_continuation' },
    { continuation: 'continue_final_message' },
  )
  await assert.rejects(llm.propose(request({ steps: [STEP_1] }), never()), { code: 'LLM_REFUSED' })
  assert.equal(server.requests.length, 1)
})

test('auto keeps continue_final_message where it works, at no extra call', async t => {
  const { llm, server } = await bench(t)
  const reply = await llm.propose(request({ steps: [STEP_1], until: 'step' }), never())
  await llm.propose(request({ steps: [STEP_1, STEP_2], until: 'step' }), never())
  assert.deepEqual([reply.text, reply.usage.calls], [STEP_2, 1])
  assert.deepEqual(server.requests.map(modeOf), ['continue_final_message', 'continue_final_message'])
})

test('auto goes over to prompted when the endpoint rejects the fields, and asks only once', async t => {
  const { llm, server } = await bench(t, { script: 'rejects_continuation' })
  const first = await llm.propose(request({ steps: [STEP_1], until: 'step' }), never())
  const second = await llm.propose(request({ steps: [STEP_1, STEP_2], until: 'step' }), never())
  assert.deepEqual([first.text, second.text], [STEP_2, STEP_3])
  assert.equal(first.usage.calls, 1)
  assert.deepEqual(server.requests.map(modeOf), ['continue_final_message', 'prefix', 'prompted', 'prompted'])
})

test('auto finds an endpoint out that wants the partial answer marked as a prefix, though it repeats it', async t => {
  const { llm, server } = await bench(t, { script: 'takes_prefix' })
  const first = await llm.propose(request({ steps: [STEP_1], until: 'step' }), never())
  const second = await llm.propose(request({ steps: [STEP_1, STEP_2] }), never())
  assert.deepEqual([first.text, first.ended, first.usage.calls], [STEP_2, false, 1])
  assert.deepEqual([second.text, second.ended], [`${STEP_3}\n\n${ANSWER}`, true])
  assert.deepEqual(server.requests.map(modeOf), ['continue_final_message', 'prefix', 'prefix'])
})

for (const until of ['step', 'end'] as const) {
  for (const script of ['restarts', 'echoes'] as const) {
    test(`auto on an endpoint that ${script} still gives only new text, then uses prompted (until ${until})`, async t => {
      const { llm, server } = await bench(t, { script })
      const steps = [STEP_1, STEP_2]
      const want = until === 'step' ? STEP_3 : `${STEP_3}\n\n${ANSWER}`
      const first = await llm.propose(request({ steps, until }), never())
      const callsOfFirst = server.requests.length
      assert.equal(first.text, want)
      assert.equal(first.usage.calls, callsOfFirst)
      const second = await llm.propose(request({ steps, until }), never())
      assert.equal(second.text, want)
      assert.ok(server.requests.slice(callsOfFirst).every(sent => modeOf(sent) === 'prompted'))
    })
  }
}

const RESTART = {
  body: JSON.stringify({
    choices: [{ message: { content: '**Step 1:** Take 12 first.' }, finish_reason: 'stop' }],
    usage: { prompt_tokens: 10, completion_tokens: 5 },
  }),
}

test('a restart in other words is answered by a prompted call, and both calls are counted', async t => {
  const { llm } = await bench(t, {
    script: sent => (modeOf(sent) === 'continue_final_message' ? RESTART : ('ok' as const)),
  })
  const reply = await llm.propose(request({ steps: [STEP_1], until: 'step' }), never())
  assert.equal(reply.text, STEP_2)
  assert.equal(reply.usage.calls, 2)
})

test('a template that trims the break is worked around, and after two such steps without a wasted call', async t => {
  const { llm, server } = await bench(t, { script: 'trims_partial' })
  const ask = (...steps: string[]) => llm.propose(request({ steps, until: 'step' }), never())
  const texts = [await ask(STEP_1), await ask(STEP_1, STEP_2), await ask(STEP_1, STEP_2, STEP_3)]
  assert.deepEqual(
    texts.map(reply => reply.text),
    [STEP_2, STEP_3, ANSWER],
  )
  assert.deepEqual(
    texts.map(reply => reply.usage.calls),
    [2, 2, 1],
  )
  assert.equal(texts[2]?.ended, true)
  assert.ok(server.requests.every(sent => modeOf(sent) === 'continue_final_message'))
})

test('a bad key during the probe is reported as such and settles nothing', async t => {
  const { llm, server } = await bench(t, { script: (_, index) => (index === 0 ? 'refuses' : 'ok') })
  await assert.rejects(llm.propose(request({ steps: [STEP_1] }), never()), { code: 'LLM_REFUSED' })
  await llm.propose(request({ steps: [STEP_1] }), never())
  assert.deepEqual(server.requests.map(modeOf), ['continue_final_message', 'continue_final_message'])
})

test('an endpoint that rejects every form is asked again next time', async t => {
  const { llm, server } = await bench(t, { script: (_, index) => (index < 3 ? 'bad_request' : 'ok') })
  await assert.rejects(llm.propose(request({ steps: [STEP_1] }), never()), { code: 'LLM_REFUSED' })
  await llm.propose(request({ steps: [STEP_1] }), never())
  assert.equal(modeOf(server.requests[3]!), 'continue_final_message')
})

test('requests at the same time share one probe', async t => {
  const { llm, server } = await bench(t, { script: 'rejects_continuation', delayMs: 10 })
  const asked = Array.from({ length: 8 }, (_, seed) =>
    llm.propose(request({ steps: [STEP_1], until: 'step', seed: seed * 4 }), never()),
  )
  const replies = await Promise.all(asked)
  assert.ok(replies.every(reply => reply.text === STEP_2))
  assert.equal(server.requests.filter(sent => modeOf(sent) === 'continue_final_message').length, 1)
  assert.equal(server.requests.length, 10)
})

test('requests that wait for a probe share its failure', async t => {
  const { llm, server } = await bench(t, { script: 'not_found', delayMs: 10 })
  const settled = await Promise.allSettled(
    Array.from({ length: 5 }, () => llm.propose(request({ steps: [STEP_1] }), never())),
  )
  for (const result of settled) {
    assert.ok(result.status === 'rejected' && result.reason instanceof AppError)
    assert.equal(result.reason.code, 'LLM_REFUSED')
  }
  assert.equal(server.requests.length, 3)
})

test('an answer to the probe that cannot be read costs nobody else theirs', async t => {
  const { llm } = await bench(t, {
    script: (_, index) => (index === 0 ? 'broken_json' : 'ok'),
    delayMs: 10,
  })
  const settled = await Promise.allSettled(
    Array.from({ length: 5 }, () => llm.propose(request({ steps: [STEP_1], until: 'step' }), never())),
  )
  assert.deepEqual(
    settled.map(({ status }) => status),
    ['rejected', ...Array.from({ length: 4 }, () => 'fulfilled')],
  )
})

test('what a probe had written when its time was over is spent once, not by each that waited for it', async t => {
  const server = { script: 'stream_stalls_between' } as const
  const { llm } = await bench(t, server, { stream: 'on', timeoutMs: 300 })
  const settled = await Promise.allSettled(
    Array.from({ length: 5 }, () => llm.propose(request({ steps: [STEP_1] }), never())),
  )
  const spent = settled.map(result => result.status === 'rejected' && result.reason instanceof SpentError)
  assert.deepEqual(spent, [true, false, false, false, false])
})

test('a call that gave nothing of use counts also where the one in its place fails', async t => {
  for (const second of ['error_in_200', 'refuses'] as const) {
    const { llm } = await bench(t, { script: (_, index) => (index === 0 ? RESTART : second) })
    await assert.rejects(llm.propose(request({ steps: [STEP_1, STEP_2] }), never()), error => {
      assert.ok(error instanceof SpentError)
      assert.deepEqual([error.usage.prompt_tokens, error.usage.completion_tokens], [10, 5])
      return true
    })
  }
})

test('when the prober leaves, a waiting request probes; when a waiting one leaves, it goes at once', async t => {
  const { llm, server } = await bench(t, { script: (_, index) => (index === 0 ? 'hangs' : 'ok') })
  const [prober, leaver] = [new AbortController(), new AbortController()]
  const steps = [STEP_1]
  const first = llm.propose(request({ steps }), prober.signal)
  const second = llm.propose(request({ steps }), leaver.signal)
  const third = llm.propose(request({ steps, until: 'step' }), never())
  assert.ok(await eventually(() => server.requests.length === 1))
  const [gone, alsoGone] = [new Error('prober left'), new Error('waiter left')]
  leaver.abort(alsoGone)
  await assert.rejects(second, error => error === alsoGone)
  prober.abort(gone)
  await assert.rejects(first, error => error === gone)
  assert.equal((await third).text, STEP_2)
})

test('a finished answer has nothing left to say, and that does not count against the endpoint', async t => {
  const { llm, server } = await bench(t)
  const steps = [STEP_1, STEP_2, STEP_3, ANSWER]
  const reply = await llm.propose(request({ steps, until: 'step' }), never())
  assert.deepEqual([reply.text, reply.ended, reply.usage.calls], ['', true, 1])
  await llm.propose(request({ steps: [STEP_1] }), never())
  assert.equal(modeOf(server.requests[1]!), 'continue_final_message')
})
