// The game between sneaky edits and a critic: what counts as a win, what the policy learns, what becomes a comparison.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { openScorer } from '../../src/critic/scorer.ts'
import type { CritiqueItem } from '../../src/critic/types.ts'
import { generateProblems } from '../../src/train/recipe/built-in.ts'
import { createRng } from '../../src/train/rng.ts'
import { gameFigures, type PlayOptions, play } from '../../src/train/round/game.ts'
import { interruptible } from '../../src/train/round/measure.ts'
import { readOutcomes } from '../../src/train/round/outcomes.ts'
import { cleanHeldOut, cleanSources, duelComparison, type Judge } from '../../src/train/round/play.ts'
import { createPolicy, operatorChances } from '../../src/train/sneaky/policy.ts'
import { SNEAKY_OPERATORS } from '../../src/train/sneaky/types.ts'
import { tempFolder, writeTinyCritic } from '../fakes/tiny-critic.ts'
import { labelledExamples, logged } from './round-world.ts'

const problems = generateProblems(createRng('play'), 60, 'train')
const clean = problems.map(problem => ({ problem, steps: problem.steps }))
const reference = new Set(problems.flatMap(p => p.steps))

/** A critic that says `score` of each step. */
const judgeBy = (score: (step: string) => number | null): Judge => ({
  judge: async (items: readonly CritiqueItem[]) =>
    items.map(({ steps }) => ({
      steps: steps.map(step => ({ score: score(step), evidence: [] })),
      tokens: 0,
    })),
})

const game = (critic: Judge, more: Partial<PlayOptions> = {}) =>
  play({
    critic,
    threshold: 0.5,
    sources: [clean],
    rng: createRng(1),
    waves: 4,
    waveSize: 16,
    isOver: () => false,
    ...more,
  })

test('a critic that knows every right step is never fooled, one that trusts everything always is', async () => {
  const sharp = await game(judgeBy(step => (reference.has(step) ? 0.9 : 0.1)))
  const gullible = await game(judgeBy(() => 0.9))
  const grim = await game(judgeBy(() => 0.1))
  assert.deepEqual(
    [sharp, gullible, grim].map(g => {
      const { sneaky_success, false_alarms } = gameFigures(g)
      return [sneaky_success, false_alarms]
    }),
    [
      [0, 0],
      [1, 0],
      [0, 1],
    ],
  )
  assert.ok(sharp.duels.every(d => d.ordered === 1) && gullible.duels.every(d => d.ordered === 0.5))
})

test('every duel has one step that is wrong for sure', async () => {
  const { duels } = await game(judgeBy(() => 0.9))
  assert.ok(duels.length > 40)
  for (const { steps, spoiled } of duels) {
    assert.ok(spoiled.provably_wrong)
    assert.notEqual(spoiled.steps[spoiled.wrong_index], steps[spoiled.wrong_index])
    assert.deepEqual(spoiled.steps.slice(0, spoiled.wrong_index), steps.slice(0, spoiled.wrong_index))
  }
})

test('the policy comes to prefer what fools the critic', async () => {
  const { duels, policy } = await game(
    judgeBy(step => (reference.has(step) || /0/.test(step) ? 0.9 : 0.1)),
    {
      waves: 60,
    },
  )
  const success = (operator: string) => {
    const own = duels.filter(d => d.spoiled.operator === operator)
    return own.length < 20 ? Number.NaN : own.filter(d => d.fooled).length / own.length
  }
  const chances = operatorChances(policy)
  const known = SNEAKY_OPERATORS.map((op, i) => ({ success: success(op), chance: chances[i]! }))
    .filter(o => !Number.isNaN(o.success))
    .toSorted((a, b) => a.success - b.success)
  assert.ok(known.length >= 4)
  assert.ok(known.at(-1)!.success > known[0]!.success + 0.1, 'the operators differ')
  assert.ok(known.at(-1)!.chance > known[0]!.chance, JSON.stringify(known))
})

const frozen = (name: string, success: number) => ({ name, policy: createPolicy(), success })

test('with a league the critic meets frozen generators, harder ones first, and a generator meets frozen critics', async () => {
  const calls = { old: 0 }
  const old: Judge = {
    judge(items) {
      calls.old++
      return judgeBy(() => 0.1).judge(items)
    },
  }
  const { byWave, duels, policy, exploiter } = await game(
    judgeBy(() => 0.9),
    {
      waves: 40,
      waveSize: 4,
      opponents: {
        generators: [frozen('easy', 0.02), frozen('hard', 0.9)],
        critics: [{ name: 'old', critic: old, threshold: 0.5, success: 0.5 }],
        exploits: true,
      },
    },
  )
  for (const own of Object.values(byWave)) assert.ok(own.length > 0)
  assert.equal(duels.length, Object.values(byWave).flat().length)
  assert.ok(duels.every(d => d.fooled)) // lessons are what the serving critic says, not the frozen one
  assert.ok(calls.old > 0)
  assert.notDeepEqual(policy, createPolicy())
  assert.ok(exploiter?.weights.some(w => w !== 0))
})

test('the generator goes on from where it was', async () => {
  const { policy } = await game(judgeBy(() => 0.9))
  const on = await game(
    judgeBy(() => 0.9),
    { policy, waves: 0 },
  )
  assert.deepEqual(on.policy, policy)
  assert.equal(on.exploiter, null)
})

test('a duel with an unscored step is not judged', async () => {
  const played = await game(judgeBy(step => (reference.has(step) ? 0.9 : null)))
  assert.equal(played.duels.length, 0)
  assert.equal(gameFigures(played)['sneaky_success'], null)
})

test('the game ends when its time is over or the round is stopped', async () => {
  const asked: number[] = []
  await game(
    judgeBy(() => 0.9),
    { isOver: wave => asked.push(wave) === 2 },
  )
  assert.deepEqual(asked, [1, 2])
  await assert.rejects(
    game(
      judgeBy(() => 0.9),
      { signal: AbortSignal.abort(new Error('stop')) },
    ),
    /stop/,
  )
})

test('a comparison starts at the wrong step, which is the only one labelled wrong', async () => {
  const { duels } = await game(judgeBy(() => 0.9))
  for (const duel of duels) {
    const { better, worse, from } = duelComparison(duel)
    assert.equal(from, duel.spoiled.wrong_index)
    assert.ok(better.labels.every(l => l === 1) && better.labels.length === better.steps.length)
    assert.equal(worse.labels.length, worse.steps.length)
    assert.deepEqual(
      worse.labels.slice(0, from + 1),
      worse.steps.slice(0, from + 1).map((_, i) => (i < from ? 1 : 0)),
    )
    assert.ok(worse.labels.slice(from + 1).every(l => l === null))
  }
})

test('only solutions taken for right are spoiled, and held-back ones only to measure', () => {
  const [right, wrong] = labelledExamples('sources', 1, 'train')
  const candidate = { steps: right!.steps, scores: [], answer: null }
  const traffic = (problem: string, answer_correct: boolean, step_labels?: boolean[]) =>
    readOutcomes([
      logged(
        problem,
        problem,
        [candidate],
        [{ at: 1, answer_correct, ...(step_labels ? { step_labels } : {}) }],
      ),
    ])
  const collected = {
    train: [...traffic('right', true), ...traffic('wrong', false), ...traffic('lucky', true, [false])],
    open: [],
    heldBack: [...traffic('held', true), ...traffic('held wrong', false)],
    replay: [right!, wrong!],
    slice: [],
    generated: problems.slice(0, 2),
    generatedHeldOut: problems.slice(2, 4),
  }
  const names = (solutions: readonly { problem: unknown }[]) =>
    solutions.map(({ problem }) => (typeof problem === 'string' ? problem : 'generated'))
  assert.deepEqual(cleanSources(collected).map(names), [
    ['generated', 'generated'],
    ['right'],
    [right!.problem],
  ])
  assert.deepEqual(names(cleanHeldOut(collected)), ['generated', 'generated', 'held'])
})

const folder = tempFolder()
before(() => writeTinyCritic(folder.path, { maxLength: 512 }))
after(() => folder.remove())

test('a real critic plays the same game for the same seed, whatever the chunks it is asked in', async () => {
  const scorer = await openScorer(folder.path)
  try {
    const { threshold } = scorer.artifact.manifest.reading!
    const one = await game(scorer, { threshold, waves: 2 })
    const two = await game(interruptible(scorer), { threshold, waves: 2 })
    const facts = ({ duels }: typeof one) =>
      duels.map(d => [d.spoiled.operator, d.spoiled.wrong_index, d.fooled])
    assert.deepEqual(facts(one), facts(two))
    assert.ok(one.duels.length > 20)
  } finally {
    await scorer.release()
  }
})
