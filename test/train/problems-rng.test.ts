// The seeded stream: repeatable, even, and forked by name.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createRng, hashText } from '../../src/train/rng.ts'

const draws = (seed: number | string, n: number) => {
  const rng = createRng(seed)
  return Array.from({ length: n }, () => rng.uniform())
}

test('the same seed gives the same draws, another seed others', () => {
  assert.deepEqual(draws(7, 20), draws(7, 20))
  assert.deepEqual(draws(7, 20), draws('7', 20))
  assert.notDeepEqual(draws(7, 20), draws(8, 20))
})

test('the stream stays what it was when these numbers were written down', () => {
  assert.deepEqual(
    Array.from({ length: 6 }, (_, i) => createRng(i).int(0, 999)),
    [967, 455, 382, 201, 612, 340],
  )
})

test('a fork depends on the seed and the label, not on what was drawn before', () => {
  const early = createRng(1).fork('a')
  const late = createRng(1)
  late.uniform()
  late.normal()
  assert.equal(late.fork('a').uniform(), early.uniform())
  assert.notEqual(createRng(1).fork('a').uniform(), createRng(1).fork('b').uniform())
  assert.notEqual(createRng(1).fork('a').fork('b').uniform(), createRng(1).fork('b').fork('a').uniform())
})

test('uniform draws fill [0, 1) evenly and int reaches both ends', () => {
  const values = draws(3, 20_000)
  assert.ok(values.every(v => v >= 0 && v < 1))
  for (let tenth = 0; tenth < 10; tenth++) {
    const share = values.filter(v => Math.floor(v * 10) === tenth).length / values.length
    assert.ok(Math.abs(share - 0.1) < 0.01, `tenth ${tenth}: ${share}`)
  }
  const rng = createRng(4)
  const ints = new Set(Array.from({ length: 200 }, () => rng.int(-1, 2)))
  assert.deepEqual([...ints].sort(), [-1, 0, 1, 2])
})

test('normal draws have mean 0 and deviation 1', () => {
  const rng = createRng(5)
  const values = Array.from({ length: 20_000 }, () => rng.normal())
  const mean = values.reduce((a, b) => a + b, 0) / values.length
  const deviation = Math.sqrt(values.reduce((a, b) => a + (b - mean) ** 2, 0) / values.length)
  assert.ok(Math.abs(mean) < 0.03 && Math.abs(deviation - 1) < 0.03, `${mean} ${deviation}`)
})

test('shuffle keeps the items and the given list, and every order comes up', () => {
  const rng = createRng(6)
  const items = [1, 2, 3]
  const orders = new Set(Array.from({ length: 200 }, () => rng.shuffle(items).join('')))
  assert.deepEqual(items, [1, 2, 3])
  assert.equal(orders.size, 6)
})

test('weighted draws follow the weights and never take a zero one', () => {
  const rng = createRng(7)
  const counts = [0, 0, 0]
  for (let i = 0; i < 8000; i++) counts[rng.weighted([1, 0, 3])]!++
  assert.equal(counts[1], 0)
  assert.ok(Math.abs(counts[2]! / 8000 - 0.75) < 0.02)
})

test('impossible draws are refused', () => {
  assert.throws(() => createRng(1).pick([]), RangeError)
  assert.throws(() => createRng(1).weighted([0, 0]), RangeError)
})

test('a hash is a 32-bit number that depends on the text and the seed', () => {
  assert.notEqual(hashText('a'), hashText('b'))
  assert.notEqual(hashText('a', 1), hashText('a', 2))
  const value = hashText('a longer text')
  assert.ok(Number.isInteger(value) && value >= 0 && value < 2 ** 32)
})
