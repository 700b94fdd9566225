// Packing rows into runs, as properties over any lengths and budgets.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { bucketOf, lengthOf, packRuns } from '../../src/critic/pack.ts'

const rowOf = (length: number) => ({ row: { tokens: Array<number>(length).fill(0) } })
const rows = fc.array(fc.integer({ min: 1, max: 600 }).map(rowOf), { maxLength: 60 })
const budget = fc.integer({ min: 1, max: 5000 })

const longest = (run: readonly ReturnType<typeof rowOf>[]) => Math.max(...run.map(lengthOf))

test('every row is in exactly one run', () => {
  fc.assert(
    fc.property(rows, budget, (given, maxTokens) => {
      const packed = packRuns(given, maxTokens).flat()
      assert.equal(packed.length, given.length)
      assert.deepEqual(new Set(packed), new Set(given))
    }),
  )
})

test('a run keeps to the budget with its padding, unless it is one row', () => {
  fc.assert(
    fc.property(rows, budget, (given, maxTokens) => {
      for (const run of packRuns(given, maxTokens))
        assert.ok(run.length === 1 || run.length * longest(run) <= maxTokens)
    }),
  )
})

test('less than three tenths of a run of longer rows are padding', () => {
  fc.assert(
    fc.property(rows, budget, (given, maxTokens) => {
      for (const run of packRuns(given, maxTokens)) {
        const tokens = run.reduce((sum, row) => sum + lengthOf(row), 0)
        const padded = run.length * longest(run)
        assert.ok(longest(run) <= 32 || tokens > 0.7 * padded, `${tokens} of ${padded}`)
      }
    }),
  )
})

test('no two runs of a bucket would fit in one, but for rows of other lengths between them', () => {
  fc.assert(
    fc.property(rows, budget, (given, maxTokens) => {
      const runs = packRuns(given, maxTokens)
      for (const [i, run] of runs.entries()) {
        const next = runs[i + 1]
        if (next === undefined || bucketOf(longest(run)) !== bucketOf(lengthOf(next[0]!))) continue
        assert.ok(
          (run.length + 1) * lengthOf(next[0]!) > maxTokens,
          'its first row had no room in the run before',
        )
      }
    }),
  )
})

test('buckets grow with length, two to a doubling, after a first one for all short rows', () => {
  assert.deepEqual([1, 32, 33, 45, 46, 64, 65, 128, 129, 512].map(bucketOf), [0, 0, 1, 1, 2, 2, 3, 4, 5, 8])
})
