// The built-in solver's figures with a toy base: choices among the very samples, one difference with its interval, an abort.
import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { openSolver, type Sample, type SolverModel } from '../../../src/critic/solver-model.ts'
import { evalBuiltIn } from '../../../src/train/eval/built-in.ts'
import type { StepJudge } from '../../../src/train/eval/judge.ts'
import { freshProblems } from '../../../src/train/eval/posed.ts'
import { createRng } from '../../../src/train/rng.ts'
import { tempFolder, writeTinyBase } from '../../fakes/tiny-critic.ts'

const folder = tempFolder()
await writeTinyBase(folder.path)
const toy = await openSolver(folder.path)
after(async () => {
  await toy.release()
  folder.remove()
})

const options = { problems: 6, n: 4, seed: 1, temperature: 0.8 }
const known = new Map(
  freshProblems(createRng(1).fork('eval built-in'), 6).map(({ problem, answer }) => [problem, answer]),
)

/** A solver whose sample number k of a problem states what `answers[k]` says: `right`, or any other text as it is. */
const stating = (answers: readonly string[]): SolverModel => ({
  ...toy,
  sample: async problem =>
    answers.map((answer): Sample => {
      const text = `So the answer is here.\n\nThe answer is ${answer === 'right' ? known.get(problem) : answer}.`
      return { text, ended: true, promptTokens: 1, completionTokens: 1 }
    }),
})

/** Believes a step by how its last word begins. */
const judge: StepJudge = {
  name: 'by hand',
  threshold: 0.5,
  isProbability: true,
  judge: async items => items.map(({ steps }) => steps.map(step => (/ is -\d/.test(step) ? 0.1 : 0.9))),
}

test('one sample, majority and weighted vote choose among the same samples', async () => {
  const figures = await evalBuiltIn(stating(['-5', '-5', 'right', '-7']), judge, options)
  const { one_sample, majority, weighted_best_of_n, best_of_n, oracle, weighted_over_majority } = figures
  assert.deepEqual([one_sample, majority, weighted_best_of_n, best_of_n, oracle], [0, 0, 100, 100, 100])
  assert.deepEqual(weighted_over_majority, { value: 100, low: 100, high: 100 })
})

test('where votes agree the difference is nothing', async () => {
  const figures = await evalBuiltIn(stating(['right', 'right', '-5', 'right']), judge, options)
  assert.deepEqual([figures.majority, figures.weighted_best_of_n], [100, 100])
  assert.deepEqual(figures.weighted_over_majority, { value: 0, low: 0, high: 0 })
})

test('a model of noise is measured too, told of as it goes, and the same seed gives the same figures', async () => {
  const done: number[] = []
  const first = await evalBuiltIn(toy, judge, { ...options, onProblem: count => done.push(count) })
  assert.deepEqual(done, [1, 2, 3, 4, 5, 6])
  assert.equal(first.oracle, 0)
  assert.deepEqual(await evalBuiltIn(toy, judge, options), first)
})

test('an abort ends it with the reason', async () => {
  const stop = new AbortController()
  const reason = new Error('enough')
  const onProblem = () => stop.abort(reason)
  await assert.rejects(evalBuiltIn(toy, judge, { ...options, signal: stop.signal, onProblem }), reason)
})
