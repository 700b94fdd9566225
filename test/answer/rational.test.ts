// Exact rationals: reading, arithmetic laws, and refusal of numbers that are too long.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import {
  add,
  compare,
  div,
  equals,
  format,
  mul,
  parseRational,
  pow,
  type Rational,
  rational,
  sub,
  toNumber,
} from '../../src/answer/rational.ts'
import { cpuMs } from '../fakes/cpu-clock.ts'

const parsed: [given: string, want: string | null][] = [
  ['12', '12'],
  ['-3.50', '-7/2'],
  ['.5', '1/2'],
  ['3.', '3'],
  ['1,234', '1234'],
  ['1,234,567.8', '6172839/5'],
  ['$48', '48'],
  ['3/4', '3/4'],
  ['-6/8', '-3/4'],
  ['6 / 4', '3/2'],
  ['50%', '1/2'],
  ['1/2%', '1/200'],
  ['+7', '7'],
  ['007', '7'],
  ['12,34', null],
  ['1/0', null],
  ['', null],
  ['-', null],
  ['.', null],
  ['1e5', null],
  ['1/2/3', null],
  ['x', null],
  ['9'.repeat(60), '9'.repeat(60)],
  ['9'.repeat(61), null],
  [`0.${'1'.repeat(1000)}`, null],
]

for (const [given, want] of parsed) {
  test(`reads ${JSON.stringify(given.slice(0, 20))}`, () => {
    const value = parseRational(given)
    assert.equal(value === null ? null : format(value), want)
  })
}

const small: fc.Arbitrary<Rational> = fc
  .tuple(fc.integer({ min: -9999, max: 9999 }), fc.integer({ min: 1, max: 999 }))
  .map(([n, d]) => rational(BigInt(n), BigInt(d))!)

test('canonical text reads back as the same number', () => {
  fc.assert(fc.property(small, a => assert.deepEqual(parseRational(format(a)), a)))
})

test('sums and differences undo each other, products and quotients too', () => {
  fc.assert(
    fc.property(small, small, (a, b) => {
      assert.deepEqual(sub(add(a, b)!, b), a)
      assert.deepEqual(add(a, b), add(b, a))
      if (b.n !== 0n) assert.deepEqual(div(mul(a, b)!, b), a)
    }),
  )
})

test('the order is that of the plain numbers', () => {
  fc.assert(
    fc.property(small, small, (a, b) => {
      assert.equal(Math.sign(compare(a, b)), Math.sign(Number(a.n) * Number(b.d) - Number(b.n) * Number(a.d)))
      assert.equal(compare(a, b) === 0, equals(a, b))
    }),
  )
})

test('powers are repeated products, and negative ones their inverses', () => {
  fc.assert(
    fc.property(small, fc.integer({ min: 0, max: 5 }), (a, e) => {
      let product: Rational | null = rational(1n)
      for (let i = 0; i < e; i++) product = product && mul(product, a)
      const exponent = rational(BigInt(e))!
      assert.deepEqual(pow(a, exponent), product)
      const inverse = a.n === 0n && e > 0 ? null : div(rational(1n)!, product!)
      assert.deepEqual(pow(a, { n: -exponent.n, d: 1n }), inverse)
    }),
  )
})

test('a power that is fractional or out of reach is refused at once', () => {
  const two = rational(2n)!
  assert.equal(pow(two, rational(1n, 2n)!), null)
  assert.equal(pow(two, rational(10n ** 50n)!), null)
  assert.equal(pow(rational(10n ** 50n)!, two), null)
  assert.equal(pow(rational(0n)!, rational(-1n)!), null)
})

test('results beyond the digit limit are null, not wrong', () => {
  const big = parseRational('9'.repeat(60))!
  assert.equal(add(big, big), null)
  assert.equal(mul(big, big), null)
  assert.equal(div(rational(1n)!, rational(0n)!), null)
  assert.equal(toNumber(rational(1n, 4n)!), 0.25)
})

test('powers that grow too long cost nothing, however long their base is', () => {
  const long = rational(10n ** 59n + 7n, 10n ** 59n + 1n)!
  const started = cpuMs()
  for (let i = 0; i < 100; i++) assert.equal(pow(long, rational(i % 2 === 0 ? 200n : -200n)!), null)
  assert.ok(cpuMs() - started < 1000)
  assert.deepEqual(pow(rational(10n)!, rational(59n)!), rational(10n ** 59n))
  assert.equal(pow(rational(10n)!, rational(60n)!), null)
})
