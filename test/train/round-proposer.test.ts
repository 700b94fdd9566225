// The proposer: fresh problems of the difficulty where most is to be learned, traffic the critic doubts wrongly, right beginnings.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { createRng } from '../../src/train/rng.ts'
import type { Collected } from '../../src/train/round/collect.ts'
import type { TrafficSolution } from '../../src/train/round/outcomes.ts'
import type { Judge } from '../../src/train/round/play.ts'
import {
  difficultiesOf,
  difficultyChances,
  proposeProblems,
  recordDifficulties,
} from '../../src/train/round/proposer.ts'

test('the difficulty at which the critic is fooled half of the time is proposed most, none is left out', () => {
  const chances = difficultyChances({
    1: { games: 100, won: 1 },
    2: { games: 100, won: 15 },
    3: { games: 100, won: 50 },
    4: { games: 100, won: 97 },
    5: { games: 100, won: 100 },
  })
  assert.equal(Math.max(...chances), chances[2])
  assert.ok(chances[1]! > chances[0]! && chances[3]! > chances[4]!)
  const meeting = fc.nat(50).chain(games => fc.record({ games: fc.constant(games), won: fc.nat(games) }))
  fc.assert(
    fc.property(fc.array(meeting, { minLength: 5, maxLength: 5 }), ([a, b, c, d, e]) => {
      const all = difficultyChances({ 1: a!, 2: b!, 3: c!, 4: d!, 5: e! })
      assert.ok(Math.abs(all.reduce((sum, p) => sum + p, 0) - 1) < 1e-9)
      assert.ok(all.every(p => p >= 0.05))
    }),
  )
})

const solution = (problem: string, steps: string[], right: boolean, labels: (0 | 1)[] | null = null) =>
  ({
    problem,
    steps,
    answer: null,
    outcome: { right, by: 'feedback' },
    stepLabels: labels,
  }) satisfies TrafficSolution

/** Forty problems of each kind: the critic is sure, it doubts a right step, the solver is divided. */
const collected: Collected = {
  train: Array.from({ length: 40 }, (_, i) => [
    { problem: `sure ${i}`, solutions: [solution(`sure ${i}`, ['fine'], true)] },
    { problem: `doubted ${i}`, solutions: [solution(`doubted ${i}`, ['odd'], true)] },
    {
      problem: `divided ${i}`,
      solutions: [
        solution(`divided ${i}`, ['fine'], true),
        solution(`divided ${i}`, ['begins', 'goes wrong', 'ends'], false, [1, 0, 0]),
        solution(`divided ${i}`, ['wrong at once'], false, [0]),
      ],
    },
  ]).flat(),
  open: [],
  heldBack: [],
  replay: [],
  slice: [],
  generated: [],
  generatedHeldOut: [],
}
const critic: Judge = {
  judge: async items =>
    items.map(({ steps }) => ({
      steps: steps.map(step => ({ score: step === 'odd' ? 0.1 : 0.9, evidence: [] })),
      tokens: 0,
    })),
}

const proposal = proposeProblems(collected, {}, critic, 0.5, createRng(1))

test('traffic that the critic doubts or that its solver is divided on comes up more often than what both are sure of', async () => {
  const met = { sure: 0, doubted: 0, divided: 0 }
  const { sources } = await proposal
  for (const { problem } of sources[1]!) met[(problem as string).split(' ')[0] as keyof typeof met]++
  assert.ok(met.doubted > 3 * met.sure && met.divided > 3 * met.sure, JSON.stringify(met))
  assert.ok(met.sure > 0)
})

test('the right beginning of a solution that went wrong is played on, a wrong first step leaves none', async () => {
  const { sources, figures } = await proposal
  assert.equal(sources[2]!.length, 40)
  assert.ok(sources[2]!.every(({ steps }) => steps.join() === 'begins'))
  assert.equal(figures['beginnings'], 40)
})

test('duels are counted by difficulty, and old ones fade', async () => {
  const { sources } = await proposal
  const fresh = sources[0]!.flatMap(({ problem }) => (typeof problem === 'string' ? [] : [problem]))
  const difficultyOf = difficultiesOf(sources)
  const one = fresh.find(({ difficulty }) => difficulty === 3)!
  assert.equal(difficultyOf(one.problem), 3)
  assert.equal(difficultyOf('traffic'), null)
  const duel = (problem: string, fooled: boolean) => ({
    problem,
    steps: [],
    spoiled: { steps: [], wrong_index: 0, operator: 'sign', provably_wrong: true, why: '' },
    fooled,
    falseAlarm: false,
    ordered: 1,
  })
  const record = recordDifficulties(
    { 3: { games: 8, won: 8 } },
    [duel(one.problem, false), duel(one.problem, true), duel('traffic', true)],
    difficultyOf,
  )
  assert.deepEqual(record[3], { games: 6, won: 5 })
})
