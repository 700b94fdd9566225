// Corpora as examples: what is left out, what is compared with what.
import assert from 'node:assert/strict'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { balanceWriters, mrben, outcomeComparisons, withoutLabels } from '../../../src/train/data/corpora.ts'
import type { Example } from '../../../src/train/data/example.ts'
import { writeJsonl } from '../../../src/train/data/jsonl.ts'
import { tempFolder } from '../../fakes/tiny-critic.ts'

const folder = tempFolder()
after(() => folder.remove())

test('a solution whose "steps" are single characters is left out', () => {
  writeJsonl(join(folder.path, 'mrben_train.jsonl.gz'), [
    { problem: 'spelled', steps: [...'def f():'], label: 1 },
    { problem: 'whole', steps: ['x = 1', 'y'], label: 1 },
  ])
  assert.deepEqual(
    mrben(folder.path).map(({ problem, labels, outcome }) => [problem, labels, outcome]),
    [['whole', [1, 0], 0]],
  )
})

const solution = (problem: string, name: string, outcome?: 0 | 1): Example => ({
  problem,
  steps: [name],
  labels: [outcome ?? null],
  source: 'human',
  imitate: false,
  ...(outcome === undefined ? {} : { outcome }),
})

test('every right solution is compared with every wrong one of the same problem', () => {
  const compared = outcomeComparisons([
    solution('p', 'right 1', 1),
    solution('q', 'alone', 1),
    solution('p', 'wrong 1', 0),
    solution('p', 'unknown'),
    solution('p', 'right 2', 1),
    solution('p', 'wrong 2', 0),
  ])
  assert.deepEqual(
    compared.map(({ better, worse, from }) => [better.steps[0], worse.steps[0], from]),
    [
      ['right 1', 'wrong 1', 0],
      ['right 1', 'wrong 2', 0],
      ['right 2', 'wrong 1', 0],
      ['right 2', 'wrong 2', 0],
    ],
  )
})

test('each writer is the better one as often as the worse one, so that no style passes for rightness', () => {
  const by = (writer: string, outcome: 0 | 1, problem: string): Example => ({
    ...solution(problem, `${writer} ${outcome}`, outcome),
    writer,
  })
  const compared = outcomeComparisons([
    ...['p', 'q', 'r'].flatMap(problem => [by('strong', 1, problem), by('weak', 0, problem)]),
    ...['s', 't'].flatMap(problem => [by('strong', 0, problem), by('weak', 1, problem)]),
    by('strong', 1, 'u'),
    by('other', 0, 'u'),
  ])
  const kept = balanceWriters(compared).map(({ better, worse }) => `${better.writer} over ${worse.writer}`)
  assert.deepEqual(kept.toSorted(), [
    'strong over weak',
    'strong over weak',
    'weak over strong',
    'weak over strong',
  ])
})

test('comparisons without labels teach no step', () => {
  const [pair] = withoutLabels(outcomeComparisons([solution('p', 'a', 1), solution('p', 'b', 0)]))
  assert.deepEqual([pair!.better.labels, pair!.worse.labels, pair!.from], [[null], [null], 0])
})
