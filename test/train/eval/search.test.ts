// Recorded samples replayed through the real search: figures worked out by hand, and those of eval pools where both measure the same.
import assert from 'node:assert/strict'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { writeJsonl } from '../../../src/train/data/jsonl.ts'
import type { StepJudge } from '../../../src/train/eval/judge.ts'
import { markdown } from '../../../src/train/eval/markdown.ts'
import { readPools } from '../../../src/train/eval/pool-data.ts'
import type { ChoiceRow } from '../../../src/train/eval/pools.ts'
import { evalPools } from '../../../src/train/eval/pools.ts'
import { createReplay } from '../../../src/train/eval/replay.ts'
import { evalSearch } from '../../../src/train/eval/search.ts'
import { searchSections } from '../../../src/train/eval/search-report.ts'
import { tempFolder } from '../../fakes/tiny-critic.ts'

const folder = tempFolder()
after(() => folder.remove())

function read(records: readonly unknown[]) {
  const path = join(folder.path, 'pool.jsonl')
  writeJsonl(path, records)
  return readPools(path)
}

/** A sample that says its answer; no field gives it away. */
const sample = (answer: number, correct: boolean, ...prm: number[]) => ({
  steps: [...prm.slice(1).map((score, i) => `Step ${i}, worth ${score}.`), `The answer is ${answer}.`],
  correct,
  prm: { recorded: prm },
})

// The first four samples: the right answer has two votes of four, the best score is wrong.
// All eight: the wrong answer 5 has more votes, 7 the larger sum, and the last one the best score.
const ONE = {
  problem: 'one',
  candidates: [
    sample(5, false, 0.9, 0.8),
    sample(7, true, 0.8, 0.7),
    sample(7, true, 0.6, 0.7),
    sample(6, false, 0.1, 0.2),
    sample(5, false, 0.1, 0.1),
    sample(5, false, 0.1, 0.2),
    sample(5, false, 0.2, 0.1),
    sample(7, true, 0.95, 0.9),
  ],
}
const TWO = { problem: 'two', candidates: Array.from({ length: 8 }, (_, i) => sample(i, i === 5, i / 10)) }

const values = (of: (row: ChoiceRow) => ChoiceRow['best'], rows: readonly ChoiceRow[], by = 'min') =>
  of(rows.find(({ aggregation }) => aggregation === by)!).map(({ value }) => value)

test('searches choose among the first N samples of each problem', async () => {
  const figures = await evalSearch(read([ONE, TWO]), null, { seed: 1 })
  assert.deepEqual([figures.problems, figures.candidates, figures.sizes], [2, 16, [4, 8]])
  assert.equal(figures.searches, 2 * 2 * (1 + 2 * 4))
  assert.equal(figures.one_sample.value, (100 * (3 / 8 + 1 / 8)) / 2)
  assert.deepEqual(
    figures.oracle.map(({ value }) => value),
    [50, 100],
  )
  assert.deepEqual(
    figures.majority.map(({ value }) => value),
    [50, 0],
  )
  assert.deepEqual(
    values(row => row.best, figures.rows),
    [0, 50],
  )
  assert.deepEqual(
    values(row => row.weighted, figures.rows),
    [50, 50],
  )
  assert.ok(figures.rows.every(({ critic, source }) => critic === 'recorded' && source === 'published'))
})

test('a judge is a row of its own, before those that came with the pool', async () => {
  const knowing: StepJudge = {
    name: 'knowing',
    threshold: 0.5,
    isProbability: true,
    judge: async items =>
      items.map(({ steps }) => steps.map(() => (/ is [57]\./.test(steps.at(-1)!) ? 0.9 : 0.1))),
  }
  const { rows } = await evalSearch(read([TWO]), knowing, { seed: 1 })
  assert.deepEqual(
    [...new Set(rows.map(({ critic, source }) => `${critic} ${source}`))],
    ['knowing tested', 'recorded published'],
  )
  assert.deepEqual(
    values(row => row.best, rows),
    [0, 100],
  )
})

test('where N takes the whole pool the figures are those of eval pools', async () => {
  const many = Array.from({ length: 12 }, (_, p) => ({
    problem: `problem ${p}`,
    candidates: Array.from({ length: 8 }, (_, c) =>
      sample((c * p) % 3, (c * p) % 3 === 1, ((c * 7 + p) % 11) / 11, ((c * 5 + p) % 7) / 7),
    ),
  }))
  const pools = read(many)
  const none: StepJudge = {
    name: 'none',
    threshold: null,
    isProbability: false,
    judge: async items => items.map(({ steps }) => steps.map(() => null)),
  }
  const [searched, picked] = [
    await evalSearch(pools, none, { seed: 1 }),
    await evalPools(pools, [none], { seed: 1 }),
  ]
  const last = ({ best, weighted, critic, aggregation }: ChoiceRow) => ({
    critic,
    aggregation,
    best: best[1]!.value,
    weighted: weighted[1]!.value,
  })
  assert.deepEqual(searched.rows.map(last), picked.rows.map(last))
  assert.equal(searched.majority[1]!.value, picked.majority[1]!.value)
  assert.equal(searched.oracle[1]!.value, picked.oracle[1]!.value)
  assert.equal(searched.one_sample.value, picked.one_sample.value)
})

test('equal texts count as often as they were sampled, and a sample without an answer never wins', async () => {
  const [pool] = read([
    {
      problem: 'p',
      candidates: [
        { steps: ['No idea.'], correct: true, prm: { recorded: [1] } },
        sample(1, false, 0.9),
        sample(2, true, 0.5),
        sample(2, true, 0.5),
      ],
    },
  ])
  const scores = pool!.candidates.map(({ published }) => published['recorded']!)
  const replay = createReplay(pool!)
  const signal = new AbortController().signal
  const search = (method: Parameters<typeof replay>[0]['method'], n: number) =>
    replay({ method, n, aggregation: 'min', scores }, signal)
  assert.equal(await search('best_of_n', 32), false)
  assert.equal(await search('weighted_best_of_n', 3), false)
  assert.equal(await search('weighted_best_of_n', 32), true)
  assert.equal(await search('self_consistency', 4), true)
})

test('an abort ends the replay', async () => {
  const reason = new Error('enough')
  await assert.rejects(evalSearch(read([ONE]), null, { seed: 1, signal: AbortSignal.abort(reason) }), reason)
})

test('the tables name every row, and the licence of the recorded scores', async () => {
  const text = markdown(searchSections(await evalSearch(read([ONE]), null, { seed: 1 })))
  for (const row of ['one sample', 'majority', 'oracle', 'recorded †, prod'])
    assert.match(text, new RegExp(`^\\| ${row}`, 'm'))
  assert.match(text, /StrictPRMBench, CC-BY-4\.0/)
  assert.match(text, /\| N = 4 \| N = 8 \|/)
})
