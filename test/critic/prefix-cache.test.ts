// The prefix cache as a tree under a cap, against a plain model of it: what it finds is what was kept, and it never holds too much.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import type { Kept } from '../../src/critic/plan.ts'
import { createPrefixCache } from '../../src/critic/prefix-cache.ts'

/** A part of `floats` numbers that all say `mark`. */
const part = (mark: number, floats = 10): Kept => ({
  tokens: floats,
  state: new Float32Array(floats).fill(mark),
  logit: mark,
})
const marks = (parts: readonly Kept[]) => parts.map(({ logit }) => logit)
const createCache = (maxBytes: number) => createPrefixCache<Kept>(maxBytes, ({ state }) => state.byteLength)
/** Room for about `n` parts of 10 numbers. */
const roomFor = (n: number) => n * 450

test('the longest kept beginning is found, and only after the same parts', () => {
  const cache = createCache(1e6)
  cache.keep(['p', 'a', 'b'], i => part(i))
  cache.keep(['p', 'a', 'c'], i => part(10 + i))
  cache.keep(['q', 'a'], i => part(20 + i))
  for (const [keys, want] of [
    [
      ['p', 'a', 'b', 'd'],
      [0, 1, 2],
    ],
    [
      ['p', 'a', 'c'],
      [0, 1, 12],
    ],
    [['p', 'x', 'b'], [0]],
    [
      ['q', 'a', 'b'],
      [20, 21],
    ],
    [['a'], []],
    [[], []],
  ] as const)
    assert.deepEqual(marks(cache.find(keys)), want, keys.join())
})

test('a part that is known already is not computed again', () => {
  const cache = createCache(1e6)
  cache.keep(['p', 'a'], i => part(i))
  const asked: number[] = []
  cache.keep(['p', 'a', 'b'], i => {
    asked.push(i)
    return part(i)
  })
  assert.deepEqual(asked, [2])
})

test('what was used least recently goes first, the ends of long paths before their beginnings', () => {
  const cache = createCache(roomFor(3))
  cache.keep(['p', 'a', 'b'], i => part(i))
  cache.find(['p', 'a', 'b'])
  cache.keep(['p', 'c'], i => part(10 + i))
  assert.deepEqual(marks(cache.find(['p', 'a', 'b'])), [0, 1], 'its end made room')
  assert.deepEqual(marks(cache.find(['p', 'c'])), [0, 11])
  cache.keep(['q'], i => part(20 + i))
  assert.deepEqual(marks(cache.find(['p', 'a'])), [0], 'the other was used later')
})

test('a part that is larger than the cap is not kept, and the ones before it are where they fit', () => {
  const cache = createCache(roomFor(2))
  cache.keep(['p', 'huge'], i => part(i, i === 0 ? 10 : 1000))
  assert.deepEqual(marks(cache.find(['p', 'huge'])), [0])
  const none = createCache(0)
  none.keep(['p'], i => part(i))
  assert.deepEqual([none.find(['p']), none.bytes], [[], 0])
})

/** Bytes that a part of so many numbers takes, under a key of one letter. */
function sizeOf(floats: number): number {
  const probe = createCache(1e9)
  probe.keep(['x'], () => part(0, floats))
  return probe.bytes
}

/** What the cache is meant to do, in the plainest way: every path with the time of its last use, the oldest forgotten. */
function createModel(cap: number) {
  const held = new Map<string, { kept: Kept; size: number; usedAt: number }>()
  let clock = 0
  const prefixes = (path: readonly string[]) => path.map((_, i) => path.slice(0, i + 1).join('/'))
  const find = (path: readonly string[]): Kept[] => {
    const names = prefixes(path)
    const missing = names.findIndex(name => !held.has(name))
    const found = missing < 0 ? names : names.slice(0, missing)
    for (const name of found.toReversed()) held.get(name)!.usedAt = ++clock
    return found.map(name => held.get(name)!.kept)
  }
  const bytes = () => [...held.values()].reduce((sum, { size }) => sum + size, 0)
  return {
    find,
    bytes,
    keep(path: readonly string[], kept: readonly Kept[]) {
      for (const [i, name] of prefixes(path).entries())
        if (!held.has(name)) held.set(name, { kept: kept[i]!, size: sizeOf(kept[i]!.tokens), usedAt: 0 })
      find(path)
      while (bytes() > cap) {
        const [oldest] = [...held].reduce((a, b) => (b[1].usedAt < a[1].usedAt ? b : a))
        held.delete(oldest)
      }
    },
  }
}

test('under any use it finds what a plain list of uses would, and keeps to its cap', () => {
  const use = fc.record({
    path: fc.array(fc.constantFrom('a', 'b', 'c'), { minLength: 1, maxLength: 6 }),
    keeps: fc.boolean(),
    floats: fc.integer({ min: 0, max: 200 }),
  })
  fc.assert(
    fc.property(fc.array(use, { maxLength: 40 }), fc.integer({ min: 0, max: 12_000 }), (uses, cap) => {
      const [cache, model] = [createCache(cap), createModel(cap)]
      for (const { path, keeps, floats } of uses) {
        const kept = path.map((_, i) => part(i, floats))
        if (keeps) {
          cache.keep(path, i => kept[i]!)
          model.keep(path, kept)
        }
        const [found, want] = [cache.find(path), model.find(path)]
        assert.ok(found.length === want.length && found.every((one, i) => one === want[i]))
        assert.equal(cache.bytes, model.bytes())
        assert.ok(cache.bytes <= cap)
      }
    }),
  )
})
