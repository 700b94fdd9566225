// However a search ends, by deadline, abort, a consumer that leaves or a critic that fails: in time, with nothing in flight.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setImmediate as tick } from 'node:timers/promises'
import fc from 'fast-check'
import { METHOD_NAMES } from '../../src/search/params.ts'
import { runSearch } from '../../src/search/run.ts'
import { anyRequest, LINGER_MS, randomLatency, SMALL, toRequest } from './any-request.ts'
import { createWalkWorld, PROBLEM, search } from './world.ts'

test('at the deadline the best answer so far is returned in time, and nothing is in flight', async () => {
  await fc.assert(
    fc.asyncProperty(anyRequest, fc.integer({ min: 1, max: 200 }), async (given, deadlineMs) => {
      const world = createWalkWorld({ latencyMs: randomLatency(given.seed) })
      const request = { ...toRequest(given), budget: { deadlineMs } }
      const { result } = await search(world, request)
      assert.equal(world.live.calls, 0)
      assert.ok(world.clock.now() <= deadlineMs)
      if (result.finish_reason === 'complete') return
      assert.equal(result.finish_reason, 'deadline')
      assert.equal(result.chosen === null, result.candidates.length === 0)
    }),
    { numRuns: 80 },
  )
})

test('a deadline before the first reply gives no answer, not an error', async () => {
  for (const method of METHOD_NAMES) {
    const world = createWalkWorld({ latencyMs: () => 1000 })
    const { result } = await search(world, { method, budget: { deadlineMs: 1 } })
    const { answer, solution, steps, score, candidates, chosen, finish_reason } = result
    assert.deepEqual(
      { answer, solution, steps, score, candidates, chosen, finish_reason },
      {
        answer: null,
        solution: null,
        steps: [],
        score: null,
        candidates: [],
        chosen: null,
        finish_reason: 'deadline',
      },
    )
    assert.equal(world.live.calls, 0)
  }
})

test('a deadline while the critic works leaves the candidate unscored', async () => {
  const walk = createWalkWorld({ latencyMs: () => 10 })
  const world = {
    ...walk,
    judge: async (_: string, __: readonly (readonly string[])[], signal: AbortSignal) => {
      await walk.clock.sleep(1000, signal)
      return { scores: [], tokens: 0 }
    },
  }
  const { result } = await search(world, {
    method: 'best_of_n',
    params: { n: 2 },
    budget: { deadlineMs: 50 },
  })
  assert.equal(result.finish_reason, 'deadline')
  assert.equal(result.score, null)
  assert.notEqual(result.answer, null)
  assert.equal(walk.clock.now(), 50)
})

test('a deadline that passes after the last call changes nothing', async () => {
  const world = createWalkWorld({ latencyMs: () => 10 })
  const running = runSearch(
    {
      problem: PROBLEM,
      method: 'best_of_n',
      params: { n: 2 },
      budget: { deadlineMs: 50 },
      seed: 1,
      threshold: 0.5,
      canContinue: true,
    },
    world,
    new AbortController().signal,
  )
  for (;;) {
    const next = await running.next()
    if (next.done === true) {
      assert.equal(next.value.finish_reason, 'complete')
      assert.equal(next.value.candidates.length, 2)
      return
    }
    // A slow reader, while the clock goes on.
    if (next.value.type === 'candidate') await world.clock.sleep(100, new AbortController().signal)
  }
})

test('a late timer does not let a call start after the deadline', async () => {
  const walk = createWalkWorld({ latencyMs: () => 10 })
  const world = { ...walk, timeout: () => new Promise<void>(() => {}) }
  const params = { n: 8, concurrency: 1 }
  const { result } = await search(world, { method: 'best_of_n', params, budget: { deadlineMs: 25 } })
  assert.equal(result.finish_reason, 'deadline')
  assert.equal(walk.requests.length, 3)
})

test('an abort rejects with its reason and leaves no call in flight', async () => {
  await fc.assert(
    fc.asyncProperty(anyRequest, fc.integer({ min: 0, max: 120 }), async (given, abortAtMs) => {
      const world = createWalkWorld({ latencyMs: randomLatency(given.seed), lingerMs: LINGER_MS })
      const abort = new AbortController()
      const reason = new Error('the client left')
      let startedAtAbort = Number.POSITIVE_INFINITY
      world.clock.sleep(abortAtMs, new AbortController().signal).then(() => {
        startedAtAbort = world.requests.length
        abort.abort(reason)
      })
      const request = { ...toRequest(given), budget: {} }
      const outcome = await search(world, request, abort.signal).catch((error: unknown) => error)
      const started = world.requests.length
      assert.equal(world.live.calls, 0)
      if (outcome instanceof Error) assert.equal(outcome, reason)
      assert.ok(started <= startedAtAbort, 'no call starts after the abort')
      await tick()
      assert.equal(world.requests.length, started, 'no call starts after the end')
    }),
    { numRuns: 80 },
  )
})

test('a signal that is already aborted starts nothing', async () => {
  const world = createWalkWorld()
  await assert.rejects(search(world, { method: 'guard' }, AbortSignal.abort(new Error('gone'))), {
    message: 'gone',
  })
  assert.equal(world.requests.length, 0)
})

test('a consumer that leaves after any event leaves no call in flight', async () => {
  await fc.assert(
    fc.asyncProperty(anyRequest, fc.integer({ min: 1, max: 30 }), async (given, events) => {
      const world = createWalkWorld({ latencyMs: randomLatency(given.seed), lingerMs: LINGER_MS })
      let left = events
      let leftAtMs = Number.POSITIVE_INFINITY
      for await (const _ of runSearch(toRequest(given), world, new AbortController().signal)) {
        left -= 1
        if (left > 0) continue
        leftAtMs = world.clock.now()
        break
      }
      assert.ok(world.clock.now() <= leftAtMs + LINGER_MS, 'what is in flight is aborted, not waited out')
      const started = world.requests.length
      assert.equal(world.live.calls, 0)
      await tick()
      assert.equal(world.requests.length, started)
    }),
    { numRuns: 60 },
  )
})

test('a critic that fails in the middle leaves no call in flight', async () => {
  for (const method of METHOD_NAMES) {
    let judged = 0
    const score = () => {
      judged += 1
      if (judged > 6) throw new Error('critic down')
      return 0.3
    }
    const world = createWalkWorld({ score, latencyMs: randomLatency(3) })
    await assert.rejects(search(world, { method, params: SMALL[method] }), { message: 'critic down' })
    assert.equal(world.live.calls, 0)
  }
})
