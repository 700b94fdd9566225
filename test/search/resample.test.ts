// Systematic resampling: who lives on, and how often.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { oddsOf, resample } from '../../src/search/resample.ts'

const ODDS: [value: number, odds: number][] = [
  [0.5, 1],
  [0.9, 9],
  [0.1, 1 / 9],
  [0, 1e-7],
  [1, 1e7],
]

for (const [value, odds] of ODDS) {
  test(`the odds of ${value} are ${odds.toPrecision(3)}`, () => {
    assert.ok(Math.abs(oddsOf(value) / odds - 1) < 1e-6)
  })
}

const DRAWS: [weights: number[], count: number, draw: number, want: number[]][] = [
  [[1, 1, 1, 1], 4, 0, [0, 1, 2, 3]],
  [[1, 1, 1, 1], 4, 0.99, [0, 1, 2, 3]],
  [[3, 1], 4, 0.5, [0, 0, 0, 1]],
  [[1, 3], 2, 0, [0, 1]],
  [[1, 3], 2, 0.6, [1, 1]],
  [[1e-7, 1e7], 3, 0.5, [1, 1, 1]],
  [[5], 3, 0.2, [0, 0, 0]],
  [[1, 1], 1, 0.7, [1]],
]

for (const [weights, count, draw, want] of DRAWS) {
  test(`${count} of ${weights.join(', ')} at ${draw} are ${want.join(', ')}`, () => {
    assert.deepEqual(resample(weights, count, draw), want)
  })
}

test('each gets its share rounded down or up, and exactly its share over all draws', () => {
  const weights = fc.array(fc.double({ min: 1e-3, max: 10, noNaN: true }), { minLength: 1, maxLength: 12 })
  fc.assert(
    fc.property(weights, fc.integer({ min: 1, max: 20 }), (weights, count) => {
      const total = weights.reduce((sum, weight) => sum + weight)
      const grid = 400
      const copies = weights.map(() => 0)
      for (let g = 0; g < grid; g++) {
        const drawn = resample(weights, count, (g + 0.5) / grid)
        assert.equal(drawn.length, count)
        for (const [i, weight] of weights.entries()) {
          const share = (count * weight) / total
          const got = drawn.filter(index => index === i).length
          assert.ok(got >= Math.floor(share - 1e-9) && got <= Math.ceil(share + 1e-9), `${got} of ${share}`)
          copies[i] = copies[i]! + got / grid
        }
      }
      for (const [i, weight] of weights.entries()) {
        assert.ok(Math.abs(copies[i]! - (count * weight) / total) <= 2 / grid + 1e-9)
      }
    }),
    { numRuns: 40 },
  )
})
