// The particle filter: who is drawn again, absorbing ends, and what the LLM may do wrong.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { countBy, depthOf, scripted } from './scripted.ts'
import { createWalkWorld, PROBLEM, search, truth } from './world.ts'

const ARMS = [0.3, 0.45, 0.8, 0.55]

test('particle: particles gather on the best arm of a bandit', async () => {
  const world = scripted((steps, k) => {
    if (steps.length === 0) return `arm ${k % 4} @${ARMS[k % 4]}`
    const arm = Number(steps[0]![4])
    return steps.length < 4 ? `pull ${k} @${ARMS[arm]}` : `pull ${k}. The answer is ${arm}. @${ARMS[arm]}!`
  })
  const { result } = await search(world, { method: 'particle', params: { n: 32, aggregation: 'mean' } })
  const arms = result.tree!.filter(({ depth }) => depth === 1)
  assert.deepEqual(
    arms.map(({ visits }) => visits),
    [8, 8, 8, 8],
  )
  const fifth = world.requests.filter(request => depthOf(request) === 4).map(({ steps }) => steps[0]!)
  const onBest = fifth.filter(step => step.startsWith('arm 2')).length
  assert.ok(onBest >= 24, `${onBest} of 32 on the best arm after three draws`)
  assert.equal(result.answer, '2')
})

test('particle: copies follow the odds of the scores', async () => {
  const world = scripted((steps, k) => {
    if (steps.length === 0) return k === 0 ? 'likely @0.9' : `unlikely ${k} @0.1`
    return `${k}. The answer is 1.!`
  })
  // Odds 9 against 9 · 1/9: nine of ten on the first, and one on any of the others.
  const { result } = await search(world, { method: 'particle', params: { n: 10 } })
  const second = world.requests.filter(request => depthOf(request) === 1).map(({ steps }) => steps[0])
  assert.equal(second.filter(step => step === 'likely @0.9').length, 9)
  assert.equal(second.length, 10)
  assert.equal(result.tree!.filter(({ state }) => state === 'outranked').length, 8)
})

test('particle: equals all live on', async () => {
  const world = scripted((steps, k) => (steps.length === 0 ? `S${k}` : 'The answer is 1.!'))
  const { result } = await search(world, { method: 'particle', params: { n: 6 } })
  const followed = world.requests.filter(request => depthOf(request) === 1).map(({ steps }) => steps[0])
  assert.deepEqual(followed, ['S0', 'S1', 'S2', 'S3', 'S4', 'S5'])
  assert.equal(result.candidates.length, 6)
})

test('particle: an ended particle is never extended, keeps its copies, and may lose them', async () => {
  const run = async (score: number) => {
    const world = scripted((steps, k) => {
      if (steps.length === 0) return k === 0 ? `Early. The answer is 1. @${score}!` : `S${k} @0.5`
      return steps.length < 3 ? `S${k} @0.5` : 'The answer is 2. @0.5!'
    })
    const { result } = await search(world, { method: 'particle', params: { n: 4, select: 'majority' } })
    assert.ok(world.requests.every(({ steps }) => !steps.some(step => step.startsWith('Early'))))
    return { result, calls: countBy(world.requests) }
  }
  const strong = await run(0.9)
  // Odds 9 against 1, 1 and 1: three of the four are copies of the end, and only one goes on.
  assert.deepEqual(strong.calls, [4, 1])
  assert.equal(strong.result.answer, '1')
  const weak = await run(0.01)
  assert.deepEqual(weak.calls, [4, 4, 4, 4])
  assert.equal(weak.result.answer, '2')
  assert.deepEqual(
    weak.result.candidates.map(({ answer, votes }) => [answer, votes]),
    [
      ['1', 0],
      ['2', 4],
      ['2', 4],
      ['2', 4],
      ['2', 4],
    ],
  )
})

test('particle: those that say the same share a node, a judgement and a candidate, and count each', async () => {
  const world = scripted((steps, k) => {
    if (steps.length === 0) return k < 3 ? 'same @0.6' : 'other @0.6'
    return steps[0]!.startsWith('same') ? 'The answer is 1. @0.6!' : 'The answer is 2. @0.6!'
  })
  const { result } = await search(world, { method: 'particle', params: { n: 4, select: 'majority' } })
  assert.equal(result.tree!.length, 5)
  assert.deepEqual(
    result.tree!.map(({ visits }) => visits),
    [0, 3, 1, 3, 1],
  )
  assert.equal(world.judged.length, 4)
  assert.deepEqual(
    result.candidates.map(({ answer, votes }) => [answer, votes]),
    [
      ['1', 3],
      ['2', 1],
    ],
  )
})

test('particle: one that has nothing to say is lost and another takes its place', async () => {
  const world = scripted((steps, k) => {
    if (steps.length === 0) return k === 0 ? 'trap @0.6' : `way ${k} @0.6`
    return steps[0]!.startsWith('trap') ? '' : steps.length === 1 ? `on ${k}` : 'The answer is 1.!'
  })
  const { result } = await search(world, { method: 'particle', params: { n: 3 } })
  assert.deepEqual(countBy(world.requests), [3, 3, 3])
  assert.equal(result.tree![1]!.state, 'dead')
  assert.equal(result.answer, '1')
})

test('particle: when all are lost the best that stood is given as it is', async () => {
  const world = scripted((steps, k) => (steps.length === 0 ? `S${k} @0.${5 + k}` : ''))
  const { result } = await search(world, { method: 'particle', params: { n: 3 } })
  assert.equal(result.solution, 'S2 @0.7')
  assert.equal(result.candidates[0]!.ended, false)
})

test('particle: a budget that ends before any solution leaves the best particle as a partial candidate', async () => {
  const { result } = await search(createWalkWorld(), { method: 'particle', budget: { maxCalls: 20 } })
  assert.equal(result.finish_reason, 'budget')
  assert.equal(result.candidates.length, 1)
  assert.equal(result.steps.length, 3)
  assert.equal(result.answer, null)
})

test('particle: scores of 0 and 1 and no score at all are weighed without a fuss', async () => {
  for (const score of [() => 0, () => 1, () => null]) {
    const world = createWalkWorld({ score, errorRate: 0 })
    const { result } = await search(world, { method: 'particle', params: { n: 4 } })
    assert.equal(result.answer, truth(PROBLEM))
    assert.ok(result.tree!.every(({ value_sum }) => Number.isFinite(value_sum)))
  }
})

test('particle: a critic that knows right from wrong makes a poor solver right', async () => {
  const score = async (n: number) => {
    let right = 0
    for (let seed = 0; seed < 20; seed++) {
      const world = createWalkWorld({ errorRate: 0.4 })
      const { result } = await search(world, { method: 'particle', seed, params: { n } })
      if (result.answer === truth(PROBLEM)) right += 1
    }
    return right
  }
  const many = await score(8)
  const one = await score(1)
  assert.ok(many >= 19, `${many} of 20`)
  assert.ok(one <= 8, `${one} of 20`)
})

test('particle: no round costs more than n calls, and the last population adds up', async () => {
  const request = fc.record({
    seed: fc.nat(),
    n: fc.integer({ min: 1, max: 10 }),
    errorRate: fc.double({ min: 0, max: 1, noNaN: true }),
    max_steps: fc.integer({ min: 1, max: 6 }),
  })
  await fc.assert(
    fc.asyncProperty(request, async ({ seed, errorRate, ...params }) => {
      const world = createWalkWorld({ errorRate })
      const given = { ...params, select: 'majority' }
      const { result } = await search(world, { method: 'particle', seed, params: given })
      assert.ok(countBy(world.requests).every(count => count <= params.n))
      const sizes = new Map(
        result.candidates.map(({ answer, steps, votes }) => [answer ?? steps.join(), votes!]),
      )
      assert.equal(
        [...sizes.values()].reduce((sum, votes) => sum + votes, 0),
        params.n,
      )
    }),
    { numRuns: 60 },
  )
})
