// The rules of thumb a critic has to beat, and the regression behind the strongest of them.
import assert from 'node:assert/strict'
import { join } from 'node:path'
import { test } from 'node:test'
import { writeJsonl } from '../../../src/train/data/jsonl.ts'
import { baselines } from '../../../src/train/eval/baselines.ts'
import { fitHandFeatures, handFeatureJudge } from '../../../src/train/eval/hand-features.ts'
import { fitLogistic } from '../../../src/train/eval/logistic.ts'
import { auc } from '../../../src/train/eval/metrics.ts'
import { createRng } from '../../../src/train/rng.ts'
import { tempFolder } from '../../fakes/tiny-critic.ts'

const near = (got: number, want: number, within: number): void =>
  assert.ok(Math.abs(got - want) <= within, `got ${got}, want ${want}`)

const ITEM = {
  problem: 'A box holds 48 pens. Half are sold. How many are left?',
  steps: ['48 / 2 = 24.', '48 - 24 = 22.', 'So 1717 are left.', 'Done.'],
}

const byName = (part: string) => baselines(1).find(({ name }) => name.includes(part))!

const RULES: readonly { rule: string; want: number[] }[] = [
  { rule: 'position', want: [1, 1 / 2, 1 / 3, 1 / 4] },
  { rule: 'length', want: [100 / 112, 100 / 113, 100 / 117, 100 / 105] },
  { rule: 'checker', want: [1, 0, 0.5, 1] },
]
for (const { rule, want } of RULES)
  test(`the rule of ${rule} scores ${want}`, async () => {
    const [scores] = await byName(rule).judge([ITEM])
    for (const [i, score] of scores!.entries()) near(score!, want[i]!, 1e-12)
  })

test('random scores depend on the seed and lie in [0, 1)', async () => {
  const [a, again, b] = await Promise.all([1, 1, 2].map(seed => baselines(seed)[0]!.judge([ITEM, ITEM])))
  assert.deepEqual(a, again)
  assert.notDeepEqual(a, b)
  assert.notDeepEqual(a![0], a![1])
  assert.ok(a!.flat().every(score => score! >= 0 && score! < 1))
})

test('an abort is heard', async () => {
  const signal = AbortSignal.abort(new Error('enough'))
  for (const judge of baselines(1).slice(1)) await assert.rejects(judge.judge([ITEM], signal), /enough/)
})

test('a regression on one flag gives the log odds that the counts give', () => {
  // flag 1: 30 right, 10 wrong; flag 0: 20 right, 40 wrong: 50 of each, so balancing changes nothing
  const cells = [
    { flag: 1, isRight: true, n: 30 },
    { flag: 1, isRight: false, n: 10 },
    { flag: 0, isRight: true, n: 20 },
    { flag: 0, isRight: false, n: 40 },
  ]
  const all = cells.flatMap(({ flag, isRight, n }) => Array.from({ length: n }, () => ({ flag, isRight })))
  const model = fitLogistic(
    all.map(({ flag }) => [flag, 7]), // the second feature never changes
    all.map(({ isRight }) => isRight),
    0,
  )
  near(model.predict([1, 7]), 30 / 40, 1e-4)
  near(model.predict([0, 7]), 20 / 60, 1e-4)
})

test('classes weigh the same however rare one is', () => {
  // three right for each wrong at every flag: nothing to learn, so ½, not ¾
  const rows = Array.from({ length: 80 }, (_, i) => [i % 2])
  const model = fitLogistic(
    rows,
    rows.map((_, i) => i % 8 < 6),
  )
  near(model.predict([0]), 0.5, 1e-6)
  near(model.predict([1]), 0.5, 1e-6)
})

test('a stronger penalty makes smaller weights, and at the optimum the gradient vanishes', () => {
  const rng = createRng(5)
  const rows = Array.from({ length: 300 }, () => [rng.normal(), 10 * rng.normal() + 3, rng.normal()])
  const right = rows.map(([a, b]) => a! - b! / 10 + rng.normal() > 0)
  const norm = (l2: number) => Math.hypot(...fitLogistic(rows, right, l2).weights)
  assert.ok(norm(1) > norm(100) && norm(100) > norm(10_000))
  const model = fitLogistic(rows, right, 2)
  const rights = right.filter(Boolean).length
  for (const j of [0, 1, 2]) {
    const mean = rows.reduce((sum, row) => sum + row[j]!, 0) / 300
    const spread = Math.sqrt(rows.reduce((sum, row) => sum + (row[j]! - mean) ** 2, 0) / 300)
    const gradient = rows.reduce((sum, row, i) => {
      const weight = 300 / (2 * (right[i] ? rights : 300 - rights))
      return sum + weight * (model.predict(row) - (right[i] ? 1 : 0)) * ((row[j]! - mean) / spread)
    }, 2 * model.weights[j]!)
    near(gradient, 0, 300 * 1e-6) // a sum over 300 rows
  }
})

test('separable classes end in finite weights', () => {
  const model = fitLogistic([[0], [1], [2], [3]], [false, false, true, true])
  assert.ok(Number.isFinite(model.weights[0]!) && model.predict([3]) > 0.5 && model.predict([0]) < 0.5)
})

test('one class alone is refused', () => assert.throws(() => fitLogistic([[1], [2]], [true, true]), /both/))

const solution = (isRight: boolean, i: number) => ({
  problem: `A box holds ${i + 20} pens. How many are two boxes?`,
  steps: [`Two boxes hold ${i + 20} * 2 = ${isRight ? 2 * i + 40 : 2 * i + 41}.`, 'Well, maybe.'],
})

test('hand features learn what labels tell, and not what they leave open', async () => {
  const examples = Array.from({ length: 60 }, (_, i) => ({
    ...solution(i % 2 === 0, i),
    labels: [i % 2 === 0 ? 1 : 0, null],
    source: 'human' as const,
    imitate: false,
  }))
  const judge = fitHandFeatures(examples)
  const fresh = Array.from({ length: 20 }, (_, i) => solution(i % 2 === 0, 200 + i))
  const scores = await judge.judge(fresh)
  const judged = scores.map((steps, i) => ({ score: steps[0]!, right: i % 2 === 0 }))
  assert.equal(auc(judged), 1)
})

test('hand features are fitted on the corpora that people labelled, without solutions split into characters', async () => {
  const folder = tempFolder()
  try {
    assert.throws(() => handFeatureJudge(folder.path), /has none of mrben_train/)
    const records = Array.from({ length: 60 }, (_, i) => ({
      ...solution(i % 2 === 0, i),
      label: i % 2 === 0 ? -1 : 0,
    }))
    const path = join(folder.path, 'mrben_train.jsonl.gz')
    writeJsonl(path, records)
    const clean = await handFeatureJudge(folder.path).judge([ITEM])
    const chars = { problem: 'code', steps: [...'print(1)'], label: -1 }
    writeJsonl(path, [...records, chars])
    assert.deepEqual(await handFeatureJudge(folder.path).judge([ITEM]), clean)
  } finally {
    folder.remove()
  }
})
