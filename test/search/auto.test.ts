// Auto: what it takes for easy, medium and hard, and where it stops. And the early stop of the votes.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import type { ProposeRequest } from '../../src/search/types.ts'
import { createWalkWorld, PROBLEM, search, truth } from './world.ts'

interface Sample {
  readonly answer: string | null
  readonly score: number | null
}

/** Sample number i is samples[i], the last one again and again; a step-wise search finds `found` at once. */
function sampled(samples: readonly Sample[], found = '5') {
  let next = 0
  return createWalkWorld({
    text: ({ until }: ProposeRequest) => {
      if (until === 'step') return { text: `Found @0.9. The answer is ${found}.`, ended: true }
      const i = next++
      const { answer, score } = samples[Math.min(i, samples.length - 1)]!
      const words = answer === null ? 'No idea' : `The answer is ${answer}.`
      return { text: `Sample ${i} @${score}. ${words}`, ended: true }
    },
    score: step => {
      const score = step.match(/@(\S+)\. /)?.[1]
      return score === undefined || score === 'null' ? null : Number(score)
    },
  })
}

const list = (...samples: [answer: string | null, score: number | null][]): Sample[] =>
  samples.map(([answer, score]) => ({ answer, score }))

const CASES: [
  name: string,
  samples: Sample[],
  want: { whole: number; steps: number; answer: string | null },
][] = [
  [
    'easy: all agree and the critic accepts one',
    list(['1', 0.1], ['1', 0.8], ['1', 0.2], ['1', 0.2]),
    { whole: 4, steps: 0, answer: '1' },
  ],
  ['easy: all agree and the critic is blind', list(['1', null]), { whole: 4, steps: 0, answer: '1' }],
  ['medium: all agree, but the critic accepts none', list(['1', 0.4]), { whole: 12, steps: 0, answer: '1' }],
  [
    'medium: most agree and the critic accepts one',
    list(['1', 0.9], ['2', 0.1], ['1', 0.9]),
    { whole: 9, steps: 0, answer: '1' },
  ],
  [
    'medium: the critic is blind, though none agree',
    list(['1', null], ['2', null], ['3', null], ['4', null]),
    { whole: 16, steps: 0, answer: '4' },
  ],
  [
    'hard: no two agree, though the critic accepts some',
    list(['1', 0.6], ['2', 0.1], ['3', 0.1], ['4', 0.1]),
    { whole: 4, steps: 16, answer: '5' },
  ],
  [
    'hard: some agree, but the critic accepts none',
    list(['1', 0.2], ['1', 0.2], ['3', 0.2], ['4', 0.2]),
    { whole: 4, steps: 16, answer: '5' },
  ],
  ['hard: no answer at all', list([null, 0.4]), { whole: 4, steps: 16, answer: '5' }],
]

for (const [name, samples, want] of CASES) {
  test(`auto: ${name}`, async () => {
    const world = sampled(samples)
    const { result } = await search(world, { method: 'auto', params: { n: 16 } })
    const whole = world.requests.filter(({ until }) => until === 'end').length
    const steps = world.requests.length - whole
    assert.deepEqual({ whole, steps, answer: result.answer }, want)
    assert.equal(result.finish_reason, 'complete')
    assert.equal(result.tree !== undefined, steps > 0)
  })
}

test('auto: hard with an LLM that cannot continue samples on', async () => {
  const world = sampled(list(['1', 0.2], ['2', 0.2], ['3', 0.2], ['4', 0.2], ['2', 0.2]))
  const { result } = await search(world, { method: 'auto', canContinue: false, params: { n: 12 } })
  // Eight of .2 against one and one to come: 1.6 > 1.2.
  assert.equal(world.requests.length, 11)
  assert.ok(world.requests.every(({ until }) => until === 'end'))
  assert.equal(result.answer, '2')
})

test('auto: the samples and what the beam search found vote together', async () => {
  const world = sampled(list(['1', 0.3], ['1', 0.3], ['1', 0.3], ['2', 0.3]), '2')
  const { result, events } = await search(world, { method: 'auto' })
  assert.deepEqual(
    result.candidates.map(({ answer, votes }) => [answer, Number(votes!.toFixed(6))]),
    [
      ['1', 0.9],
      ['1', 0.9],
      ['1', 0.9],
      ['2', 1.2],
      ['2', 1.2],
    ],
  )
  assert.equal(result.answer, '2')
  const told = events.flatMap(event => (event.type === 'candidate' ? [event.branch] : []))
  // Samples 0 to 3, then node 1 of the tree behind them.
  assert.deepEqual(told, [0, 1, 2, 3, 5])
})

test('auto: spends little on what is easy and more on what is hard, and is right on both', async () => {
  const run = async (errorRate: number) => {
    let [right, calls] = [0, 0]
    for (let seed = 0; seed < 20; seed++) {
      const world = createWalkWorld({ errorRate })
      const { result } = await search(world, { method: 'auto', seed })
      if (result.answer === truth(PROBLEM)) right += 1
      calls += world.requests.length / 20
    }
    return { right, calls }
  }
  const [easy, hard] = [await run(0.02), await run(0.45)]
  assert.ok(easy.right === 20 && easy.calls < 5, JSON.stringify(easy))
  assert.ok(hard.right >= 18 && hard.calls > 10, JSON.stringify(hard))
})

for (const method of ['self_consistency', 'weighted_best_of_n'] as const) {
  test(`${method}: an early stop spares calls and never changes the answer`, async () => {
    let spared = 0
    const request = fc.record({
      seed: fc.nat(),
      n: fc.integer({ min: 1, max: 16 }),
      errorRate: fc.double({ min: 0, max: 0.6, noNaN: true }),
    })
    await fc.assert(
      fc.asyncProperty(request, async ({ seed, n, errorRate }) => {
        const run = async (early_stop: boolean) => {
          const world = createWalkWorld({ errorRate })
          return (await search(world, { method, seed, params: { n, early_stop, aggregation: 'mean' } }))
            .result
        }
        const [all, some] = [await run(false), await run(true)]
        assert.equal(some.answer, all.answer)
        assert.equal(some.finish_reason, 'complete')
        assert.equal(all.candidates.length, n)
        assert.deepEqual(
          some.candidates.map(({ solution }) => solution),
          all.candidates.slice(0, some.candidates.length).map(({ solution }) => solution),
        )
        spared += n - some.candidates.length
      }),
      { numRuns: 60 },
    )
    assert.ok(spared > 40, `${spared} calls spared`)
  })
}

test('self_consistency: an early stop draws exactly what asking after each sample would', async () => {
  const world = sampled(list(['1', 0.5], ['2', 0.5], ['1', 0.5]))
  await search(world, { method: 'self_consistency', params: { n: 8, early_stop: true } })
  // 1 2 1 1 1: four against one and three to come is a tie at worst; the sixth decides.
  assert.equal(world.requests.length, 6)
})

test('self_consistency: samples that fail bring the decision no closer, and are not drawn again', async () => {
  const world = createWalkWorld({ errorRate: 0, fails: (_, call) => (call < 3 ? new Error('down') : null) })
  const { result } = await search(world, { method: 'self_consistency', params: { n: 8, early_stop: true } })
  // Five at first, of which two come; with three to come it takes one more.
  assert.equal(world.requests.length, 6)
  assert.deepEqual([result.candidates.length, result.failed], [3, 3])
})
