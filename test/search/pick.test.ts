// Which candidate wins. A ballot is written [answer, score].
import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  argmax,
  type Choose,
  greatest,
  groupByAnswer,
  pickBest,
  pickMajority,
  pickWeighted,
} from '../../src/search/pick.ts'

type Short = [key: string | null, score: number | null]
const ballots = (short: Short[]) =>
  short.map(([key, score]) => ({ key, logScore: score === null ? null : Math.log(score) }))

const TABLE: [string, Choose, Short[], number | null][] = [
  ['best: nothing to choose from', pickBest, [], null],
  [
    'best: the highest score',
    pickBest,
    [
      ['a', 0.2],
      ['b', 0.9],
      ['c', 0.5],
    ],
    1,
  ],
  [
    'best: the first of equals',
    pickBest,
    [
      ['a', 0.5],
      ['b', 0.5],
    ],
    0,
  ],
  [
    'best: any score before no score',
    pickBest,
    [
      ['a', null],
      ['b', 0],
    ],
    1,
  ],
  [
    'best: the first when none is scored',
    pickBest,
    [
      ['a', null],
      ['b', null],
    ],
    0,
  ],
  [
    'best: an answer before a better score without one',
    pickBest,
    [
      [null, 0.9],
      ['a', 0.1],
    ],
    1,
  ],
  [
    'best: an unscored answer before a scored non-answer',
    pickBest,
    [
      [null, 0.9],
      ['a', null],
    ],
    1,
  ],
  [
    'best: without any answer the score decides',
    pickBest,
    [
      [null, 0.1],
      [null, 0.9],
    ],
    1,
  ],
  ['majority: nothing to choose from', pickMajority, [], null],
  [
    'majority: the largest group, its best member',
    pickMajority,
    [
      ['a', 0.9],
      ['b', 0.1],
      ['b', 0.3],
    ],
    2,
  ],
  [
    'majority: a tie goes to the higher sum',
    pickMajority,
    [
      ['a', 0.2],
      ['b', 0.3],
    ],
    1,
  ],
  [
    'majority: a tie in sums goes to the first seen',
    pickMajority,
    [
      ['a', 0.3],
      ['b', 0.6],
      ['a', 0.3],
      ['b', null],
    ],
    0,
  ],
  [
    'majority: a tie goes to a scored group',
    pickMajority,
    [
      ['a', null],
      ['b', 0],
    ],
    1,
  ],
  [
    'majority: unscored groups tie to the first seen',
    pickMajority,
    [
      ['b', null],
      ['a', null],
    ],
    0,
  ],
  [
    'majority: non-answers do not add up',
    pickMajority,
    [
      [null, 0.9],
      [null, 0.9],
      ['a', 0.1],
    ],
    2,
  ],
  [
    'majority: non-answers only: the highest score',
    pickMajority,
    [
      [null, 0.2],
      [null, 0.9],
    ],
    1,
  ],
  ['weighted: nothing to choose from', pickWeighted, [], null],
  [
    'weighted: many middling beat one good',
    pickWeighted,
    [
      ['a', 0.9],
      ['b', 0.5],
      ['b', 0.6],
    ],
    2,
  ],
  [
    'weighted: one good beats many poor',
    pickWeighted,
    [
      ['a', 0.9],
      ['b', 0.3],
      ['b', 0.3],
    ],
    0,
  ],
  [
    'weighted: an unscored member adds nothing',
    pickWeighted,
    [
      ['a', 0.5],
      ['b', 0.4],
      ['b', null],
    ],
    0,
  ],
  [
    'weighted: any scored group before an unscored one',
    pickWeighted,
    [
      ['a', null],
      ['a', null],
      ['b', 0],
    ],
    2,
  ],
  [
    'weighted: unscored groups count by size',
    pickWeighted,
    [
      ['a', null],
      ['b', null],
      ['b', null],
    ],
    1,
  ],
  [
    'weighted: equal sums go to the larger group',
    pickWeighted,
    [
      ['a', 0.6],
      ['b', 0.3],
      ['b', 0.3],
    ],
    1,
  ],
  [
    'weighted: an answer before any non-answer',
    pickWeighted,
    [
      [null, 0.9],
      ['a', 0.01],
    ],
    1,
  ],
]

for (const [name, choose, given, want] of TABLE) {
  test(name, () => assert.equal(choose(ballots(given)).winner, want))
}

test('weights that underflow as numbers still rank', () => {
  const given = [
    { key: 'a', logScore: -2000 },
    { key: 'b', logScore: -1000 },
  ]
  assert.equal(pickWeighted(given).winner, 1)
})

test('votes are group sizes in a majority and sums in a weighted vote', () => {
  const given = ballots([
    ['a', 0.5],
    ['b', 0.25],
    ['a', null],
    [null, 0.5],
  ])
  assert.deepEqual(pickMajority(given).votes, [2, 1, 2, 1])
  assert.deepEqual(
    pickWeighted(given).votes!.map(vote => Math.round(vote * 1e9) / 1e9),
    [0.5, 0.25, 0.5, 0.5],
  )
  assert.equal(pickBest(given).votes, null)
})

test('a ballot drawn several times counts as often, one drawn never not at all', () => {
  const given = [
    { key: 'a', logScore: Math.log(0.5), count: 3 },
    { key: 'b', logScore: Math.log(0.4) },
    { key: 'b', logScore: Math.log(0.9), count: 0 },
    { key: 'b', logScore: Math.log(0.4) },
  ]
  assert.equal(pickMajority(given).winner, 0)
  assert.deepEqual(pickMajority(given).votes, [3, 2, 2, 2])
  assert.equal(pickWeighted(given).winner, 0)
  assert.ok(Math.abs(pickWeighted(given).votes![1]! - 0.8) < 1e-12)
})

test('groups keep the order of first appearance and non-answers apart', () => {
  assert.deepEqual(
    groupByAnswer(
      ballots([
        ['b', 1],
        [null, 1],
        ['a', 1],
        ['b', 1],
        [null, 1],
      ]),
    ),
    [[0, 3], [1], [2], [4]],
  )
})

test('argmax compares place by place and rounding does not break ties', () => {
  assert.equal(argmax([]), null)
  assert.equal(
    argmax([
      [1, 0],
      [1, 2],
      [0, 9],
    ]),
    1,
  )
  assert.equal(argmax([[0.3], [0.1 + 0.2]]), 0)
  assert.equal(argmax([[Number.NEGATIVE_INFINITY], [-5]]), 1)
})

test('greatest gives the first of equals first, and no more than there are', () => {
  const ranks = [[0.2], [0.9], [0.5], [0.9], [Number.NEGATIVE_INFINITY], [Number.NEGATIVE_INFINITY]]
  assert.deepEqual(greatest(ranks, 3), [1, 3, 2])
  assert.deepEqual(greatest(ranks, 9), [1, 3, 2, 0, 4, 5])
  assert.deepEqual(greatest(ranks, 0), [])
  assert.deepEqual(greatest([], 2), [])
})
