// Packing rows into runs, as properties over any lengths and budgets.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { bucketOf, type Lengths, packRuns } from '../../src/critic/pack.ts'

const length = fc.integer({ min: 1, max: 600 })
const rows = fc.array(fc.record({ length, past: fc.constant(0) }), { maxLength: 60 })
const rowsWithPasts = fc.array(
  fc.record({ length: fc.oneof(fc.constant(0), length), past: fc.nat({ max: 600 }) }),
  { maxLength: 60 },
)
const budget = fc.integer({ min: 1, max: 5000 })

const longest = (run: readonly Lengths[], of: keyof Lengths = 'length') =>
  Math.max(...run.map(row => row[of]))

test('every row is in exactly one run', () => {
  fc.assert(
    fc.property(rowsWithPasts, budget, (given, maxTokens) => {
      const packed = packRuns(given, maxTokens).flat()
      assert.equal(packed.length, given.length)
      assert.deepEqual(new Set(packed), new Set(given))
    }),
  )
})

test('a run keeps to the budget with its padding, unless it is one row', () => {
  fc.assert(
    fc.property(rowsWithPasts, budget, (given, maxTokens) => {
      for (const run of packRuns(given, maxTokens))
        assert.ok(run.length === 1 || run.length * Math.max(longest(run), longest(run, 'past')) <= maxTokens)
    }),
  )
})

test('less than three tenths of a run of longer rows are padding', () => {
  fc.assert(
    fc.property(rows, budget, (given, maxTokens) => {
      for (const run of packRuns(given, maxTokens)) {
        const tokens = run.reduce((sum, row) => sum + row.length, 0)
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
        if (next === undefined || bucketOf(longest(run)) !== bucketOf(next[0]!.length)) continue
        assert.ok(
          (run.length + 1) * next[0]!.length > maxTokens,
          'its first row had no room in the run before',
        )
      }
    }),
  )
})

test('rows that need no run share none with others', () => {
  fc.assert(
    fc.property(rowsWithPasts, budget, (given, maxTokens) => {
      for (const run of packRuns(given, maxTokens))
        assert.ok(run.every(row => (row.length === 0) === (run[0]!.length === 0)))
    }),
  )
})

test('buckets grow with length, two to a doubling, after a first one for all short rows', () => {
  assert.deepEqual([1, 32, 33, 45, 46, 64, 65, 128, 129, 512].map(bucketOf), [0, 0, 1, 1, 2, 2, 3, 4, 5, 8])
})
