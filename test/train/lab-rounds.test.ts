// What the rounds lab counts: outcomes as traffic, balanced accuracy on one writer, pay-offs against frozen opponents.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { openScorer, type Scorer } from '../../src/critic/scorer.ts'
import { openSolver, type SolverModel } from '../../src/critic/solver-model.ts'
import { scorerJudge } from '../../src/train/eval/judge.ts'
import { createMatrix, encounter, freezeGenerator, worstDrop } from '../../src/train/lab/frozen.ts'
import { givenTraffic } from '../../src/train/lab/given.ts'
import { readWriter } from '../../src/train/lab/real-errors.ts'
import { roundsReport } from '../../src/train/lab/rounds-report.ts'
import { splitOf } from '../../src/train/problems/split.ts'
import { readOutcomes } from '../../src/train/round/outcomes.ts'
import { createPolicy } from '../../src/train/sneaky/policy.ts'
import { tempFolder, writeTinyBase, writeTinyCritic } from '../fakes/tiny-critic.ts'

const folder = tempFolder()
let scorer: Scorer
let solver: SolverModel
before(async () => {
  await writeTinyCritic(`${folder.path}/critic`, { maxLength: 512 })
  await writeTinyBase(`${folder.path}/base`, { maxLength: 512 })
  scorer = await openScorer(`${folder.path}/critic`)
  solver = await openSolver(`${folder.path}/base`)
})
after(async () => {
  await scorer.release()
  await solver.release()
  folder.remove()
})

test('what the client sends has a known outcome and is of the side that may be trained on', async () => {
  const traffic = await givenTraffic(solver, 2, { problems: 3, n: 2, seed: 1 })
  const problems = readOutcomes(traffic)
  assert.ok(problems.length > 0 && problems.every(({ problem }) => splitOf(problem) === 'train'))
  assert.ok(problems.every(({ solutions }) => solutions.every(s => s.outcome?.by === 'feedback')))
  assert.ok(problems.every(({ solutions }) => solutions.every(s => s.stepLabels === null)))
  assert.equal(new Set(traffic.map(({ record }) => record.id)).size, traffic.length)
})

test('a frozen generator edits the same solutions in the same way for every critic', async () => {
  const one = freezeGenerator('g', createPolicy(), 1, 24)
  assert.deepEqual(one, freezeGenerator('g', createPolicy(), 1, 24))
  assert.ok(one.duels.length > 15)
  const { success, accuracy } = await encounter(scorer, one)
  assert.ok(success >= 0 && success <= 100 && accuracy >= 0 && accuracy <= 100)
})

test('accuracy is at the critic’s own threshold, right and wrong steps weighing the same', async () => {
  const judge = { ...scorerJudge(scorer), judge: async () => [[0.9, 0.9, 0.9, 0.1]] }
  const example = {
    problem: 'P',
    steps: ['a', 'b', 'c', 'd'],
    labels: [1, 1, 0, 0],
    source: 'construction',
    imitate: false,
  } as const
  const figures = await readWriter(judge, { name: 'w', examples: [example] })
  assert.deepEqual([figures.step_accuracy, figures.step_auc], [75, 75])
})

test('the worst drop is against the generator where the last critic is furthest below the best before it', () => {
  const matrix = createMatrix()
  const accuracies = { a: { x: 90, y: 50 }, b: { x: 70, y: 60 }, c: { x: 85, y: 52 } }
  for (const [critic, row] of Object.entries(accuracies))
    for (const [generator, accuracy] of Object.entries(row))
      matrix.set(critic, generator, { success: 0, accuracy })
  assert.equal(worstDrop(matrix, ['a', 'b', 'c'], ['x', 'y']), 8)
  assert.equal(worstDrop(matrix, ['b', 'a'], ['x']), 0)
  assert.equal(worstDrop(matrix, ['a'], ['x', 'y']), 0)
})

test('the report tells of what serves, and of the candidate beside it', () => {
  const figures = (version: string, step_accuracy: number) => ({
    version,
    writers: [{ name: 'w', step_accuracy, step_auc: 80, ece: 0.1 }],
    processBench: null,
  })
  const common = { accuracy: { g: 60 }, success: { g: 40 }, frozenWorstDrop: 0, seconds: 1, reason: 'So.' }
  const sneakySuccess = { current: 40, frozen: { old: 55 } }
  const { sections, json } = roundsReport([
    {
      name: 'full',
      rows: [
        {
          ...common,
          round: 1,
          decision: 'rejected',
          serving: figures('old', 70),
          candidate: figures('new', 77),
          sneakySuccess,
        },
      ],
    },
  ])
  assert.deepEqual(json['rounds'], [
    {
      round: 1,
      step_accuracy: 70,
      processbench_f1: null,
      processbench_step_accuracy: null,
      sneaky_success: 40,
      frozen_worst_drop: 0,
      ece: 0.1,
      decision: 'rejected',
      critic: 'old',
      candidate_step_accuracy: 77,
      seconds: 1,
    },
  ])
  assert.deepEqual(sections[0]!.rows[0]!.slice(0, 4), ['full, 1', 'rejected', '70.0', '77.0'])
})
