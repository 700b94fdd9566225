// A round's outcomes: traffic and replay become groups, votes are trusted less, and nothing new means nothing changes.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { featureInputs } from '../../src/critic/features.ts'
import type { LabelledTraffic } from '../../src/store/types.ts'
import type { Example } from '../../src/train/data/example.ts'
import { featuresOf } from '../../src/train/data/units.ts'
import { OUTCOME_WEIGHTS, type Weights, weightShapes } from '../../src/train/model/config.ts'
import { endingShare } from '../../src/train/model/feature-logit.ts'
import { createRng } from '../../src/train/rng.ts'
import { learnOutcomes, NO_OUTCOMES, outcomeGroups } from '../../src/train/round/outcome-groups.ts'
import { readOutcomes } from '../../src/train/round/outcomes.ts'
import { PRIOR_WEIGHTS } from '../../src/train/round/sources.ts'
import { TINY_MODEL } from '../fakes/tiny-critic.ts'
import { aCandidate, logged } from './round-world.ts'

/** Wrong solutions end on a fraction, right ones do not. */
const solution = (i: number, isRight: boolean): Example => ({
  problem: `Problem ${i}: 12 apples and ${i} pears, how many?`,
  steps: [`First, 12 + ${i} = ${12 + i}.`, `Therefore, ${12 + i}${isRight ? '' : '.5'}`],
  labels: [null, null],
  source: 'outcome',
  imitate: false,
  outcome: isRight ? 1 : 0,
})

const emptyWeights = (): Weights =>
  Object.fromEntries(
    Object.entries(weightShapes(TINY_MODEL)).map(([name, [rows = 1, columns = 1]]) => [
      name,
      new Float32Array(rows * columns),
    ]),
  )

test('groups are problems with right and wrong solutions; votes weigh what they are trusted, replay a fifth of the traffic', () => {
  const told = [true, false, false].map((right, k) =>
    logged(`t${k}`, 'Told?', [aCandidate(String(k))], [{ at: 1, answer_correct: right }]),
  )
  const voted = ['7', '7', '7', '8'].map((answer, k) =>
    logged(`v${k}`, 'Voted?', [aCandidate(answer, `Way ${k}: ${answer}.`)]),
  )
  const alike = [logged('a', 'Alike?', [aCandidate('1')], [{ at: 1, answer_correct: true }])]
  const replay = [0, 1].flatMap(i => [solution(i, true), solution(i, false)])
  const train = readOutcomes([...told, ...voted, ...alike])
  const { groups, counts } = outcomeGroups(
    { train, replay },
    { ...PRIOR_WEIGHTS, agreement: 0.5 },
    createRng(1),
  )
  assert.deepEqual(counts, { given: 1, taught: 0, voted: 1, replayed: 2 })
  assert.deepEqual(
    groups.map(({ right, wrong, weight }) => [right.length, wrong.length, weight.toFixed(3)]),
    [
      [1, 2, '1.000'],
      [3, 1, '0.500'],
      [1, 1, '0.150'],
      [1, 1, '0.150'],
    ],
  )
  assert.equal(
    outcomeGroups({ train, replay }, { ...PRIOR_WEIGHTS, agreement: 0 }, createRng(1)).groups.length,
    3,
    'votes that are not trusted say nothing',
  )
  assert.deepEqual(
    outcomeGroups({ train: [], replay }, PRIOR_WEIGHTS, createRng(1)).groups,
    [],
    'replay alone changes nothing',
  )
})

test('a fit to votes or to a teacher’s order stays nearer to what was known than one to outcomes', () => {
  const weights = emptyWeights()
  const groups = Array.from({ length: 30 }, (_, i) => ({
    right: [solution(i, true)],
    wrong: [solution(i, false)],
    weight: 1,
  }))
  const moved = (by: 'given' | 'taught' | 'voted') => {
    const counts = { given: 0, taught: 0, voted: 0, replayed: 0, [by]: 30 }
    const { weights: learned, figures } = learnOutcomes(weights, { groups, whole: [], counts }, createRng(1))
    assert.equal(figures['problems'], 30)
    return Math.hypot(...learned[OUTCOME_WEIGHTS]!)
  }
  assert.ok(moved('voted') > 0)
  assert.equal(moved('taught'), moved('voted'))
  assert.ok(moved('voted') < moved('given') / 2, `${moved('voted')} and ${moved('given')}`)
})

test('votes without weight do not hold back what feedback teaches', () => {
  const ending = (i: number, isRight: boolean) => solution(i, isRight).steps.slice(-1)
  const told = Array.from({ length: 30 }, (_, i) =>
    [true, false].map(isRight => {
      const candidate = { steps: ending(i, isRight), scores: [0.5], answer: `${isRight}` }
      return logged(`t${i}${isRight}`, `Told ${i}?`, [candidate], [{ at: 1, answer_correct: isRight }])
    }),
  ).flat()
  const voted = Array.from({ length: 40 }, (_, i) =>
    ['7', '7', '7', '8'].map((answer, k) =>
      logged(`v${i}-${k}`, `Voted ${i}?`, [aCandidate(answer, `Way ${k}: ${answer}.`)]),
    ),
  ).flat()
  const learned = (traffic: LabelledTraffic[], votes: number) => {
    const outcomes = outcomeGroups(
      { train: readOutcomes(traffic), replay: [] },
      { ...PRIOR_WEIGHTS, agreement: votes },
      createRng(1),
    )
    return learnOutcomes(emptyWeights(), outcomes, createRng(2))
  }
  const { figures, weights } = learned(told, 0.5)
  assert.ok(Number(figures['ridge']) < 3, `${figures['ridge']}`)
  assert.deepEqual(learned([...told, ...voted], 0), { figures, weights })
  assert.ok(Number(learned([...told, ...voted], 0.5).figures['ridge']) >= 3)
})

test("how a client's solutions end is learned from enough of its problems, and from too few nothing", () => {
  const ways = (i: number, isRight = true) => {
    const total = isRight ? 12 + i : 0
    return [`So we add 12 and ${i}, which is ${total}.`, `So ${total} is what she has.`]
  }
  const traffic = (problems: number) =>
    readOutcomes(
      Array.from({ length: problems }, (_, i) =>
        [true, false].map((isRight, k) =>
          logged(
            `${i}-${k}`,
            `Ann has 12 apples and buys ${i}. How many apples has she?`,
            [{ steps: ways(i, isRight), scores: [null, null], answer: isRight ? String(12 + i) : '0' }],
            [{ at: 1, answer_correct: isRight }],
          ),
        ),
      ).flat(),
    )
  const learned = (problems: number) => {
    const weights = emptyWeights()
    return learnOutcomes(
      weights,
      outcomeGroups({ train: traffic(problems), replay: [] }, PRIOR_WEIGHTS, createRng(1)),
      createRng(2),
    ).weights
  }
  const shares = (weights: Weights) =>
    featuresOf({
      ...solution(7, true),
      problem: 'Ann has 12 apples and buys 7. How many apples has she?',
      steps: ways(7),
    })
      .map(featureInputs)
      .map(inputs => endingShare(weights, inputs))
  const [middle = 1, last = 0] = shares(learned(30))
  assert.ok(middle < 0.2 && last > 0.8, `${middle} and ${last}`)
  assert.deepEqual(shares(learned(29)), shares(emptyWeights()))
})

test('without anything new the outcome path stays', () => {
  const weights = { [OUTCOME_WEIGHTS]: Float32Array.of(1, 2) }
  const { weights: after, figures } = learnOutcomes(weights, NO_OUTCOMES, createRng(1))
  assert.deepEqual(after, weights)
  assert.deepEqual(figures, { problems: 0, whole_solutions: 0, ridge: 'none' })
})
