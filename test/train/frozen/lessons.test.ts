// What a frozen base reads: within the limit, calculations first, writers in turn, and more of the same when the limit is raised.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Example } from '../../../src/train/data/example.ts'
import { chooseReading, type Reading, tokensOf } from '../../../src/train/frozen/lessons.ts'
import { createRng } from '../../../src/train/rng.ts'
import { tinyTokenizer } from '../../fakes/tiny-critic.ts'
import { toyExample } from '../fit/toys.ts'

const WRITERS = ['a', 'b', 'c']
const rng = createRng('reading')
const examples = (count: number, change: Partial<Example> = {}): Example[] =>
  Array.from({ length: count }, (_, i) =>
    toyExample(rng, i % 2 === 0, { writer: WRITERS[i % 3]!, imitate: true, ...change }),
  )
const WORDS = ['He adds all clips.']
const LONG = Array.from({ length: 12 }, () => '1 + 1 = 2')
const train = [...examples(30, { steps: WORDS }), ...examples(90), ...examples(5, { steps: LONG })]
const held = examples(30)
const choose = (tokens: number) =>
  chooseReading({ train, held }, tinyTokenizer, { tokens, window: 96 }, createRng('choice'))
const textOf = ({ example }: Reading): string => example.steps.join()

test('a limit is kept, held-back solutions take a third of it at most, and a higher one only adds', () => {
  const [few, more] = [choose(1500), choose(2500)]
  for (const [list, limit] of [
    [few, 1500],
    [more, 2500],
  ] as const) {
    const all = tokensOf([...list.held, ...list.train])
    assert.ok(all <= limit && all > limit - 100, `${all} of ${limit}`)
    assert.ok(tokensOf(list.held) > 0 && tokensOf(list.held) <= limit / 3)
  }
  assert.deepEqual(more.train.slice(0, few.train.length), few.train)
  assert.deepEqual(more.held.slice(0, few.held.length), few.held)
  assert.ok(more.train.length > few.train.length)
})

test('calculations come before words, and every writer is cut short alike', () => {
  const chosen = choose(2500).train
  assert.ok(chosen.every(reading => textOf(reading) !== WORDS[0]))
  const counts = [...Map.groupBy(chosen, ({ example }) => example.writer).values()].map(some => some.length)
  assert.equal(counts.length, 3)
  assert.ok(Math.max(...counts) - Math.min(...counts) <= 1, String(counts))
  assert.ok(choose(1e6).train.some(reading => textOf(reading) === WORDS[0]))
})

test('with room for all, every solution that fits the window is read whole, a place a step and nothing after it', () => {
  const list = choose(1e6)
  assert.equal(list.held.length, held.length)
  assert.equal(list.train.length, train.length - 5)
  for (const { example, row, features } of list.train) {
    assert.deepEqual([row.steps.length, features.length], [example.steps.length, example.steps.length])
    assert.equal(row.steps.at(-1)!.at, row.tokens.length - 1)
    assert.ok(row.tokens.length <= 96)
  }
})
