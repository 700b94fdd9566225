// Search over plans: which plans are drawn, which get further solutions, and what the tree keeps of them.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createWalkWorld, search, type WalkOptions } from './world.ts'

/**
 * Plans come in the order of `plans`; a solution that follows plan x has the score values[x], and answers with the plan. The solution
 * without a plan is that of `-`.
 */
function planned(plans: readonly string[], values: Record<string, number | null>, more: WalkOptions = {}) {
  let drawn = 0
  const world = createWalkWorld({
    text: ({ aim }) => {
      if (aim?.kind === 'plan') return { text: plans[drawn++]!, ended: true }
      return { text: `The answer is ${aim?.kind === 'follow' ? aim.plan : '-'}.`, ended: true }
    },
    score: step => values[step.match(/The answer is (\S+)\./)![1]!]!,
    ...more,
  })
  const told = () =>
    world.requests.map(({ aim }) => (aim?.kind === 'plan' ? 'plan' : aim?.kind === 'follow' ? aim.plan : '-'))
  const run = (params: Record<string, unknown>, budget = {}) =>
    search(world, { method: 'plan', params: { concurrency: 1, ...params }, budget })
  return { world, told, run }
}

test('plan: every plan and none get a solution, then the better half, and the best gets what is left', async () => {
  const { told, run } = planned(['a', 'b', 'c'], { '-': 0.2, a: 0.6, b: 0.9, c: 0.1 })
  const { result } = await run({ n: 8 })
  assert.deepEqual(told(), ['-', 'plan', 'plan', 'plan', 'a', 'b', 'c', 'b', 'a', 'b', 'b'])
  assert.equal(result.answer, 'b')
  assert.equal(result.candidates.length, 8)
  assert.equal(result.finish_reason, 'complete')
})

test('plan: rounds share many solutions evenly, and the last plan gets its share at once', async () => {
  const values = { '-': 0.2, a: 0.6, b: 0.9, c: 0.1 }
  const { world, told, run } = planned(['a', 'b', 'c'], values, { latencyMs: () => 1 })
  const { result } = await run({ n: 40, concurrency: 40 })
  assert.equal(result.candidates.length, 40)
  const counts = ['-', 'a', 'b', 'c'].map(plan => told().filter(name => name === plan).length)
  // 3 each, 7 each of the better half, and the other 14.
  assert.deepEqual(counts, [3, 10, 24, 3])
  assert.equal(world.live.llmPeak, 14)
})

test('plan: it is told which plan each solution follows, before its steps', async () => {
  const { run } = planned(['a', 'b'], { '-': 0.2, a: 0.6, b: 0.9 })
  const { events } = await run({ n: 5, plans: 2 })
  const told = events.filter(event => event.type === 'plan')
  assert.deepEqual(
    told.map(({ branch, plan, text }) => [branch, plan, text]),
    [
      [0, 0, null],
      [1, 1, 'a'],
      [2, 2, 'b'],
      [3, 2, 'b'],
      [4, 1, 'a'],
    ],
  )
  for (const { branch } of told) {
    const its = events.filter(event => 'branch' in event && event.branch === branch)
    assert.equal(its[0]?.type, 'plan')
    assert.ok(its.some(event => event.type === 'step'))
  }
})

test('plan: to solve without a plan can win', async () => {
  const { told, run } = planned(['a', 'b'], { '-': 0.9, a: 0.3, b: 0.2 })
  const { result } = await run({ n: 6, plans: 2 })
  assert.deepEqual(told(), ['-', 'plan', 'plan', 'a', 'b', '-', 'a', '-'])
  assert.equal(result.answer, '-')
})

test('plan: a plan whose solutions have no answer is worth nothing, one without scores is no opinion', async () => {
  const { told, run } = planned(
    ['a', 'b', 'c'],
    { '-': 0.1, b: null, c: 0.4 },
    {
      text: ({ aim, seed }) => {
        if (aim?.kind === 'plan') return { text: ['a', 'b', 'c'][plans++]!, ended: true }
        const name = aim?.kind === 'follow' ? aim.plan : '-'
        return { text: name === 'a' ? `Hm ${seed}` : `The answer is ${name}.`, ended: true }
      },
      score: step => (step.startsWith('Hm') ? 0.99 : { '-': 0.1, b: null, c: 0.4 }[step.at(-2)!]!),
    },
  )
  let plans = 0
  await run({ n: 7 })
  assert.deepEqual(told().slice(7), ['b', 'c', 'b'])
})

test('plan: equal and empty plans are tried once or not at all', async () => {
  const { told, run } = planned(['a', ' a\n', '', 'b'], { '-': 0.5, a: 0.6, b: 0.4 })
  await run({ n: 3, plans: 4 })
  // No more plans are drawn than solutions can follow.
  assert.deepEqual(told(), ['-', 'plan', 'plan', 'a', 'a'])
})

test('plan: a single solution goes without a plan, and a budget of one call too', async () => {
  for (const [params, budget] of [
    [{ n: 1 }, {}],
    [{ n: 8 }, { maxCalls: 1 }],
  ] as const) {
    const { told, run } = planned(['a', 'b', 'c'], { '-': 0.5 })
    const { result } = await run(params, budget)
    assert.deepEqual(told(), ['-'])
    assert.equal(result.answer, '-')
  }
})

test('plan: the tree has each plan above its solutions, with what they are worth', async () => {
  const { run } = planned(['a', 'b'], { '-': 0.2, a: 0.6, b: 0.4 })
  const { result } = await run({ n: 5, plans: 2 })
  assert.deepEqual(
    result.tree!.map(({ parent, step, state, visits, value_sum }) => [
      parent,
      step,
      state,
      visits,
      value_sum,
    ]),
    [
      [-1, '', 'expanded', 0, 0],
      [0, 'The answer is -.', 'ended', 1, 0.2],
      [0, 'a', 'expanded', 2, 1.2],
      [2, 'The answer is a.', 'ended', 1, 0.6],
      [2, 'The answer is a.', 'ended', 1, 0.6],
      [0, 'b', 'expanded', 2, 0.8],
      [5, 'The answer is b.', 'ended', 1, 0.4],
      [5, 'The answer is b.', 'ended', 1, 0.4],
    ],
  )
})

test('plan: the choice is the one asked for', async () => {
  for (const [select, want] of [
    ['best', 'a'],
    ['weighted', '-'],
    ['majority', '-'],
  ] as const) {
    const scoresOfA = [0.95, 0.05]
    const scores: Record<string, () => number> = { a: () => scoresOfA.shift()!, b: () => 0.1, '-': () => 0.6 }
    const score = (step: string) => scores[step.at(-2)!]!()
    const { result } = await planned(['a', 'b'], {}, { score }).run({ n: 5, plans: 2, select })
    assert.equal(result.answer, want, select)
  }
})

test('plan: plans that fail leave the solutions without one', async () => {
  const fails: WalkOptions['fails'] = ({ aim }) => (aim?.kind === 'plan' ? new Error('down') : null)
  const { told, run } = planned([], { '-': 0.5 }, { fails })
  const { result } = await run({ n: 3, plans: 2 })
  assert.deepEqual(told(), ['-', 'plan', 'plan', '-', '-'])
  assert.deepEqual([result.answer, result.failed], ['-', 2])
})
