// Beam search and DVTS: which steps go on, what ends take, lookahead, and what the LLM may do wrong.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { countBy, depthOf, scripted } from './scripted.ts'
import { createWalkWorld, PROBLEM, search, truth } from './world.ts'

test('beam: the best of all proposals go on, wherever they come from', async () => {
  const first = ['a @0.9', 'b @0.8', 'c @0.3', 'd @0.2']
  const world = scripted((steps, k) =>
    steps.length === 0 ? first[k]! : steps.length === 1 ? `${steps[0]![0]}${k} @0.7` : 'The answer is 1.!',
  )
  const { result } = await search(world, { method: 'beam', params: { n: 4, width: 2, aggregation: 'mean' } })
  const followed = new Set(world.requests.filter(r => depthOf(r) === 1).map(({ steps }) => steps[0]))
  assert.deepEqual([...followed], ['a @0.9', 'b @0.8'])
  // Both children of `a` beat both of `b`: beams compete across parents.
  const second = new Set(world.requests.filter(r => depthOf(r) === 2).map(({ steps }) => steps[1]))
  assert.deepEqual([...second], ['a0 @0.7', 'a1 @0.7'])
  const left = result.tree!.filter(({ state }) => state === 'outranked').map(({ step }) => step)
  assert.deepEqual(left, ['c @0.3', 'd @0.2', 'b0 @0.7', 'b1 @0.7'])
})

for (const method of ['beam', 'dvts'] as const) {
  test(`${method}: of steps behind the same weak one the better goes on`, async () => {
    const world = scripted((steps, k) =>
      steps.length === 0 ? 'weak @0.3' : steps.length === 1 ? `s${k} @0.${5 + k}` : 'The answer is 1. @0.9!',
    )
    await search(world, { method, params: { n: 3, width: 3 } })
    const followed = new Set(world.requests.filter(r => depthOf(r) === 2).map(({ steps }) => steps[1]))
    assert.deepEqual([...followed], ['s2 @0.7'])
  })
}

const SIZES: [n: number, width: number, firstRound: number, beams: number][] = [
  [8, 4, 8, 2],
  [5, 4, 5, 2],
  [2, 4, 2, 1],
  [1, 16, 1, 1],
  [6, 1, 6, 6],
]

for (const [n, width, firstRound, beams] of SIZES) {
  test(`beam: n ${n} and width ${width} propose ${firstRound} steps a round and follow ${beams}`, async () => {
    let fresh = 0
    const world = scripted(() => `S${fresh++} @0.5`)
    const { result } = await search(world, { method: 'beam', params: { n, width, max_steps: 4 } })
    assert.deepEqual(countBy(world.requests), [firstRound, n, n, n])
    const followed = result.tree!.filter(({ state, depth }) => state === 'expanded' && depth === 2)
    assert.equal(followed.length, beams)
    assert.equal(result.candidates.length, n)
  })
}

test('beam: an end among the best takes its place for good, so that rounds get cheaper', async () => {
  let fresh = 0
  const world = scripted((steps, k) =>
    steps.length === 1 && k === 0 && steps[0] === 'S0 @0.5'
      ? 'Early. The answer is 1. @0.9!'
      : steps.length === 3
        ? 'Late. The answer is 2. @0.4!'
        : `S${fresh++} @0.5`,
  )
  const { result } = await search(world, { method: 'beam', params: { n: 4, width: 2, select: 'best' } })
  assert.deepEqual(countBy(world.requests), [4, 4, 2, 2])
  assert.deepEqual(
    result.candidates.map(({ answer }) => answer),
    ['1', '2'],
  )
})

test('beam: an end that is not among the best is a candidate and takes no place', async () => {
  const world = scripted((steps, k) => {
    if (steps.length === 0) return k === 0 ? 'Hasty. The answer is 9. @0.1!' : `S${k} @0.${9 - k}`
    return `From ${steps[0]![1]}, ${k}. The answer is 1. @0.8!`
  })
  const { result } = await search(world, { method: 'beam', params: { n: 4, width: 2 } })
  assert.deepEqual(countBy(world.requests), [4, 4])
  assert.equal(result.candidates.length, 5)
  assert.equal(result.answer, '1')
})

test('beam: equal steps become one node, and the survivors share all proposals', async () => {
  const world = scripted((steps, k) =>
    steps.length === 0 ? 'same' : steps.length === 1 ? `S${k}` : 'The answer is 1.!',
  )
  const { result, events } = await search(world, { method: 'beam', params: { n: 4, width: 2 } })
  assert.deepEqual(countBy(world.requests), [4, 4, 4])
  assert.equal(result.tree!.filter(({ depth }) => depth === 1).length, 1)
  // Three of four at the first step, one of two under each of both beams at the last.
  assert.equal(events.filter(event => event.type === 'prune' && event.reason === 'duplicate').length, 5)
  assert.equal(world.judged.filter(path => path.length === 1).length, 1)
})

test('beam: lookahead changes who goes on, costs greedy calls only, and leaves no step behind', async () => {
  const script = (steps: readonly string[], k: number) => {
    if (steps.length === 0) return k === 0 ? 'trap @0.9' : 'way @0.6'
    if (steps.length === 1) return steps[0]!.startsWith('trap') ? 'falls @0.1' : 'climbs @0.7'
    return 'The answer is 1.!'
  }
  const run = async (lookahead: number) => {
    const world = scripted(script)
    const params = { n: 2, width: 2, lookahead, max_steps: 3 }
    const { result } = await search(world, { method: 'beam', params })
    return { first: result.steps[0], world, result }
  }
  assert.equal((await run(0)).first, 'trap @0.9')
  const { first, world, result } = await run(1)
  assert.equal(first, 'way @0.6')
  const greedy = world.requests.filter(({ temperature }) => temperature === 0)
  assert.deepEqual(
    greedy.map(({ steps }) => steps),
    [['trap @0.9'], ['way @0.6'], ['way @0.6', 'climbs @0.7']],
  )
  assert.ok(result.tree!.every(({ step }) => step !== 'falls @0.1'))
  assert.deepEqual(result.candidates[0]!.scores, [0.6, 0.7, 0.5])
})

test('beam: lookahead stops at an end and at the limit of steps', async () => {
  const greedyCalls = async (length: number, max_steps: number) => {
    const world = scripted(steps => (steps.length + 1 === length ? 'The answer is 1.!' : `S${steps.length}`))
    await search(world, { method: 'beam', params: { n: 1, width: 1, lookahead: 8, max_steps } })
    return countBy(world.requests.filter(({ temperature }) => temperature === 0))
  }
  assert.deepEqual(await greedyCalls(3, 32), [0, 1, 2])
  assert.deepEqual(await greedyCalls(9, 3), [0, 1, 2])
})

test('beam: a critic that knows right from wrong makes a poor solver right', async () => {
  const score = async (params: object) => {
    let right = 0
    for (let seed = 0; seed < 20; seed++) {
      const world = createWalkWorld({ errorRate: 0.4 })
      const { result } = await search(world, { method: 'beam', seed, params: { ...params } })
      if (result.answer === truth(PROBLEM)) right += 1
    }
    return right
  }
  const wide = await score({ n: 8, width: 4 })
  const narrow = await score({ n: 1, width: 1 })
  assert.ok(wide >= 17, `${wide} of 20`)
  assert.ok(narrow <= 8, `${narrow} of 20`)
})

test('beam: an empty text that ends makes the steps so far a solution', async () => {
  const world = scripted(steps => (steps.length === 0 ? 'The answer is 7. @0.6' : '!'))
  const { result } = await search(world, { method: 'beam', params: { n: 2, width: 2 } })
  assert.equal(result.candidates.length, 1)
  assert.deepEqual([result.steps, result.candidates[0]!.ended], [['The answer is 7. @0.6'], true])
})

test('beam: a beam that nothing follows dies, and the others go on', async () => {
  const world = scripted((steps, k) => {
    if (steps.length === 0) return k === 0 ? 'trap @0.9' : `way ${k} @0.5`
    return steps[0]!.startsWith('trap') ? '' : 'The answer is 1.!'
  })
  const { result } = await search(world, { method: 'beam', params: { n: 4, width: 2 } })
  assert.equal(result.answer, '1')
  assert.equal(result.tree![1]!.state, 'dead')
})

test('beam: when everything dies the best that stood is given as it is', async () => {
  const world = scripted((steps, k) => (steps.length === 0 ? `S${k} @0.${5 + k}` : ''))
  const { result } = await search(world, { method: 'beam', params: { n: 4, width: 2 } })
  assert.equal(result.solution, 'S3 @0.8')
  assert.equal(result.candidates[0]!.ended, false)
  assert.equal(result.finish_reason, 'complete')
})

test('beam: a budget that ends before any solution leaves the best beam as a partial candidate', async () => {
  const { result } = await search(createWalkWorld(), { method: 'beam', budget: { maxCalls: 20 } })
  assert.equal(result.finish_reason, 'budget')
  assert.equal(result.candidates.length, 1)
  assert.equal(result.steps.length, 3)
  assert.equal(result.answer, null)
  const best = result.tree!.filter(({ depth }) => depth === 3).map(({ score }) => score!)
  assert.equal(result.candidates[0]!.scores[2], Math.max(...best))
})

test('beam: calls that fail cost their steps only; when all fail at the root their error is thrown', async () => {
  const some = createWalkWorld({ fails: (_, call) => (call % 3 === 0 ? new Error('down') : null) })
  const { result } = await search(some, { method: 'beam' })
  assert.ok(result.failed > 0)
  assert.equal(result.answer, truth(PROBLEM))
  const all = createWalkWorld({ fails: () => new Error('down') })
  await assert.rejects(search(all, { method: 'beam' }), { message: 'down' })
})

test('beam: no round costs more than n calls, and a step no more than its greedy calls ahead', async () => {
  const request = fc.record({
    seed: fc.nat(),
    n: fc.integer({ min: 1, max: 10 }),
    width: fc.integer({ min: 1, max: 6 }),
    lookahead: fc.integer({ min: 0, max: 2 }),
    errorRate: fc.double({ min: 0, max: 1, noNaN: true }),
  })
  await fc.assert(
    fc.asyncProperty(request, async ({ seed, errorRate, ...params }) => {
      const world = createWalkWorld({ errorRate })
      const { result } = await search(world, { method: 'beam', seed, params })
      const sampled = countBy(world.requests.filter(({ temperature }) => temperature > 0))
      assert.ok(sampled.every(count => count <= params.n))
      const nodes = result.tree!.length - 1
      assert.ok(
        world.requests.length <= sampled.reduce((sum, count) => sum + count) + nodes * params.lookahead,
      )
      for (const depth of sampled.keys()) {
        const followed = result.tree!.filter(node => node.depth === depth && node.state === 'expanded')
        assert.ok(followed.length <= Math.ceil(params.n / params.width))
      }
    }),
    { numRuns: 60 },
  )
})

test('dvts: subtrees do not compete: each goes on from the best of its own', async () => {
  const first = ['a @0.9', 'b @0.8', 'c @0.3', 'd @0.2']
  const world = scripted((steps, k) => {
    if (steps.length === 0) return first[k]!
    return steps.length === 1 ? `${steps[0]![0]}${k} @0.7` : `The answer is ${steps[0]![0]}.!`
  })
  const { result } = await search(world, { method: 'dvts', params: { n: 4, width: 2, aggregation: 'mean' } })
  const followed = new Set(world.requests.filter(r => depthOf(r) === 1).map(({ steps }) => steps[0]))
  assert.deepEqual([...followed], ['a @0.9', 'c @0.3'])
  assert.deepEqual(
    result.candidates.map(({ answer }) => answer),
    ['a', 'c'],
  )
  assert.equal(result.answer, 'a')
})

test('dvts: proposals that do not divide evenly go to the first subtrees', async () => {
  let fresh = 0
  const world = scripted(() => `S${fresh++}`)
  const { result } = await search(world, { method: 'dvts', params: { n: 5, width: 2, max_steps: 2 } })
  assert.deepEqual(countBy(world.requests), [5, 5])
  const grandchildren = result.tree!.filter(({ depth }) => depth === 2).map(({ parent }) => parent)
  const perSubtree = [...new Set(grandchildren)].map(
    node => grandchildren.filter(parent => parent === node).length,
  )
  assert.deepEqual(perSubtree, [2, 2, 1])
})

test('dvts: a subtree ends with its best end, the others go on, and the answers are weighed together', async () => {
  const world = scripted((steps, k) => {
    if (steps.length === 0) return k < 2 ? 'Alone. The answer is 1. @0.8!' : `S${k} @0.5`
    return 'The answer is 2. @0.9!'
  })
  const params = { n: 6, width: 2, select: 'weighted' }
  const { result } = await search(world, { method: 'dvts', params })
  assert.deepEqual(countBy(world.requests), [6, 4])
  assert.deepEqual(
    result.candidates.map(({ answer, votes }) => [answer, Number(votes!.toFixed(6))]),
    [
      ['1', 0.8],
      ['2', 1],
      ['2', 1],
    ],
  )
  assert.equal(result.answer, '2')
})

test('dvts: a subtree that begins with nothing leaves the root to the others', async () => {
  const world = scripted((steps, k) =>
    steps.length === 0 && k < 2 ? '' : steps.length === 0 ? `S${k}` : 'The answer is 1.!',
  )
  const { result } = await search(world, { method: 'dvts', params: { n: 4, width: 2 } })
  assert.equal(result.tree![0]!.state, 'expanded')
  assert.equal(result.answer, '1')
  assert.deepEqual(countBy(world.requests), [4, 2])
})

test('dvts: keeps starts apart that beam search gives up', async () => {
  const starts = async (method: 'beam' | 'dvts') => {
    const world = scripted((steps, k) =>
      steps.length === 0 ? `S${k} @0.${9 - k}` : steps.length === 1 ? `${k} @0.5` : 'The answer is 1.!',
    )
    const { result } = await search(world, { method, params: { n: 8, width: 2, aggregation: 'mean' } })
    return new Set(result.candidates.map(({ steps }) => steps[0])).size
  }
  assert.equal(await starts('dvts'), 4)
  assert.ok((await starts('beam')) < 4)
})

test('beam: steps ahead count once beside the steps of the path', async () => {
  const world = scripted((steps, k) => {
    if (steps.length === 0) return k === 0 ? 'a @0.9' : 'b @0.5'
    return steps[0]!.startsWith('a') ? 'falls @0.1' : 'holds @0.55'
  })
  const params = { n: 2, width: 2, lookahead: 1, aggregation: 'mean', max_steps: 2 }
  const { result } = await search(world, { method: 'beam', params })
  // (.9 + .1) / 2 < (.5 + .55) / 2
  assert.equal(result.steps[0], 'b @0.5')
})

const UNSCORED: [others: string[], followed: string][] = [
  [['poor @0.1', 'poorer @0.05'], 'blank'],
  [['poor @0.1', 'good @0.8'], 'good @0.8'],
]

for (const [others, followed] of UNSCORED) {
  test(`beam: an unscored step beside ${others.join(' and ')} counts as no opinion`, async () => {
    const world = scripted(
      (steps, k) => (steps.length > 0 ? 'The answer is 1. @0.9!' : ([...others, 'blank'][k] ?? '')),
      { blind: step => step === 'blank' },
    )
    const { result } = await search(world, { method: 'beam', params: { n: 3, width: 3 } })
    assert.equal(result.steps[0], followed)
  })
}
