// The outcome path of the step head: learns which endings are right, moves nothing else, and leaves right ones where they were.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as tf from '@tensorflow/tfjs'
import { CLOSES_INPUT, FEATURE_INPUTS, writeFeatureInputs } from '../../../src/critic/features.ts'
import type { Example } from '../../../src/train/data/example.ts'
import { featuresOf } from '../../../src/train/data/units.ts'
import { OUTCOME_WEIGHTS, type Weights, weightShapes } from '../../../src/train/model/config.ts'
import { endingShare, featureLogit } from '../../../src/train/model/feature-logit.ts'
import { stepLogits } from '../../../src/train/model/head.ts'
import { fitEndings, wholeSolutions } from '../../../src/train/recipe/endings.ts'
import { endingsOf, fitOutcomePath } from '../../../src/train/recipe/outcome-path.ts'
import { createRng } from '../../../src/train/rng.ts'
import { TINY_MODEL } from '../../fakes/tiny-critic.ts'

const rng = createRng('outcome path')

/** A step head with random weights, and an outcome path that says nothing. */
function headWeights(): Weights {
  const shapes = Object.entries(weightShapes(TINY_MODEL)).filter(([name]) => name.startsWith('head.'))
  return Object.fromEntries(
    shapes.map(([name, [rows = 1, columns = 1]]) => [
      name,
      Float32Array.from({ length: rows * columns }, () =>
        name === OUTCOME_WEIGHTS ? 0 : 0.1 * rng.normal(),
      ),
    ]),
  )
}

/** Logits of steps by features and outcome path, as the served graph computes them. */
async function served(weights: Weights, steps: readonly Float32Array[]): Promise<number[]> {
  await tf.setBackend('cpu')
  const w = Object.fromEntries(
    Object.entries(weightShapes(TINY_MODEL)).flatMap(([name, shape]) =>
      weights[name] ? [[name, tf.tensor(weights[name], [...shape])]] : [],
    ),
  )
  const inputs = tf.stack(steps.map(x => tf.tensor1d(x)))
  return [...stepLogits(w, { stepIndex: tf.zeros([steps.length]), features: inputs }).dataSync()]
}

const inputsOf = (values: Float32Array): Float32Array => {
  const out = new Float32Array(FEATURE_INPUTS)
  writeFeatureInputs(values, out, 0)
  return out
}

/** Wrong solutions end on a fraction, right ones do not. */
const solution = (i: number, isRight: boolean): Example => ({
  problem: `Problem ${i}: 12 apples and ${i} pears, how many?`,
  steps: [`First, 12 + ${i} = ${12 + i}.`, `Therefore, ${12 + i}${isRight ? '' : '.5'}`],
  labels: [null, null],
  source: 'outcome',
  imitate: false,
  outcome: isRight ? 1 : 0,
})

test('the step head says outside the engine what it says inside', async () => {
  const some = (scale: number) => Float32Array.from({ length: FEATURE_INPUTS }, () => scale * rng.normal())
  const weights = {
    ...headWeights(),
    [OUTCOME_WEIGHTS]: some(1),
    'head.outcome_ends': some(0.3),
    'head.outcome_ends_bias': Float32Array.of(0.5),
  }
  const steps = featuresOf(solution(3, true)).map(inputsOf)
  const got = await served(weights, steps)
  for (const [i, x] of steps.entries()) {
    const outcome = x.reduce((sum, v, j) => sum + v * weights[OUTCOME_WEIGHTS]![j]!, 0)
    const want = featureLogit(weights, x) + endingShare(weights, x) * outcome
    assert.ok(Math.abs(want - got[i]!) < 1e-4, `${want} ${got[i]}`)
  }
  assert.equal(endingShare(weights, steps[0]!), 0, 'a step that does not close ends nothing')
  assert.ok(endingShare(weights, steps[1]!) > 0)
})

test('what ends a solution is learned: a step in the middle does not, though it closes', () => {
  const whole = Array.from({ length: 60 }, (_, i) => ({
    ...solution(i, i % 2 === 0),
    steps: [`So, 12 + ${i} = ${12 + i}.`, 'He keeps them all.', `Therefore, the answer is ${12 + i}.`],
  }))
  const weights = fitEndings(headWeights(), whole, createRng(1))
  const shares = featuresOf({ ...whole[0]!, steps: [...whole[7]!.steps] }).map(values =>
    endingShare(weights, inputsOf(values)),
  )
  assert.ok(shares[0]! < 0.1 && shares[1] === 0 && shares[2]! > 0.9, shares.join(' '))
})

test('solutions that end at their first error are no examples of endings, and texts end in several ways', () => {
  const cut = { ...solution(1, false), labels: [1, 0] }
  const { outcome: _, ...unknown } = cut
  const text = { ...solution(2, true), steps: ['12 + 2 = 14.', 'He has 14 apples. The answer is 14.'] }
  const whole = wholeSolutions([unknown, cut], Array(12).fill(text), createRng(1))
  assert.equal(whole.filter(one => one.problem === cut.problem).length, 1)
  const endings = whole.filter(one => one.problem === text.problem).map(one => one.steps.at(-1)!)
  assert.equal(endings.length, 12)
  assert.equal(endings.filter(step => step.includes('answer is')).length, 2)
  assert.equal(endings.filter(step => step === 'He has 14 apples.').length, 6)
})

test('which endings are right is learned, and no other step is scored otherwise', async () => {
  const weights = headWeights()
  const groups = Array.from({ length: 20 }, (_, i) => ({
    right: [solution(i, true)],
    wrong: [solution(i, false)],
    weight: 1,
  }))
  const { weights: learned, ridge } = fitOutcomePath(weights, groups)
  assert.notEqual(ridge, null)
  for (const name of Object.keys(weights))
    if (name !== OUTCOME_WEIGHTS) assert.equal(learned[name], weights[name], name)
  const fresh = [solution(77, true), solution(77, false)].map(one => featuresOf(one).map(inputsOf))
  const [right, wrong] = await Promise.all(fresh.map(steps => served(learned, steps)))
  const [rightBefore] = await Promise.all(fresh.map(steps => served(weights, steps)))
  assert.ok(right![1]! > wrong![1]! + 0.5, `${right![1]} against ${wrong![1]}`)
  assert.equal(fresh[0]![0]![CLOSES_INPUT], 0)
  assert.equal(right![0], rightBefore![0])
})

test('right endings are scored as before on average, wrong ones lower', async () => {
  const weights = headWeights()
  const ending = (isRight: boolean) =>
    Array.from({ length: 20 }, (_, i) => inputsOf(featuresOf(solution(i, isRight)).at(-1)!))
  const groups = Array.from({ length: 20 }, (_, i) => ({
    right: [solution(i, true)],
    wrong: [solution(i, false)],
    weight: 1,
  }))
  const learned = fitOutcomePath(weights, groups, [0.3]).weights
  const change = async (steps: readonly Float32Array[]) => {
    const [before, after] = [await served(weights, steps), await served(learned, steps)]
    return after.reduce((sum, z, i) => sum + z - before[i]!, 0) / steps.length
  }
  assert.ok(Math.abs(await change(ending(true))) < 1e-4)
  assert.ok((await change(ending(false))) < -0.5)
})

test('endings are compared where they differ, those of one problem together', () => {
  const [right, wrong] = [solution(1, true), solution(1, false)]
  const same = { ...right, steps: ['Else, 1.', right.steps[1]!] }
  const groups = endingsOf([
    { better: right, worse: wrong, from: 0 },
    { better: right, worse: same, from: 0 },
    { better: right, worse: { ...wrong, steps: ['Therefore, 3'] }, from: 0 },
    { better: solution(2, true), worse: solution(2, false), from: 0 },
  ])
  assert.deepEqual(
    groups.map(({ right, wrong }) => [right.length, wrong.length]),
    [
      [1, 2],
      [1, 1],
    ],
  )
})
