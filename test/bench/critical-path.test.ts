// The longest chain of calls that waited for each other.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { longestChain } from '../../bench/lib/critical-path.ts'

const CASES: readonly { name: string; given: readonly (readonly [number, number])[]; want: number }[] = [
  { name: 'no calls', given: [], want: 0 },
  {
    name: 'calls at the same time',
    given: [
      [0, 50],
      [1, 52],
      [2, 49],
    ],
    want: 1,
  },
  {
    name: 'waves, in any order',
    given: [
      [51, 99],
      [0, 50],
      [1, 49],
      [52, 101],
      [102, 150],
    ],
    want: 3,
  },
  {
    name: 'a long call beside two short ones',
    given: [
      [0, 100],
      [0, 40],
      [50, 90],
    ],
    want: 2,
  },
  {
    name: 'one that begins when another ends',
    given: [
      [0, 50],
      [50, 100],
    ],
    want: 2,
  },
]
for (const { name, given, want } of CASES)
  test(`${name}: ${want} in a row`, () =>
    assert.equal(longestChain(given.map(([start, end]) => ({ start, end }))), want))
