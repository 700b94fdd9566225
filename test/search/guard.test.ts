// The guard, step by step and by whole solutions.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { ProposeRequest } from '../../src/search/types.ts'
import { createWalkWorld, PROBLEM, search, truth, type WalkOptions } from './world.ts'

/** A world where try number i at each step says `Try i.` with scores[i], until `length` steps stand. */
function tries(scores: (number | null)[], length = 1, more: WalkOptions = {}) {
  const counts = new Map<string, number>()
  return createWalkWorld({
    text: ({ steps }: ProposeRequest) => {
      const key = steps.join('|')
      const i = counts.get(key) ?? 0
      counts.set(key, i + 1)
      const last = steps.length + 1 === length
      return { text: last ? `Try ${i}. The answer is ${i}.` : `Try ${i} at ${steps.length}.`, ended: last }
    },
    score: step => scores[Number(step.match(/Try (\d+)/)![1])] ?? null,
    ...more,
  })
}

const one = { method: 'guard', params: { runs: 1 } } as const

const RULE: [string, (number | null)[], { accepted: string; calls: number }][] = [
  ['a step at the threshold is accepted at once', [0.5], { accepted: '0', calls: 1 }],
  ['a step below it is sampled again', [0.49, 0.8], { accepted: '1', calls: 2 }],
  [
    'five regenerations, the sixth try may still pass',
    [0.1, 0.2, 0.3, 0.2, 0.1, 0.9],
    { accepted: '5', calls: 6 },
  ],
  [
    'then the highest score is taken, not the last',
    [0.1, 0.2, 0.4, 0.2, 0.1, 0.3, 0.9],
    { accepted: '2', calls: 6 },
  ],
  ['the first of equals', [0.4, 0.4, 0.4, 0.4, 0.4, 0.4], { accepted: '0', calls: 6 }],
  ['an unscored try is not accepted on the spot', [null, 0.7], { accepted: '1', calls: 2 }],
  ['a scored try comes before an unscored one', [null, 0.1, 0.2, 0.1, 0.1, 0.1], { accepted: '2', calls: 6 }],
  ['two tries without a score end the trying', [null, null, 0.9], { accepted: '0', calls: 2 }],
  ['also with scored tries among them', [null, 0.1, null, 0.9], { accepted: '1', calls: 3 }],
]

for (const [name, scores, want] of RULE) {
  test(`guard: ${name}`, async () => {
    const world = tries(scores)
    const { result } = await search(world, one)
    assert.deepEqual({ accepted: result.answer, calls: world.requests.length }, want)
  })
  test(`guard on whole solutions: ${name}`, async () => {
    const world = tries(scores)
    const { result } = await search(world, { ...one, canContinue: false })
    assert.deepEqual({ accepted: result.answer, calls: world.requests.length }, want)
    assert.ok(world.requests.every(({ until, steps }) => until === 'end' && steps.length === 0))
  })
}

test('guard: tries start anew at every step', async () => {
  const world = tries([0.1, 0.2, 0.9], 3)
  const { result } = await search(world, one)
  assert.equal(world.requests.length, 9)
  assert.deepEqual(result.steps, ['Try 2 at 0.', 'Try 2 at 1.', 'Try 2. The answer is 2.'])
  assert.deepEqual(result.candidates[0]!.scores, [0.9, 0.9, 0.9])
  assert.deepEqual(
    world.requests.map(({ steps }) => steps.length),
    [0, 0, 0, 1, 1, 1, 2, 2, 2],
  )
})

test('guard: regenerations: 0 accepts whatever comes', async () => {
  const world = tries([0.1], 2)
  await search(world, { method: 'guard', params: { runs: 1, regenerations: 0 } })
  assert.equal(world.requests.length, 2)
})

test('guard: a repeated text counts as a try but is judged once', async () => {
  const world = createWalkWorld({
    text: () => ({ text: 'Same. The answer is 1.', ended: true }),
    score: () => 0.1,
  })
  const { result, events } = await search(world, one)
  assert.equal(world.requests.length, 6)
  assert.equal(world.judged.length, 1)
  assert.equal(events.filter(event => event.type === 'prune' && event.reason === 'duplicate').length, 5)
  assert.equal(result.tree![1]!.visits, 6)
})

test('guard: at temperature 0 only the first try is greedy', async () => {
  const world = tries([0.1, 0.9])
  await search(world, { method: 'guard', params: { runs: 1, temperature: 0 } })
  assert.deepEqual(
    world.requests.map(({ temperature }) => temperature),
    [0, 0.8],
  )
})

test('guard: an empty text that ends makes the steps so far the solution', async () => {
  const world = createWalkWorld({
    text: ({ steps }) =>
      steps.length === 2 ? { text: '\n\n', ended: true } : { text: `S${steps.length}`, ended: false },
    score: () => 0.9,
  })
  const { result } = await search(world, one)
  assert.deepEqual(result.steps, ['S0', 'S1'])
  assert.equal(result.candidates[0]!.ended, true)
  assert.equal(result.tree!.at(-1)!.state, 'ended')
})

test('guard: empty texts that do not end use up the tries', async () => {
  const world = createWalkWorld({ text: () => ({ text: ' ', ended: false }) })
  const { result } = await search(world, one)
  assert.equal(world.requests.length, 6)
  assert.equal(result.chosen, null)
  assert.equal(result.solution, null)
})

test('guard: blank lines around a step go, its indentation stays', async () => {
  const world = createWalkWorld({
    text: () => ({ text: '\n \n  indented\nline  \n', ended: true }),
    score: () => 0.9,
  })
  const { result } = await search(world, one)
  assert.deepEqual(result.steps, ['  indented\nline'])
})

test('guard: the limit of steps cuts a solution that never ends', async () => {
  const world = createWalkWorld({
    text: ({ steps }) => ({ text: `S${steps.length}`, ended: false }),
    score: () => 0.9,
  })
  const { result } = await search(world, { method: 'guard', params: { runs: 1, max_steps: 4 } })
  assert.equal(result.steps.length, 4)
  assert.equal(result.candidates[0]!.ended, false)
  assert.equal(result.tree!.at(-1)!.state, 'cut')
})

test('guard: runs vote, and each is a candidate', async () => {
  const world = createWalkWorld({ errorRate: 0.5 })
  const { result } = await search(world, { method: 'guard', params: { runs: 8, regenerations: 0 } })
  assert.equal(result.candidates.length, 8)
  const sizes = new Map<string | null, number>()
  for (const { answer } of result.candidates) sizes.set(answer, (sizes.get(answer) ?? 0) + 1)
  for (const { answer, votes } of result.candidates) assert.equal(votes, sizes.get(answer))
  assert.equal(sizes.get(result.answer), Math.max(...sizes.values()))
})

test('guard: a critic that knows right from wrong makes a poor solver right', async () => {
  const score = async (regenerations: number) => {
    let right = 0
    for (let seed = 0; seed < 20; seed++) {
      const world = createWalkWorld({ errorRate: 0.4 })
      const { result } = await search(world, { method: 'guard', seed, params: { runs: 1, regenerations } })
      if (result.answer === truth(PROBLEM)) right += 1
    }
    return right
  }
  assert.ok((await score(5)) >= 19)
  assert.ok((await score(0)) <= 10)
})

test('guard: a failed call leaves the best try, and a run without one ends where it stands', async () => {
  const failing = tries([0.1, 0.2], 3, {
    fails: (_, call) => (call === 2 || call === 4 ? new Error('down') : null),
  })
  const { result } = await search(failing, one)
  // Try 1 at step 0 is taken after call 2 fails; at step 1, try 0 is taken after call 4 fails.
  assert.equal(result.steps[0], 'Try 1 at 0.')
  assert.equal(result.steps[1], 'Try 0 at 1.')
  assert.equal(result.failed, 2)
  const early = tries([0.9], 3, { fails: (_, call) => (call === 2 ? new Error('down') : null) })
  const partial = (await search(early, one)).result
  assert.equal(partial.steps.length, 2)
  assert.equal(partial.candidates[0]!.ended, false)
  const dead = tries([0.9], 3, { fails: () => new Error('down') })
  await assert.rejects(search(dead, { method: 'guard' }), { message: 'down' })
})

test('guard: the tree holds accepted and rejected steps, and no rejected step has a child', async () => {
  const world = createWalkWorld({ errorRate: 0.5 })
  const { result } = await search(world, { method: 'guard', params: { runs: 3 } })
  const tree = result.tree!
  const rejected = tree.flatMap(({ state }, i) => (state === 'rejected' ? [i] : []))
  assert.ok(rejected.length > 0)
  assert.ok(tree.every(({ parent }) => !rejected.includes(parent)))
  assert.ok(tree.slice(1).every(({ parent, depth }, i) => parent <= i && tree[parent]!.depth === depth - 1))
  assert.equal(tree.filter(({ state }) => state === 'ended').length, 3)
})

test('guard on whole solutions: a solution that was cut off is refused though every step passes', async () => {
  let call = 0
  const world = createWalkWorld({
    text: () =>
      call++ === 0 ? { text: 'Half way', ended: false } : { text: 'The answer is 1.', ended: true },
    score: () => 0.9,
  })
  const { result } = await search(world, { ...one, canContinue: false })
  assert.equal(result.answer, '1')
  assert.equal(world.requests.length, 2)
})

test('guard on whole solutions: one bad step refuses, and the prune names it', async () => {
  let call = 0
  const world = createWalkWorld({
    text: () => ({
      text: `${call === 0 ? 'good\n\nbad' : 'good\n\ngood'}\n\nThe answer is ${call++}.`,
      ended: true,
    }),
    score: step => (step === 'bad' ? 0.2 : 0.9),
  })
  const { result, events } = await search(world, { ...one, canContinue: false })
  assert.equal(result.answer, '1')
  assert.deepEqual(
    events.filter(({ type }) => type === 'prune'),
    [{ type: 'prune', branch: 0, index: 1, reason: 'rejected' }],
  )
  assert.deepEqual(
    result.tree!.map(({ state }) => state),
    ['expanded', 'expanded', 'rejected', 'rejected', 'expanded', 'expanded', 'ended'],
  )
})
