// Reading parts with a memory of what was read: it must not show, but in what is read again.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { createPartReader } from '../../src/critic/parts.ts'
import type { TextTokenizer } from '../../src/critic/tokenizer.ts'
import type { CritiqueItem } from '../../src/critic/types.ts'
import { tinyTokenizer } from '../fakes/tiny-critic.ts'

const WINDOW = 128
const PROBLEMS = ['Tom has 12 apples and eats 5%. How many are left?', 'Let $x = 3$ and y be two.', '']
const STEPS = [
  '12 * 5 = 60',
  'So x + 1 = 4, and 12 / 5 = 2.4 apples.',
  'x = 7',
  'Then 2x + 1 = 15.',
  'Then 2x + 1 = 7.',
  '77 + 60 = 137 and again 77',
  '',
  'word '.repeat(150),
]
const item = fc.record({
  problem: fc.constantFrom(...PROBLEMS),
  steps: fc.array(fc.constantFrom(...STEPS), { maxLength: 6 }),
})

test('what is read with a memory, wide or forgetful, is what is read without one', () => {
  fc.assert(
    fc.property(
      fc.array(item, { minLength: 1, maxLength: 12 }),
      fc.constantFrom(1, 12_000, 1e9),
      (items, bytes) => {
        const remembers = createPartReader(tinyTokenizer, WINDOW, bytes)
        for (const one of items) {
          const want = createPartReader(tinyTokenizer, WINDOW).read(one)
          assert.deepEqual(remembers.read(one).map(shown), want.map(shown))
          assert.ok(remembers.bytes <= bytes)
        }
      },
    ),
    { numRuns: 200 },
  )
})

const shown = ({ tokens, slots, flags, features, evidence }: ReturnType<typeof readOne>[number]) => ({
  tokens,
  slots,
  flags,
  features,
  evidence,
})
const readOne = (given: CritiqueItem) => createPartReader(tinyTokenizer, WINDOW).read(given)

test('a path that grows costs its new step, and so does one that leaves it in the middle, from the second on', () => {
  let chars = 0
  const counting: TextTokenizer = {
    ...tinyTokenizer,
    encode(text) {
      chars += text.length
      return tinyTokenizer.encode(text)
    },
  }
  const reader = createPartReader(counting, WINDOW, 1e9)
  const problem = PROBLEMS[0]!
  const [a, b, c, d] = STEPS.slice(0, 4) as [string, string, string, string]
  const costOf = (...steps: string[]) => {
    chars = 0
    reader.read({ problem, steps })
    return chars
  }
  assert.equal(costOf(a), problem.length + a.length)
  assert.equal(costOf(a, b), b.length)
  assert.equal(costOf(a, b), 0)
  assert.equal(costOf(b, c, d), b.length + c.length + d.length)
  assert.equal(costOf(b, c, a), b.length + c.length + a.length, 'nobody had stopped there')
  assert.equal(costOf(b, c, b), b.length)
})
