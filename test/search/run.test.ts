// What holds for every method: budgets, results that do not depend on latencies, and what is told on the way.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { METHOD_NAMES } from '../../src/search/params.ts'
import type { SearchRequest } from '../../src/search/run.ts'
import type { ProposeRequest } from '../../src/search/types.ts'
import {
  anyRequest,
  NEEDS_CONTINUATION,
  NEEDS_INSTRUCTION,
  randomLatency,
  SMALL,
  toRequest,
} from './any-request.ts'
import { createWalkWorld, PROBLEM, search, truth, type WalkOptions } from './world.ts'

test('no budget is exceeded by calls that keep to their grants', async () => {
  await fc.assert(
    fc.asyncProperty(anyRequest, async given => {
      const world = createWalkWorld({ latencyMs: randomLatency(given.seed) })
      const { result } = await search(world, toRequest(given))
      const { calls, completion_tokens } = result.usage.llm
      assert.ok(calls <= (given.maxCalls ?? Number.POSITIVE_INFINITY))
      assert.ok(completion_tokens <= (given.maxTokens ?? Number.POSITIVE_INFINITY))
      assert.equal(calls, world.requests.length)
      assert.ok(world.live.llmPeak <= given.concurrency)
      assert.ok(world.requests.every(({ maxTokens }) => maxTokens >= 1 && maxTokens <= given.tokensPerCall))
      if (result.finish_reason === 'budget') {
        assert.ok(calls === given.maxCalls || completion_tokens === given.maxTokens)
      }
    }),
    { numRuns: 120 },
  )
})

test('calls that use more than granted exceed the budget by one call per slot at most', async () => {
  await fc.assert(
    fc.asyncProperty(anyRequest, fc.integer({ min: 1, max: 100 }), async (given, overshoot) => {
      const world = createWalkWorld({ overshoot, latencyMs: randomLatency(given.seed) })
      const { result } = await search(world, toRequest(given))
      if (given.maxTokens === undefined) return
      const most = given.maxTokens + given.concurrency * overshoot
      assert.ok(result.usage.llm.completion_tokens <= most)
    }),
    { numRuns: 80 },
  )
})

test('the same seed gives the same result whatever the latencies, also when a budget cuts it', async () => {
  await fc.assert(
    fc.asyncProperty(anyRequest, fc.nat(), fc.nat(), async (given, a, b) => {
      const run = async (more: WalkOptions) => (await search(createWalkWorld(more), toRequest(given))).result
      const [first, second, instant] = await Promise.all([
        run({ latencyMs: randomLatency(a) }),
        run({ latencyMs: randomLatency(b) }),
        run({}),
      ])
      assert.deepEqual(first, second)
      assert.deepEqual(first, instant)
    }),
    { numRuns: 80 },
  )
})

test('every call of a search has a seed of its own', async () => {
  await fc.assert(
    fc.asyncProperty(anyRequest, async given => {
      const world = createWalkWorld({ errorRate: 0.5 })
      await search(world, toRequest(given))
      assert.equal(new Set(world.requests.map(({ seed }) => seed)).size, world.requests.length)
    }),
    // Seeds have 31 bits and may meet by chance; these do not.
    { numRuns: 80, seed: 1 },
  )
})

test('another seed gives other samples', async () => {
  const texts = async (seed: number) => {
    const { result } = await search(createWalkWorld(), { method: 'best_of_n', seed })
    return result.candidates.map(({ solution }) => solution)
  }
  assert.notDeepEqual(await texts(1), await texts(2))
})

test('the result is plain data: it survives JSON', async () => {
  for (const method of METHOD_NAMES) {
    const { result } = await search(createWalkWorld(), { method, params: SMALL[method] })
    assert.deepEqual(JSON.parse(JSON.stringify(result)), result)
  }
})

test('a budget of one token or one call still gives a valid result', async () => {
  for (const method of METHOD_NAMES) {
    for (const canContinue of [true, false]) {
      if (NEEDS_CONTINUATION.has(method) && !canContinue) continue
      for (const budget of [{ maxTokens: 1 }, { maxCalls: 1 }]) {
        const world = createWalkWorld()
        const { result } = await search(world, { method, canContinue, budget, params: SMALL[method] })
        assert.equal(result.finish_reason, 'budget', `${method} ${JSON.stringify(budget)}`)
        assert.equal(result.usage.llm.calls, 1)
        assert.equal(result.candidates.length, 1)
        assert.equal(result.solution, result.candidates[0]!.solution)
      }
    }
  }
})

test('an LLM that cannot continue is refused before any call where the method needs it, else never asked to', async () => {
  for (const method of METHOD_NAMES) {
    const world = createWalkWorld()
    const running = search(world, { method, canContinue: false, params: SMALL[method] })
    if (NEEDS_CONTINUATION.has(method)) {
      await assert.rejects(running, { name: 'SearchError', code: 'METHOD_UNSUPPORTED' })
      assert.equal(world.requests.length, 0)
    } else {
      assert.equal((await running).result.finish_reason, 'complete')
      assert.ok(world.requests.every(({ steps, until }) => steps.length === 0 && until === 'end'))
    }
  }
})

test('an LLM that cannot be told what to do is refused before any call where the method needs it, else never told', async () => {
  for (const method of METHOD_NAMES) {
    const world = createWalkWorld({ errorRate: 0.5 })
    const running = search(world, { method, canInstruct: false, params: SMALL[method] })
    if (NEEDS_INSTRUCTION.has(method)) {
      await assert.rejects(running, { name: 'SearchError', code: 'METHOD_UNSUPPORTED' })
      assert.equal(world.requests.length, 0)
    } else {
      assert.equal((await running).result.finish_reason, 'complete')
      assert.ok(world.requests.every(({ aim }) => aim === undefined))
    }
  }
})

test('only steps that are still open are followed', async () => {
  await fc.assert(
    fc.asyncProperty(anyRequest, async given => {
      const { result } = await search(createWalkWorld({ errorRate: 0.5 }), toRequest(given))
      const tree = result.tree ?? []
      for (const { parent, state } of tree.slice(1)) {
        const above = tree[parent]!.state
        // A whole solution that was refused is a chain of rejected steps that came in one reply.
        if (state !== 'rejected' || above !== 'rejected') assert.match(above, /^(expanded|dead)$/)
      }
    }),
    { numRuns: 80 },
  )
})

test('a critic that scores nothing leaves every candidate unscored, and still there is an answer', async () => {
  for (const method of METHOD_NAMES) {
    const world = createWalkWorld({ errorRate: 0, blind: () => true })
    const { result } = await search(world, { method, params: SMALL[method] })
    assert.equal(result.answer, truth(PROBLEM), method)
    assert.ok(result.candidates.every(({ score }) => score === null))
  }
})

test('an LLM that says nothing and goes on ends the search soon, without an answer', async () => {
  for (const method of METHOD_NAMES) {
    const world = createWalkWorld({ text: () => ({ text: '', ended: false }) })
    const { result } = await search(world, { method, params: SMALL[method] })
    assert.equal(result.answer, null)
    assert.ok(world.requests.length <= 30, `${method}: ${world.requests.length} calls`)
    assert.deepEqual(world.judged, [])
  }
})

test('a budget that is just enough is complete', async () => {
  const { result } = await search(createWalkWorld(), {
    method: 'best_of_n',
    params: { n: 4 },
    budget: { maxCalls: 4 },
  })
  assert.equal(result.finish_reason, 'complete')
})

test('a last solution that the budget cut short makes the search end by budget', async () => {
  const { result } = await search(createWalkWorld(), {
    method: 'best_of_n',
    params: { n: 1 },
    budget: { maxTokens: 5 },
  })
  assert.equal(result.finish_reason, 'budget')
  assert.equal(result.candidates[0]!.ended, false)
})

test('what a call has cost that failed counts, where its error tells', async () => {
  const usage = { calls: 1, prompt_tokens: 11, completion_tokens: 7 }
  const costOf = async (more: object) => {
    const fails = (_: ProposeRequest, call: number) =>
      call === 0 ? Object.assign(new Error('x'), more) : null
    const { result } = await search(createWalkWorld({ fails }), { method: 'best_of_n', params: { n: 2 } })
    return result.usage.llm
  }
  const [told, nothing] = [await costOf({ usage }), await costOf({})]
  assert.equal(told.calls, nothing.calls)
  assert.equal(told.completion_tokens - nothing.completion_tokens, 7)
  assert.equal(told.prompt_tokens - nothing.prompt_tokens, 11)
  for (const bad of [{ usage: null }, { usage: 'many' }, { usage: { completion_tokens: -1 } }])
    assert.deepEqual(await costOf(bad), nothing)
})

test('replies without usable counts are charged what they reserved', async () => {
  const walk = createWalkWorld()
  const world = {
    ...walk,
    propose: async (request: ProposeRequest, signal: AbortSignal) => {
      const usage = { calls: Number.NaN, prompt_tokens: -1, completion_tokens: Number.NaN }
      return { ...(await walk.propose(request, signal)), usage }
    },
  }
  const params = { n: 8, max_tokens: 50 }
  const { result } = await search(world, { method: 'best_of_n', params, budget: { maxTokens: 120 } })
  assert.deepEqual(result.usage.llm, { calls: 3, prompt_tokens: 0, completion_tokens: 120 })
  assert.equal(result.finish_reason, 'budget')
})

const CONFIDENCE: [name: string, score: number | null, min_confidence: number, isSure: boolean][] = [
  ['at the least confidence', 0.5, 0.5, true],
  ['below it', 0.49, 0.5, false],
  ['a score of 0 where none is asked for', 0, 0, true],
  ['unscored where none is asked for', null, 0, true],
  ['unscored where some is', null, 0.01, false],
]

for (const [name, score, min_confidence, isSure] of CONFIDENCE) {
  test(`abstention: ${name}: ${isSure ? 'an answer' : 'no answer, and the candidate still stands'}`, async () => {
    for (const method of METHOD_NAMES) {
      const world = createWalkWorld({ errorRate: 0, score: () => score })
      const params = { ...SMALL[method], min_confidence }
      const { result } = await search(world, { method, params })
      assert.equal(result.answer, isSure ? truth(PROBLEM) : null, method)
      const chosen = result.candidates[result.chosen!]!
      assert.equal(chosen.answer, truth(PROBLEM))
      assert.deepEqual([result.solution, result.score], [chosen.solution, score])
    }
  })
}

test('usage events end with the usage of the result', async () => {
  for (const method of METHOD_NAMES) {
    const { events, result } = await search(createWalkWorld(), { method, params: SMALL[method] })
    const last = events.filter(event => event.type === 'usage').at(-1)
    assert.deepEqual(last!.usage, result.usage)
  }
})

test('the last best event names the chosen candidate', async () => {
  for (const method of METHOD_NAMES) {
    const world = createWalkWorld({ latencyMs: randomLatency(5) })
    const { events, result } = await search(world, { method, params: SMALL[method] })
    const last = events.filter(event => event.type === 'best').at(-1)!
    assert.deepEqual(
      { answer: last.answer, score: last.score },
      { answer: result.answer, score: result.score },
    )
  }
})

test('every candidate of the result was told as an event, and no other', async () => {
  await fc.assert(
    fc.asyncProperty(anyRequest, async given => {
      const { events, result } = await search(createWalkWorld(), toRequest(given))
      const solutions = events.flatMap(event =>
        event.type === 'candidate' ? [event.candidate.solution] : [],
      )
      assert.deepEqual(solutions.sort(), result.candidates.map(({ solution }) => solution).sort())
    }),
    { numRuns: 80 },
  )
})

const REFUSED: [string, Partial<Record<keyof SearchRequest, unknown>>][] = [
  ['a method nobody knows', { method: 'annealing' }],
  ['the name of a method of Object', { method: 'constructor' }],
  ['a negative seed', { seed: -1 }],
  ['a seed with a fraction', { seed: 0.5 }],
  ['a threshold above 1', { threshold: 1.01 }],
  ['a threshold that is not a number', { threshold: Number.NaN }],
  ['a budget of no tokens', { budget: { maxTokens: 0 } }],
  ['a budget of half a call', { budget: { maxCalls: 0.5 } }],
  ['a deadline in the past', { budget: { deadlineMs: -5 } }],
  ['a deadline no timer can hold', { budget: { deadlineMs: 2 ** 31 } }],
  ['a parameter the method does not take', { params: { width: 3 } }],
]

for (const [name, more] of REFUSED) {
  test(`refused before any call: ${name}`, async () => {
    const world = createWalkWorld()
    const request = { method: 'best_of_n', ...more } as unknown as Parameters<typeof search>[1]
    await assert.rejects(search(world, request), { name: 'SearchError', code: 'INVALID_REQUEST' })
    assert.equal(world.requests.length, 0)
  })
}
