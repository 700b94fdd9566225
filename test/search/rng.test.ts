// Seeds by place and the generator.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { createRng, seedFor } from '../../src/search/rng.ts'

const seed = fc.maxSafeNat()
const place = fc.array(fc.nat(1000), { maxLength: 4 })

test('a seed is an integer in [0, 2^31) and the same for the same place', () => {
  fc.assert(
    fc.property(seed, place, (seed, place) => {
      const value = seedFor(seed, place)
      assert.ok(Number.isInteger(value) && value >= 0 && value < 2 ** 31)
      assert.equal(seedFor(seed, [...place]), value)
    }),
  )
})

test('siblings never share a seed', () => {
  fc.assert(
    fc.property(seed, place, fc.nat(5000), fc.nat(5000), (seed, place, a, b) => {
      fc.pre(a !== b)
      assert.notEqual(seedFor(seed, [...place, a]), seedFor(seed, [...place, b]))
    }),
  )
})

test('a deeper place, a longer place and the high bits of the seed all count', () => {
  const seeds = [
    seedFor(0, []),
    seedFor(0, [0]),
    seedFor(0, [0, 0]),
    seedFor(0, [1]),
    seedFor(0, [1, 0]),
    seedFor(0, [0, 1]),
    seedFor(2 ** 32, [0]),
    seedFor(2 ** 40, [0]),
  ]
  assert.equal(new Set(seeds).size, seeds.length)
})

test('the generator repeats for the same seed and fills [0, 1) evenly', () => {
  const first = createRng(42)
  const second = createRng(42)
  const bins = new Array<number>(10).fill(0)
  for (let i = 0; i < 10_000; i++) {
    const value = first()
    assert.equal(second(), value)
    bins[Math.floor(value * 10)]! += 1
  }
  // 1,000 expected in each, standard deviation 30.
  for (const count of bins) assert.ok(Math.abs(count - 1000) < 150, `bin of ${count}`)
})
