// The sampling methods: best_of_n, weighted_best_of_n, self_consistency.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { MethodName } from '../../src/search/params.ts'
import { createWalkWorld, PROBLEM, search, truth, type WalkOptions } from './world.ts'

const SAMPLING: MethodName[] = ['best_of_n', 'weighted_best_of_n', 'self_consistency']

/** Sample number i answers answers[i]; its one step has scores[i]. */
function scripted(answers: (string | null)[], scores: (number | null)[], more: WalkOptions = {}) {
  let call = 0
  const scoreOf = new Map<string, number | null>()
  const world = createWalkWorld({
    text: () => {
      const i = call++
      const text =
        answers[i] === null ? `Sample ${i} says nothing.` : `Sample ${i}. The answer is ${answers[i]}.`
      scoreOf.set(text, scores[i]!)
      return { text, ended: answers[i] !== null }
    },
    score: step => scoreOf.get(step)!,
    ...more,
  })
  return { world, n: answers.length }
}

const CHOICES: [string, (string | null)[], (number | null)[], Record<string, string | null>][] = [
  [
    'one good sample against a poor crowd',
    ['1', '2', '2', '2'],
    [0.9, 0.2, 0.2, 0.2],
    { best_of_n: '1', weighted_best_of_n: '1', self_consistency: '2' },
  ],
  [
    'one good sample against a middling crowd',
    ['1', '2', '2'],
    [0.9, 0.5, 0.6],
    { best_of_n: '1', weighted_best_of_n: '2', self_consistency: '2' },
  ],
  [
    'answers that are equal in canonical form',
    ['07', '7.0', '8'],
    [0.4, 0.5, 0.6],
    { best_of_n: '8', weighted_best_of_n: '7.0', self_consistency: '7.0' },
  ],
  [
    'a cut-off sample with the highest score',
    [null, '3', null],
    [0.99, 0.1, 0.99],
    { best_of_n: '3', weighted_best_of_n: '3', self_consistency: '3' },
  ],
  [
    'samples the critic could not score',
    ['4', '5', '5'],
    [0.01, null, null],
    { best_of_n: '4', weighted_best_of_n: '4', self_consistency: '5' },
  ],
  [
    'no sample with an answer',
    [null, null],
    [0.2, 0.8],
    { best_of_n: null, weighted_best_of_n: null, self_consistency: null },
  ],
]

for (const [name, answers, scores, want] of CHOICES) {
  for (const method of SAMPLING) {
    test(`${method}: ${name}`, async () => {
      const { world, n } = scripted(answers, scores)
      const { result } = await search(world, { method, params: { n } })
      assert.equal(result.answer, want[method])
      assert.equal(result.candidates.length, n)
      assert.equal(result.finish_reason, 'complete')
    })
  }
}

test('the winner is one of the candidates, with its text, steps and score', async () => {
  const world = createWalkWorld()
  const { result } = await search(world, { method: 'best_of_n' })
  const winner = result.candidates[result.chosen!]!
  const { answer, solution, steps, score } = result
  assert.deepEqual(
    { answer, solution, steps, score },
    {
      answer: winner.answer,
      solution: winner.solution,
      steps: winner.steps,
      score: winner.score,
    },
  )
  assert.equal(winner.solution, winner.steps.join('\n\n'))
  assert.equal(winner.score, winner.aggregates.min)
  assert.equal(result.answer, truth(PROBLEM))
  assert.equal(result.tree, undefined)
})

test('votes stand beside candidates where there was a vote', async () => {
  const run = (method: MethodName) =>
    search(scripted(['1', '2', '2'], [0.5, 0.25, 0.5]).world, { method, params: { n: 3 } })
  const votes = async (method: MethodName) => (await run(method)).result.candidates.map(({ votes }) => votes)
  assert.deepEqual(await votes('self_consistency'), [1, 2, 2])
  assert.deepEqual(
    (await votes('weighted_best_of_n')).map(vote => vote!.toFixed(6)),
    ['0.500000', '0.750000', '0.750000'],
  )
  assert.deepEqual(await votes('best_of_n'), [undefined, undefined, undefined])
})

test('an empty completion is an unscored candidate without an answer that is never sent to the critic', async () => {
  const world = createWalkWorld({ text: () => ({ text: '', ended: true }) })
  const { result } = await search(world, { method: 'weighted_best_of_n', params: { n: 2 } })
  assert.deepEqual(world.judged, [])
  assert.equal(result.answer, null)
  assert.equal(result.score, null)
  assert.deepEqual(result.candidates[0]!.aggregates, { last: null, min: null, prod: null, mean: null })
})

test('a call that fails costs its own sample only, and is reported', async () => {
  const world = createWalkWorld({
    fails: (_, call) => (call === 1 || call === 3 ? new Error(`call ${call}`) : null),
  })
  const { result, events } = await search(world, { method: 'best_of_n', params: { n: 5 } })
  assert.equal(result.candidates.length, 3)
  assert.equal(result.failed, 2)
  assert.equal(result.usage.llm.calls, 5)
  const failure = events.filter(event => event.type === 'failure').at(-1)
  assert.deepEqual(failure, { type: 'failure', failed: 2, error: new Error('call 1') })
})

test('when every call fails, the error of the first call is thrown, though it comes last', async () => {
  const world = createWalkWorld({
    fails: ({ seed }) => new Error(seed === world.requests[0]!.seed ? 'first' : 'later'),
    latencyMs: ({ seed }) => (seed === world.requests[0]!.seed ? 50 : 1),
  })
  await assert.rejects(search(world, { method: 'best_of_n', params: { n: 4 } }), { message: 'first' })
})

test('a critic that fails ends the search with its error', async () => {
  const world = createWalkWorld({
    score: () => {
      throw new Error('critic down')
    },
  })
  await assert.rejects(search(world, { method: 'self_consistency' }), { message: 'critic down' })
  assert.equal(world.live.calls, 0)
})

test('scores of the wrong shape are refused, scores out of range are unscored', async () => {
  const world = createWalkWorld()
  const short = { ...world, judge: async () => ({ scores: [[0.5]], tokens: 1 }) }
  await assert.rejects(search(short, { method: 'best_of_n' }), { name: 'SearchError', code: 'CRITIC_FAILED' })
  const odd = createWalkWorld({ score: (_, __, index) => [Number.NaN, 1.5, -1, 0.5][index] ?? null })
  const { result } = await search(odd, { method: 'best_of_n', params: { n: 1 } })
  assert.deepEqual(result.candidates[0]!.scores, [null, null, null, 0.5])
})

test('no more calls at a time than asked for, and every call has its own seed', async () => {
  const world = createWalkWorld({ latencyMs: () => 10 })
  await search(world, { method: 'best_of_n', params: { n: 20, concurrency: 3 } })
  assert.equal(world.live.llmPeak, 3)
  assert.equal(world.clock.now(), 71) // 7 waves of 10 ms, and the last critic call
  assert.equal(new Set(world.requests.map(({ seed }) => seed)).size, 20)
})

test('events tell each sample, its scores, and each change of the best', async () => {
  const { world } = scripted(['1', '2', '3'], [0.5, 0.4, 0.9])
  const { events } = await search(world, { method: 'best_of_n', params: { n: 3, concurrency: 1 } })
  const told = events.filter(({ type }) => type !== 'usage')
  assert.deepEqual(
    told.map(event => ('branch' in event ? [event.type, event.branch] : [event.type])),
    [
      ['step', 0],
      ['score', 0],
      ['candidate', 0],
      ['best', 0],
      ['step', 1],
      ['score', 1],
      ['candidate', 1],
      ['step', 2],
      ['score', 2],
      ['candidate', 2],
      ['best', 2],
    ],
  )
  const usage = events.filter(event => event.type === 'usage').at(-1)
  assert.equal(usage!.usage.llm.calls, 3)
})
