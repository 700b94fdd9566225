// Tree search: a bandit with a known best arm, the tree's invariants, and what the LLM may do wrong.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { createRng, seedFor } from '../../src/search/rng.ts'
import type { TreeNode } from '../../src/search/tree.ts'
import { scripted } from './scripted.ts'
import { createWalkWorld, PROBLEM, search, truth } from './world.ts'

const ARMS = [0.3, 0.45, 0.8, 0.55]

/** Arm k at the first step tells nothing; the second step pays the arm's mean give or take .2. */
function bandit() {
  const counts = new Map<string, number>()
  return createWalkWorld({
    text: ({ steps }) => {
      const key = steps.join('|')
      const k = counts.get(key) ?? 0
      counts.set(key, k + 1)
      return steps.length === 0
        ? { text: `arm ${k}`, ended: false }
        : { text: `pull ${k} of ${steps[0]}. The answer is ${steps[0]!.slice(-1)}.`, ended: true }
    },
    score: (step, path, index) => {
      if (index === 0) return 0.5
      const arm = Number(path[0]!.slice(-1))
      const noise = createRng(seedFor(3, [arm, Number(step.match(/pull (\d)/)![1])]))() - 0.5
      return ARMS[arm]! + 0.4 * noise
    },
  })
}

const children = (tree: readonly TreeNode[], of: number) =>
  tree.flatMap((node, i) => (node.parent === of ? [{ ...node, index: i }] : []))

for (const parallel of [1, 4]) {
  test(`mcts: visits concentrate on the best arm of a bandit (parallel ${parallel})`, async () => {
    const params = { simulations: 200, aggregation: 'last', exploration: 0.5, parallel }
    const { result } = await search(bandit(), { method: 'mcts', params })
    const visits = children(result.tree!, 0).map(({ visits }) => visits)
    assert.equal(visits.length, ARMS.length)
    assert.ok(visits[2]! > 120, `visits ${visits}`)
    assert.ok(
      visits.every(count => count > 0),
      'every arm was tried',
    )
    assert.equal(result.answer, '2')
  })
}

test('mcts: more exploration spreads the visits', async () => {
  const bestShare = async (exploration: number) => {
    const params = { simulations: 100, aggregation: 'last', exploration }
    const { result } = await search(bandit(), { method: 'mcts', params })
    return children(result.tree!, 0)[2]!.visits
  }
  assert.ok((await bestShare(0.2)) > (await bestShare(5)))
})

test('mcts: virtual loss sends walks of one round to different children', async () => {
  const world = bandit()
  await search(world, { method: 'mcts', params: { simulations: 4, parallel: 4 } })
  // One expansion of the root, then all four arms in the same round.
  const second = world.requests.slice(4, 20).map(({ steps }) => steps[0])
  assert.deepEqual([...new Set(second)], ['arm 0', 'arm 1', 'arm 2', 'arm 3'])
})

test('mcts: a walk on its way counts as a visit of the parent, so the next one explores', async () => {
  let call = 0
  const world = createWalkWorld({
    text: ({ steps }) =>
      steps.length === 0
        ? { text: call++ === 0 ? 'good' : 'poor', ended: false }
        : { text: `${steps[0]}. The answer is 1.`, ended: true },
    score: step => (step === 'good' ? 0.9 : 0.35),
  })
  await search(world, { method: 'mcts', params: { simulations: 2, parallel: 2, width: 2 } })
  assert.deepEqual(
    world.requests.slice(2).map(({ steps }) => steps[0]),
    ['good', 'good', 'poor', 'poor'],
  )
})

test('mcts: critic priors sum to 1 and follow the scores; uniform ones are equal', async () => {
  const world = createWalkWorld({ errorRate: 0.6 })
  const { result } = await search(world, { method: 'mcts', params: { prior: 'critic', width: 8 } })
  const first = children(result.tree!, 0)
  assert.ok(first.length > 1)
  assert.ok(Math.abs(first.reduce((sum, { prior }) => sum + prior!, 0) - 1) < 1e-9)
  const byScore = [...first].sort((a, b) => b.score! - a.score!).map(({ index }) => index)
  const byPrior = [...first].sort((a, b) => b.prior! - a.prior!).map(({ index }) => index)
  assert.deepEqual(byPrior, byScore)
  const uniform = await search(createWalkWorld({ errorRate: 0.6 }), { method: 'mcts', params: { width: 8 } })
  for (const { prior } of children(uniform.result.tree!, 0)) assert.equal(prior, 1 / first.length)
})

test('mcts: priors follow how likely the LLM found the steps, and are equal where it does not tell', async () => {
  const logprobs: Record<string, number | null> = { a: Math.log(0.9), b: Math.log(0.2), c: null, d: 5 }
  const told = scripted((_, k) => ['a', 'b', 'a', 'c', 'd'][k] ?? 'z', {
    logprob: text => logprobs[text] ?? null,
  })
  const params = { simulations: 1, width: 5, max_steps: 2, prior_temperature: 1 }
  const { result } = await search(told, { method: 'mcts', params })
  const first = children(result.tree!, 0)
  assert.deepEqual(
    first.map(({ step }) => step),
    ['a', 'b', 'c', 'd'],
  )
  // Neither null nor a logarithm above 0 tells anything: the mean of the others stands in for both.
  const weights = [0.9, 0.2, 0.55, 0.55].map(Math.exp)
  const total = weights.reduce((sum, weight) => sum + weight, 0)
  for (const [i, { prior }] of first.entries()) assert.ok(Math.abs(prior! - weights[i]! / total) < 1e-9)
  assert.ok(told.requests.every(({ logprobs }) => logprobs === true))
  const silent = scripted((_, k) => ['a', 'b', 'c'][k] ?? 'z')
  const { result: equal } = await search(silent, { method: 'mcts', params: { ...params, width: 3 } })
  for (const { prior } of children(equal.tree!, 0)) assert.equal(prior, 1 / 3)
})

test('mcts: log-probabilities are not asked for where priors do without, nor for rollouts', async () => {
  for (const prior of ['uniform', 'critic', 'logprobs']) {
    const world = createWalkWorld()
    await search(world, { method: 'mcts', params: { prior, simulations: 2, rollout: 0.5 } })
    const asked = world.requests.filter(({ logprobs }) => logprobs).map(({ until }) => until)
    assert.deepEqual([...new Set(asked)], prior === 'logprobs' ? ['step'] : [])
  }
})

test('mcts: a critic that knows right from wrong makes a poor solver right', async () => {
  let right = 0
  for (let seed = 0; seed < 10; seed++) {
    const { result } = await search(createWalkWorld({ errorRate: 0.5 }), {
      method: 'mcts',
      seed,
      params: { width: 8 },
    })
    if (result.answer === truth(PROBLEM)) right += 1
  }
  assert.ok(right >= 9, `${right} of 10`)
})

test('mcts: visits add up, priors are set, and only open nodes were expanded', async () => {
  const request = fc.record({
    seed: fc.nat(),
    simulations: fc.integer({ min: 1, max: 12 }),
    width: fc.integer({ min: 1, max: 5 }),
    parallel: fc.integer({ min: 1, max: 5 }),
    max_steps: fc.integer({ min: 1, max: 6 }),
    errorRate: fc.double({ min: 0, max: 1, noNaN: true }),
    prior: fc.constantFrom('logprobs', 'uniform', 'critic'),
  })
  await fc.assert(
    fc.asyncProperty(request, async ({ seed, errorRate, ...params }) => {
      const world = createWalkWorld({ errorRate })
      const { result } = await search(world, { method: 'mcts', seed, params })
      const tree = result.tree!
      assert.equal(tree[0]!.visits, params.simulations)
      for (const [i, node] of tree.entries()) {
        const below = children(tree, i)
        const passedOn = below.reduce((sum, { visits }) => sum + visits, 0)
        assert.equal(below.length > 0, node.state === 'expanded')
        if (node.state === 'expanded') {
          assert.equal(node.visits, passedOn)
          const sum = below.reduce((sum, { value_sum }) => sum + value_sum, 0)
          assert.ok(Math.abs(node.value_sum - sum) < 1e-9)
        }
        assert.ok(node.value_sum >= 0 && node.value_sum <= node.visits + 1e-9)
        assert.equal(node.prior === null, i === 0)
        assert.ok(below.length <= params.width)
        assert.equal(new Set(below.map(({ step }) => step)).size, below.length)
      }
      const ends = tree.filter(({ state }) => state === 'ended' || state === 'cut').length
      assert.equal(result.candidates.length, ends)
      // Each node is expanded once, by `width` calls.
      assert.equal(
        world.requests.length,
        params.width * tree.filter(({ state }) => state === 'expanded').length,
      )
    }),
    { numRuns: 60 },
  )
})

test('mcts: an LLM that cannot continue is refused before any call', async () => {
  const world = createWalkWorld()
  await assert.rejects(search(world, { method: 'mcts', canContinue: false }), {
    name: 'SearchError',
    code: 'METHOD_UNSUPPORTED',
  })
  assert.equal(world.requests.length, 0)
})

test('mcts: an unscored tree is searched as if nothing were known, and its candidates stay unscored', async () => {
  const world = createWalkWorld({ errorRate: 0.5, blind: () => true })
  const { result } = await search(world, { method: 'mcts' })
  assert.ok(result.candidates.length > 0)
  assert.ok(result.candidates.every(({ score }) => score === null))
  assert.notEqual(result.answer, null)
  assert.equal(result.tree![0]!.value_sum, 0.5 * 16)
})

test('mcts: an unscored step is not taken for a wrong one', async () => {
  let call = 0
  const world = createWalkWorld({
    text: ({ steps }) =>
      steps.length === 0
        ? { text: call++ % 2 === 0 ? 'poor' : 'unscored', ended: false }
        : { text: `From ${steps[0]}. The answer is ${steps[0]}.`, ended: true },
    score: step => (step === 'unscored' ? null : step === 'poor' ? 0.1 : 0.9),
  })
  const { result } = await search(world, { method: 'mcts', params: { simulations: 8 } })
  const [poor, unscored] = children(result.tree!, 0)
  assert.ok(unscored!.visits > poor!.visits)
  assert.equal(result.answer, 'unscored')
})

test('mcts: a path that leads nowhere is buried and the search goes on elsewhere', async () => {
  let call = 0
  const world = createWalkWorld({
    text: ({ steps }) => {
      if (steps.length === 0) return { text: call++ % 2 === 0 ? 'trap' : 'way', ended: false }
      if (steps[0] === 'trap') return { text: '', ended: false }
      return { text: 'The answer is 1.', ended: true }
    },
    score: step => (step === 'trap' ? 0.99 : 0.5),
  })
  const { result, events } = await search(world, { method: 'mcts', params: { simulations: 4 } })
  const trap = children(result.tree!, 0)[0]!
  assert.equal(trap.state, 'dead')
  assert.equal(trap.visits, 0)
  assert.equal(result.answer, '1')
  assert.equal(result.tree![0]!.visits, 3)
  assert.equal(events.filter(event => event.type === 'prune' && event.reason === 'dead').length, 1)
  assert.equal(world.requests.filter(({ steps }) => steps[0] === 'trap').length, 4)
})

test('mcts: with its last child a node dies too', async () => {
  let call = 0
  const world = createWalkWorld({
    text: ({ steps }) => {
      if (steps.length === 0) return { text: call++ % 2 === 0 ? 'trap' : 'way', ended: false }
      if (steps[0] === 'trap') return { text: steps.length === 1 ? 'deeper' : '', ended: false }
      return { text: 'The answer is 1.', ended: true }
    },
    score: step => (step === 'way' ? 0.5 : 0.99),
  })
  const { result } = await search(world, { method: 'mcts', params: { simulations: 3 } })
  const dead = result.tree!.filter(({ state }) => state === 'dead').map(({ step }) => step)
  assert.deepEqual(dead, ['trap', 'deeper'])
  assert.equal(result.answer, '1')
})

test('mcts: when nothing leads anywhere the search ends without a candidate', async () => {
  const world = createWalkWorld({ text: () => ({ text: '', ended: false }) })
  const { result } = await search(world, { method: 'mcts' })
  assert.equal(result.chosen, null)
  assert.equal(result.tree![0]!.state, 'dead')
  assert.equal(world.requests.length, 4)
})

test('mcts: an empty text that ends is a leaf of its own, with the scores of its path', async () => {
  const world = createWalkWorld({
    text: ({ steps }) =>
      steps.length === 0 ? { text: 'The answer is 7.', ended: false } : { text: '', ended: true },
    score: () => 0.6,
  })
  const { result } = await search(world, { method: 'mcts', params: { simulations: 2 } })
  assert.equal(result.candidates.length, 1)
  assert.deepEqual(result.candidates[0]!.steps, ['The answer is 7.'])
  assert.deepEqual(result.candidates[0]!.scores, [0.6])
  assert.equal(result.candidates[0]!.ended, true)
  assert.ok(world.judged.every(path => path.length === 1))
})

test('mcts: calls that fail cost their children only; when all fail at the root their error is thrown', async () => {
  const some = createWalkWorld({ fails: (_, call) => (call % 3 === 0 ? new Error('down') : null) })
  const { result } = await search(some, { method: 'mcts', params: { simulations: 3 } })
  assert.ok(result.failed > 0)
  assert.ok(result.candidates.length > 0)
  const all = createWalkWorld({ fails: () => new Error('down') })
  await assert.rejects(search(all, { method: 'mcts' }), { message: 'down' })
})

test('mcts: a budget that ends before any solution leaves the main path as a partial candidate', async () => {
  const world = createWalkWorld()
  const { result } = await search(world, { method: 'mcts', budget: { maxCalls: 10 } })
  assert.equal(result.finish_reason, 'budget')
  assert.equal(result.candidates.length, 1)
  assert.equal(result.candidates[0]!.ended, false)
  assert.ok(result.steps.length >= 2)
  assert.equal(result.answer, null)
})

test('mcts: the answer can be chosen by best, weighted or majority', async () => {
  for (const select of ['best', 'weighted', 'majority']) {
    const { result } = await search(createWalkWorld(), { method: 'mcts', params: { select } })
    assert.equal(result.answer, truth(PROBLEM))
    assert.equal(result.candidates[0]!.votes === undefined, select === 'best')
  }
})

/** Two first steps; what follows the one that looks worse is right. A rollout sees that at once. */
const hidden = (more = {}) =>
  createWalkWorld({
    text: ({ steps, seed }) => {
      if (steps.length === 0) return { text: seed % 2 === 0 ? 'shiny' : 'plain', ended: false }
      const answer = steps[0] === 'shiny' ? 'bad. The answer is 1.' : 'good. The answer is 2.'
      return { text: answer, ended: true }
    },
    score: step => ({ shiny: 0.6, plain: 0.5, bad: 0.1, good: 0.9 })[step.match(/^\w+/)![0]]!,
    ...more,
  })

test('mcts: a rollout tells the better start before anything was visited', async () => {
  const firstEnd = async (rollout: number) => {
    const params = { simulations: 1, width: 8, aggregation: 'last', rollout }
    const { result } = await search(hidden(), { method: 'mcts', params })
    return result.answer
  }
  assert.equal(await firstEnd(0), '1')
  assert.equal(await firstEnd(0.5), '2')
})

test('mcts: rollouts are one greedy call to the end for each new open step, and no candidates', async () => {
  const world = hidden()
  const params = { simulations: 1, width: 8, rollout: 1, max_tokens: 77 }
  const { result } = await search(world, { method: 'mcts', params })
  const rollouts = world.requests.filter(({ until }) => until === 'end')
  assert.deepEqual(
    rollouts
      .map(({ steps, temperature, maxTokens }) => [steps.join(), temperature, maxTokens])
      .toSorted((a, b) => String(a).localeCompare(String(b))),
    [
      ['plain', 0, 77],
      ['shiny', 0, 77],
    ],
  )
  assert.ok(result.candidates.every(({ steps }) => result.tree!.some(({ step }) => step === steps.at(-1))))
  assert.equal(result.candidates.length, 1)
})

test('mcts: a rollout that fails leaves the value to the critic', async () => {
  const world = hidden({
    fails: ({ until }: { until: string }) => (until === 'end' ? new Error('down') : null),
  })
  const params = { simulations: 1, width: 8, aggregation: 'last', rollout: 1 }
  const { result } = await search(world, { method: 'mcts', params })
  assert.deepEqual([result.answer, result.failed], ['1', 2])
})
