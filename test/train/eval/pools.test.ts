// Figures of best-of-N pools, against values worked out by hand.
import assert from 'node:assert/strict'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { writeJsonl } from '../../../src/train/data/jsonl.ts'
import type { StepJudge } from '../../../src/train/eval/judge.ts'
import { markdown } from '../../../src/train/eval/markdown.ts'
import { pairShare } from '../../../src/train/eval/pairs.ts'
import { drawSubsets, readPools } from '../../../src/train/eval/pool-data.ts'
import { evalPools } from '../../../src/train/eval/pools.ts'
import { poolSections } from '../../../src/train/eval/pools-report.ts'
import { createRng } from '../../../src/train/rng.ts'
import { tempFolder } from '../../fakes/tiny-critic.ts'

const folder = tempFolder()
after(() => folder.remove())

function read(records: readonly unknown[]) {
  const path = join(folder.path, 'pool.jsonl')
  writeJsonl(path, records)
  return readPools(path)
}

/** A step that reads as its own score. */
const reading: StepJudge = {
  name: 'reading',
  threshold: 0.5,
  isProbability: true,
  judge: async items => items.map(({ steps }) => steps.map(step => (step === '?' ? null : Number(step)))),
}

const PAIRS: readonly { right: number[]; wrong: number[]; want: number }[] = [
  { right: [2], wrong: [1], want: 1 },
  { right: [1], wrong: [2], want: 0 },
  { right: [1, 3], wrong: [2, 3], want: (0 + 0 + 1 + 0.5) / 4 },
  { right: [Number.NEGATIVE_INFINITY], wrong: [Number.NEGATIVE_INFINITY], want: 0.5 },
]
for (const { right, wrong, want } of PAIRS)
  test(`right ones at ${right} against wrong ones at ${wrong}: ${want} of the pairs`, () => {
    const of = (scores: number[], correct: boolean) => scores.map(score => ({ score, correct }))
    assert.equal(pairShare([...of(right, true), ...of(wrong, false)]), want)
    assert.ok(Number.isNaN(pairShare(of(right, true))))
  })

const REFUSED: readonly { given: unknown; want: RegExp }[] = [
  { given: { candidates: [{ steps: ['a'], correct: true }] }, want: /record 1: problem must be a text/ },
  { given: { problem: 'p', candidates: [] }, want: /candidates must be a list/ },
  { given: { problem: 'p', candidates: [{ steps: [], correct: true }] }, want: /candidate 1: steps must be/ },
  {
    given: { problem: 'p', candidates: [{ steps: ['a'], answer: 1 }] },
    want: /needs correct, or .* reference_answer/,
  },
  {
    given: { problem: 'p', candidates: [{ steps: ['a'], correct: true, prm: { x: [2] } }] },
    want: /candidate 1: prm\.x must be a list of scores/,
  },
]
for (const { given, want } of REFUSED)
  test(`a pool ${JSON.stringify(given)} is refused by its place`, () =>
    assert.throws(() => read([given]), want))

test('answers are grouped by their canonical form, and graded where the pool does not', () => {
  const [pool] = read([
    {
      problem: 'p',
      reference_answer: '72',
      candidates: [
        { steps: ['x'], answer: 72 },
        { steps: ['x'], answer: '$72.00' },
        { steps: ['x'], answer: 71, correct: true }, // the pool's word counts
        { steps: ['The answer is 72.'] },
        { steps: ['x'], answer: null },
        { steps: ['no answer here'] },
      ],
    },
  ])
  assert.deepEqual(
    pool!.candidates.map(({ key, correct }) => [key, correct]),
    [
      ['72', true],
      ['72', true],
      ['71', true],
      ['72', true],
      [null, false],
      [null, false],
    ],
  )
})

test('subsets are drawn without replacement, seeded, in order; all candidates are one draw', () => {
  const drawn = drawSubsets(10, 4, 5, createRng(1))
  assert.equal(drawn.length, 5)
  for (const subset of drawn) {
    assert.equal(new Set(subset).size, 4)
    assert.deepEqual(
      subset,
      subset.toSorted((a, b) => a - b),
    )
  }
  assert.deepEqual(drawn, drawSubsets(10, 4, 5, createRng(1)))
  assert.deepEqual(drawSubsets(3, 4, 5, createRng(1)), [[0, 1, 2]])
})

const candidate = (answer: number, correct: boolean, ...scores: number[]) => ({
  steps: scores.map(String),
  answer,
  correct,
  prm: { oracle_prm: scores.map(() => (correct ? 0.9 : 0.1)) },
})
// Problem 1: the best single score is wrong, the right answer has two of four votes and the larger sum by mean.
// Problem 2: three of four agree on a wrong answer; the right one scores highest under every aggregation.
const POOLS = [
  {
    problem: 'one',
    candidates: [
      candidate(5, false, 0.95, 0.9),
      candidate(7, true, 0.9, 0.8),
      candidate(7, true, 0.6, 0.5),
      candidate(6, false, 0.1, 0.2),
    ],
  },
  {
    problem: 'two',
    candidates: [
      candidate(1, false, 0.2, 0.1),
      candidate(1, false, 0.2, 0.1),
      candidate(1, false, 0.2, 0.1),
      candidate(2, true, 0.99, 0.98),
    ],
  },
  { problem: 'three', candidates: [candidate(4, true, 0.3), candidate(4, true, 0.4)] },
]

test('pairs, choices and references of three small pools', async () => {
  const figures = await evalPools(read(POOLS), [reading], { seed: 1 })
  assert.deepEqual([figures.problems, figures.candidates, figures.mixed, figures.sizes], [3, 10, 2, [4]])
  const near = (got: number, want: number) =>
    assert.ok(Math.abs(got - want) < 1e-9, `got ${got}, want ${want}`)
  near(figures.one_sample.value, (100 * (1 / 2 + 1 / 4 + 1)) / 3)
  near(figures.majority[0]!.value, 200 / 3) // 7 and 4 win, 1 outvotes 2
  near(figures.oracle[0]!.value, 100)
  for (const aggregation of ['min', 'mean', 'prod', 'last'] as const) {
    const row = figures.rows.find(row => row.critic === 'reading' && row.aggregation === aggregation)!
    near(row.pairs.value, 75) // two of four pairs in the first, three of three in the second, the third has none
    near(row.best[0]!.value, 200 / 3)
    near(row.weighted[0]!.value, 100)
    assert.ok(row.pairs.low <= 75 && row.pairs.high >= 75)
  }
})

test('scores that came with the pool are rows of their own, marked, with their licence', async () => {
  const figures = await evalPools(read(POOLS), [reading, { ...reading, name: 'b', isProbability: false }], {
    seed: 1,
  })
  const published = figures.rows.filter(row => row.source === 'published')
  assert.deepEqual([published.length, published[0]!.critic], [4, 'oracle_prm'])
  assert.ok(published.every(row => row.pairs.value === 100 && row.best[0]!.value === 100 && row.ece !== null))
  assert.ok(figures.rows.every(row => (row.source === 'baseline') === (row.critic === 'b')))
  assert.ok(figures.rows.every(row => row.source !== 'baseline' || row.ece === null))
  const text = markdown(poolSections(figures))
  assert.match(text, /oracle_prm † \|/)
  assert.match(text, /StrictPRMBench, CC-BY-4\.0/)
  const [bare] = POOLS.map(pool => ({
    ...pool,
    candidates: pool.candidates.map(({ prm: _, ...rest }) => rest),
  }))
  assert.doesNotMatch(markdown(poolSections(await evalPools(read([bare]), [reading], { seed: 1 }))), /†/)
})

test('larger N are averaged over seeded draws, the largest takes all', async () => {
  const many = Array.from({ length: 6 }, (_, p) => ({
    problem: `p${p}`,
    candidates: Array.from({ length: 16 }, (_, c) => candidate(c % 3, c % 3 === 0, ((c * 7 + p) % 16) / 16)),
  }))
  const one = await evalPools(read(many), [reading], { seed: 1 })
  assert.deepEqual(one.sizes, [4, 8, 16])
  assert.deepEqual(await evalPools(read(many), [reading], { seed: 1 }), one)
  const other = await evalPools(read(many), [reading], { seed: 2 })
  assert.deepEqual(
    other.rows.map(row => [row.pairs.value, row.best[2]!.value]),
    one.rows.map(row => [row.pairs.value, row.best[2]!.value]),
  )
  assert.notDeepEqual(
    other.rows.map(row => row.best[0]!.value),
    one.rows.map(row => row.best[0]!.value),
  )
})

test('an unscored candidate loses to every scored one', async () => {
  const [pool] = POOLS
  const unscored = { ...pool!.candidates[0]!, steps: ['?', '?'] }
  const figures = await evalPools(
    read([{ ...pool, candidates: [unscored, ...pool!.candidates.slice(1)] }]),
    [reading],
    {
      seed: 1,
    },
  )
  assert.equal(figures.rows[0]!.pairs.value, 100)
  assert.equal(figures.rows[0]!.best[0]!.value, 100)
})
