// What a round works with: traffic is split by problem for good, nothing measured on is trained on, replay grows by traffic.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import type { Feedback } from '../../src/store/types.ts'
import type { Example, Source } from '../../src/train/data/example.ts'
import { createRng } from '../../src/train/rng.ts'
import type { Ablations } from '../../src/train/round/ablation.ts'
import { collect, isGateProblem } from '../../src/train/round/collect.ts'
import { lessonFigures, prepareLessons } from '../../src/train/round/lessons.ts'
import { readOutcomes, solutionKey } from '../../src/train/round/outcomes.ts'
import { nextReplay, replayPairs } from '../../src/train/round/replay.ts'
import { trafficYardstick } from '../../src/train/round/yardsticks.ts'
import { tempFolder, tinyTokenizer, writeTinyCritic } from '../fakes/tiny-critic.ts'
import { aCandidate, feedbackTraffic, labelledExamples, logged, writeRoundCritic } from './round-world.ts'

const folder = tempFolder()
before(() => writeRoundCritic(folder.path))
after(() => folder.remove())

const rng = () => createRng(1)

test('one traffic problem in five is held back, whole and for good', () => {
  const traffic = feedbackTraffic(100)
  const { train, heldBack } = collect(traffic, folder.path, rng())
  assert.ok(heldBack.length >= 8 && heldBack.length <= 35, `${heldBack.length} of 100`)
  assert.equal(train.length + heldBack.length, 100)
  assert.ok(heldBack.every(p => isGateProblem(p.problem) && p.solutions.length === 2))
  assert.ok(train.every(p => !isGateProblem(p.problem)))
  assert.ok(isGateProblem(`  ${heldBack[0]!.problem}\n`))
})

test('a problem of the slice is never trained on, whoever sends it', () => {
  const [example] = labelledExamples('slice', 16, 'heldout').filter(e => !isGateProblem(e.problem))
  const sent = logged(
    'req',
    example!.problem,
    [aCandidate('1'), aCandidate('2')],
    [{ at: 1, answer_correct: true }],
  )
  const { train, heldBack } = collect([sent], folder.path, rng())
  assert.deepEqual([train.length, heldBack.length], [0, 1])
})

test('solutions of which nothing is known are left out', () => {
  const { train, heldBack } = collect(
    ['a?', 'b?', 'c?'].map(p => logged(p, p, [aCandidate('7')])),
    folder.path,
    rng(),
  )
  assert.deepEqual([train, heldBack], [[], []])
})

test('a solution that somebody spoke of is not pushed out by newer ones of its problem', () => {
  const problem = ['a?', 'b?', 'c?', 'd?', 'e?', 'f?'].find(text => !isGateProblem(text))!
  const newer = Array.from({ length: 80 }, (_, i) =>
    logged(`n${i}`, problem, [{ ...aCandidate('7', `Way ${i}.`), answer: null }]),
  )
  const told = logged('told', problem, [aCandidate('8')], [{ at: 1, answer_correct: true }])
  const { open, train } = collect([...newer, told], folder.path, rng())
  assert.equal(open[0]!.solutions.length, 64)
  assert.deepEqual(train[0]!.solutions, [open[0]!.solutions[0]])
  assert.equal(open[0]!.solutions[0]!.outcome?.by, 'feedback')
})

test('a replayed solution that is in the traffic is learned once', () => {
  const all = collect([], folder.path, rng()).replay
  const known = all.find(e => !isGateProblem(e.problem))!
  const candidate = { steps: known.steps, scores: [], answer: null }
  const sent = logged('req', known.problem, [candidate], [{ at: 1, answer_correct: true }])
  const { replay } = collect([sent], folder.path, rng())
  assert.equal(replay.length, all.length - 1)
})

test('a critic without a slice cannot be improved on', async () => {
  const bare = tempFolder()
  try {
    await writeTinyCritic(bare.path)
    assert.throws(() => collect([], bare.path, rng()), { code: 'CRITIC_INVALID', message: /slice/ })
  } finally {
    bare.remove()
  }
})

test('fresh generated problems keep to their sides and follow the seed', () => {
  const [one, two] = [collect([], folder.path, rng()), collect([], folder.path, rng())]
  assert.deepEqual(one.generated, two.generated)
  const held = new Set(one.generatedHeldOut.map(p => p.problem))
  assert.ok(one.generated.every(p => !held.has(p.problem)))
})

const answers = (n: number, ...of: string[]) =>
  Array.from({ length: n }, (_, i) =>
    of.map((answer, k) =>
      logged(
        `${i}/${k}`,
        `Problem ${i}?`,
        [aCandidate(answer, `Way ${k}: ${answer}.`)],
        k === 0 ? [{ at: 1, answer_correct: true }] : [],
      ),
    ),
  ).flat()

test('outcomes are grouped by problem for the outcome path, those by the majority at less weight, and counted; no other path compares them', () => {
  const agreeing = ['7', '7', '7', '8'].map((answer, k) =>
    logged(`m${k}`, 'Majority?', [aCandidate(answer, `Way ${k}: ${answer}.`)]),
  )
  const train = readOutcomes([...answers(1, '7', '8', '8', '8'), ...agreeing])
  const { pools, features, outcomes } = prepareLessons(tinyTokenizer, 512, { train, replay: [] }, [], rng())
  assert.deepEqual(lessonFigures({ pools, outcomes }), {
    outcomes: { given: 1, taught: 0, voted: 1, replayed: 0 },
  })
  const [told, voted] = outcomes.groups
  assert.deepEqual([told!.right.length, told!.wrong.length, told!.weight], [1, 3, 1])
  assert.deepEqual([voted!.right.length, voted!.wrong.length], [3, 1])
  assert.ok(voted!.weight < 1)
  assert.deepEqual([pools, features], [[], []])
})

test('a round without replay gives none to the outcome path either', () => {
  const train = readOutcomes(answers(30, '7', '8'))
  const replay = labelledExamples('replay', 3, 'train').map(example => ({
    ...example,
    outcome: example.labels.includes(0) ? (0 as const) : (1 as const),
  }))
  const learned = (without: Ablations) =>
    prepareLessons(tinyTokenizer, 512, { train, replay }, [], rng(), { without })
  const isReplayed = ({ problem }: { problem: string }) => replay.some(one => one.problem === problem)
  const { outcomes } = learned(new Set())
  assert.ok(outcomes.groups.some(({ right }) => isReplayed(right[0]!)))
  const { outcomes: fresh, pools } = learned(new Set(['no-replay']))
  assert.equal(fresh.groups.length, 30)
  assert.ok(
    ![...fresh.groups.flatMap(({ right, wrong }) => [...right, ...wrong]), ...fresh.whole].some(isReplayed),
  )
  assert.deepEqual(pools, [])
})

test('of solutions too long for a row the outcome path learns their outcomes, the feature path their labelled steps alone', () => {
  const long = Array.from({ length: 40 }, (_, i) => `Then ${i} + ${i} = ${2 * i} more clips are added.`)
  const replay = labelledExamples('replay', 3, 'train')
  const lessons = (labels: Partial<Feedback>) => {
    const traffic = [
      logged(
        'right',
        'How many clips?',
        [{ ...aCandidate('7'), steps: long }],
        [{ at: 0, answer_correct: true, ...labels }],
      ),
      logged('wrong', 'How many clips?', [aCandidate('8')], [{ at: 1, answer_correct: false }]),
    ]
    const { pools, features, outcomes } = prepareLessons(
      tinyTokenizer,
      128,
      { train: readOutcomes(traffic), replay },
      [],
      rng(),
    )
    const namesOf = (some: typeof pools) => some.map(({ name }) => name)
    assert.equal(outcomes.groups[0]?.right[0]?.steps.length, 40)
    return { text: namesOf(pools), features: namesOf(features), longest: features[0]?.units[0]?.length }
  }
  const { features, longest } = lessons({ step_labels: long.map(() => true) })
  assert.deepEqual(features, ['step feedback', 'replay'])
  assert.equal(longest, 40)
  assert.deepEqual(lessons({}), { text: [], features: [], longest: undefined }, 'replay is nothing new')
})

test('replay has at least 15 % of training, however much is new', () => {
  const told = ['7', '8'].flatMap(answer =>
    Array.from({ length: 400 }, (_, i) =>
      logged(
        `${answer}-${i}`,
        `Problem ${i}?`,
        [aCandidate(answer)],
        [{ at: 1, answer_correct: answer === '7', step_labels: [answer === '7'] }],
      ),
    ),
  )
  const replay = labelledExamples('few', 3, 'train')
  const { pools } = prepareLessons(tinyTokenizer, 512, { train: readOutcomes(told), replay }, [], rng())
  const share = (name: string) => pools.find(p => p.name === name)!.share
  assert.ok(Math.abs(share('replay') - 0.15) < 1e-9, String(share('replay')))
  assert.ok(Math.abs(share('replay') + share('step feedback') - 1) < 1e-9)
})

test('of replay only what the recipe left is compared as a whole', () => {
  const of = (source: Source, outcome: 0 | 1): Example => ({
    problem: `By ${source}?`,
    steps: [`It is ${outcome}.`],
    labels: [null],
    source,
    imitate: false,
    outcome,
  })
  const replay = (['construction', 'human', 'outcome', 'feedback'] as const).flatMap(source => [
    of(source, 1),
    of(source, 0),
  ])
  const pairs = replayPairs(replay, rng())
  assert.deepEqual(
    pairs.map(({ better, worse }) => [better.source, better.outcome, worse.outcome]),
    [
      ['construction', 1, 0],
      ['human', 1, 0],
    ],
  )
})

test('the data hash names the exact records', () => {
  const hash = (traffic: Parameters<typeof readOutcomes>[0]) =>
    prepareLessons(tinyTokenizer, 512, { train: readOutcomes(traffic), replay: [] }, [], rng()).dataHash
  assert.equal(hash(answers(3, '7', '8')), hash(answers(3, '7', '8')))
  assert.notEqual(hash(answers(3, '7', '8')), hash(answers(3, '7', '9')))
})

test('the next replay keeps both outcomes of traffic problems and most of the old replay, and stays in its bounds', () => {
  const old: Example[] = Array.from({ length: 1500 }, (_, i) => ({
    problem: `Old ${i}?`,
    steps: ['So it is.'],
    labels: [1],
    source: 'human',
    imitate: false,
  }))
  const train = readOutcomes(answers(300, '7', '8', '9'))
  const next = nextReplay({ train, replay: old }, rng())
  assert.equal(next.length, 1500)
  assert.equal(next.filter(e => e.source === 'human').length, 1000)
  const again = nextReplay({ train: [], replay: next }, rng())
  const keys = (examples: readonly Example[]) => examples.map(e => solutionKey(e.problem, e.steps)).sort()
  assert.deepEqual(keys(again), keys(next))
  const first = next.find(e => e.source === 'outcome')!
  const kinds = new Set(next.filter(e => e.problem === first.problem).map(e => e.outcome))
  assert.deepEqual(kinds, new Set([0, 1]))
})

test('traffic measures only with eight held-back problems of both kinds; feedback comes before majorities', () => {
  const majority = (n: number) =>
    Array.from({ length: n }, (_, i) =>
      ['7', '7', '7', '8'].map((answer, k) =>
        logged(`${i}:${k}`, `Vote ${i}?`, [aCandidate(answer, `Way ${k}: ${answer}.`)]),
      ),
    ).flat()
  const sizes = (...traffic: ReturnType<typeof answers>[]) =>
    trafficYardstick(readOutcomes(traffic.flat())).map(p => p.problem.split(' ')[0])
  assert.deepEqual(sizes(answers(7, '7', '8')), [])
  assert.deepEqual(sizes(answers(12, '7', '7')), [])
  assert.deepEqual(new Set(sizes(answers(8, '7', '8'), majority(20))), new Set(['Problem']))
  assert.deepEqual(new Set(sizes(answers(3, '7', '8'), majority(5))), new Set(['Problem', 'Vote']))
})
