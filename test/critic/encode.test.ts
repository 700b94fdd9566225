// Encoding: marks sit behind their numbers, nothing looks ahead, windows score every step once, hostile sizes stay cheap.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { NUMBER_FLAGS } from '../../src/answer/reader.ts'
import { encodeItem, encodePrompt, endedRow, type Row } from '../../src/critic/encode.ts'
import { FLAGS, SLOTS } from '../../src/critic/parts.ts'
import { EOS, PROBLEM, STEP } from '../../src/critic/tokenizer.ts'
import { cpuMs } from '../fakes/cpu-clock.ts'
import { tinyTokenizer as tokenizer } from '../fakes/tiny-critic.ts'

const WIDE = 100_000
const PROBLEM_TEXT = 'Tom has 12 apples and eats 5.'

/** What the channels say, as text: each mark with everything written before it and the token that carries it. */
function marksOf(row: Pick<Row, 'tokens' | 'slots' | 'flags'>) {
  return row.tokens.flatMap((token, i) => {
    if (row.slots[i] === 0) return []
    const from = row.tokens.findLastIndex((t, k) => k < i && (t === STEP || t === PROBLEM)) + 1
    const number = /[\d.,/]*\d$/.exec(tokenizer.decode(row.tokens.slice(from, i)))?.[0]
    const on = token === STEP ? '<step>' : token === PROBLEM ? '<problem>' : tokenizer.decode([token])
    return [{ number, on, slot: row.slots[i], flag: NUMBER_FLAGS[row.flags[i]! - 1] }]
  })
}

const rowOf = (problem: string, steps: readonly string[]): Row =>
  encodeItem(tokenizer, { problem, steps }, WIDE).rows[0]!

test('the mark of a number sits on the token after it', () => {
  const row = rowOf(PROBLEM_TEXT, ['12 - 5 = 7, so 7 are left', 'He buys 31 more: 7 + 31 = 39'])
  assert.deepEqual(marksOf(row), [
    { number: '12', on: ' ', slot: 1, flag: 'given' },
    { number: '5', on: '.', slot: 2, flag: 'given' },
    { number: '12', on: ' ', slot: 1, flag: 'given' },
    { number: '5', on: ' ', slot: 2, flag: 'given' },
    { number: '7', on: ',', slot: 3, flag: 'holds' },
    { number: '7', on: ' ', slot: 3, flag: 'known' },
    { number: '31', on: ' ', slot: 4, flag: 'nowhere' },
    { number: '7', on: ' ', slot: 3, flag: 'known' },
    { number: '31', on: ' ', slot: 4, flag: 'known' },
    { number: '39', on: '<step>', slot: 5, flag: 'fails' },
  ])
})

test('a number at the very end of the problem marks the problem’s end', () => {
  const row = encodePrompt(tokenizer, { problem: 'What is 3 + 4', steps: [] }, { window: WIDE, reserve: 0 })
  assert.deepEqual(
    marksOf(row).map(({ number, on }) => [number, on]),
    [
      ['3', ' '],
      ['4', '<problem>'],
    ],
  )
})

test('the text itself passes through unchanged, parts closed by their special tokens', () => {
  const steps = ['12 - 5 = 7.', 'The answer is 7.']
  const { tokens, steps: places } = rowOf(PROBLEM_TEXT, steps)
  const parts: string[] = []
  let from = 0
  tokens.forEach((token, i) => {
    if (token !== STEP && token !== PROBLEM) return
    parts.push(tokenizer.decode(tokens.slice(from, i)))
    from = i + 1
  })
  assert.deepEqual(parts, [PROBLEM_TEXT, ...steps])
  assert.equal(from, tokens.length)
  assert.deepEqual(
    places.map(({ index, at }) => [index, tokens[at]]),
    [
      [0, STEP],
      [1, STEP],
    ],
  )
})

/** Text made of what a solution is made of, often with numbers at its edges. */
const anyStep = fc
  .array(
    fc.oneof(
      fc.nat(120).map(String),
      fc.constantFrom(
        ' ',
        ' = ',
        ' + ',
        ' / ',
        '. ',
        ', ',
        '%',
        '1,000',
        '3/4',
        'half',
        'two',
        'clips',
        '$',
        '\\frac{1}{2}',
        '\n',
        '<step>',
        '½',
      ),
      fc.string({ unit: 'binary', maxLength: 4 }),
    ),
    { minLength: 1, maxLength: 12 },
  )
  .map(parts => parts.join(''))
const anyItem = fc.record({ problem: anyStep, steps: fc.array(anyStep, { minLength: 1, maxLength: 6 }) })

test('channels are as long as the tokens and within the tables', () => {
  fc.assert(
    fc.property(anyItem, ({ problem, steps }) => {
      for (const row of encodeItem(tokenizer, { problem, steps }, 64).rows) {
        assert.equal(row.slots.length, row.tokens.length)
        assert.equal(row.flags.length, row.tokens.length)
        assert.ok(row.slots.every(slot => slot >= 0 && slot < SLOTS))
        assert.ok(row.flags.every(flag => flag >= 0 && flag < FLAGS))
        assert.ok(row.slots.every((slot, i) => slot > 0 === row.flags[i]! > 0))
      }
    }),
  )
})

test('encoding the first steps gives the beginning of encoding all: no step sees a later one', () => {
  fc.assert(
    fc.property(anyItem, fc.nat(), ({ problem, steps }, n) => {
      const count = 1 + (n % steps.length)
      const all = encodeItem(tokenizer, { problem, steps }, WIDE)
      const some = encodeItem(tokenizer, { problem, steps: steps.slice(0, count) }, WIDE)
      const [a, s] = [all.rows[0]!, some.rows[0]!]
      for (const channel of ['tokens', 'slots', 'flags'] as const)
        assert.deepEqual(s[channel], a[channel].slice(0, s[channel].length))
      assert.deepEqual(s.steps, a.steps.slice(0, count))
      assert.deepEqual(some.features, all.features.slice(0, count))
      assert.deepEqual(some.evidence, all.evidence.slice(0, count))
    }),
  )
})

test('a finished number’s mark does not depend on the text after it', () => {
  fc.assert(
    fc.property(anyStep, anyStep, (before, after) => {
      const text = `${before} and then `
      const whole = rowOf(PROBLEM_TEXT, [text + after])
      const start = rowOf(PROBLEM_TEXT, [text])
      const shared = start.tokens.findIndex((token, i) => token !== whole.tokens[i])
      for (const channel of ['slots', 'flags'] as const)
        assert.deepEqual(start[channel].slice(0, shared), whole[channel].slice(0, shared))
    }),
  )
})

test('a long item becomes windows in which every step is scored exactly once, in order', () => {
  fc.assert(
    fc.property(
      fc.record({ problem: anyStep, steps: fc.array(anyStep, { minLength: 1, maxLength: 30 }) }),
      fc.integer({ min: 4, max: 90 }),
      ({ problem, steps }, window) => {
        const { rows, features, evidence } = encodeItem(tokenizer, { problem, steps }, window)
        assert.deepEqual(
          rows.flatMap(row => row.steps.map(step => step.index)),
          steps.map((_, i) => i),
        )
        assert.equal(features.length, steps.length)
        assert.equal(evidence.length, steps.length)
        const head = rows[0]!.tokens.slice(0, rows[0]!.tokens.indexOf(PROBLEM) + 1)
        for (const row of rows) {
          assert.ok(row.tokens.length <= window)
          assert.deepEqual(row.tokens.slice(0, head.length), head, 'every window begins with the problem')
          const ends = row.tokens.flatMap((token, i) => (token === STEP ? [i] : []))
          assert.deepEqual(
            row.steps.map(step => step.at),
            ends.slice(-row.steps.length),
            'the steps scored are the last ones of the window',
          )
        }
      },
    ),
  )
})

test('a window repeats the latest steps before its own', () => {
  const steps = Array.from({ length: 12 }, (_, i) => `Then ${i} clips in May.`)
  const { rows } = encodeItem(tokenizer, { problem: PROBLEM_TEXT, steps }, 110)
  assert.ok(rows.length >= 2)
  for (const row of rows.slice(1)) {
    const text = tokenizer.decode(row.tokens.slice(row.tokens.indexOf(PROBLEM) + 1))
    const first = row.steps[0]!.index
    const context = row.tokens.filter(token => token === STEP).length - row.steps.length
    assert.ok(context >= 1)
    assert.ok(text.startsWith(steps.slice(first - context, first).join('')))
  }
})

test('a step longer than the window keeps its beginning and its end token', () => {
  const { rows } = encodeItem(
    tokenizer,
    { problem: 'What is 2?', steps: ['clips '.repeat(500), 'So 2.'] },
    32,
  )
  assert.deepEqual(
    rows.map(row => [row.tokens.length, row.tokens.at(-1)]),
    [
      [32, STEP],
      [rows[1]!.tokens.length, STEP],
    ],
  )
  assert.match(tokenizer.decode(rows[0]!.tokens), /^What is 2\?clips clips/)
})

test('a prompt is the item’s own encoding; when it is too long the oldest steps go', () => {
  const steps = Array.from({ length: 10 }, (_, i) => `Then ${i} clips in May.`)
  const whole = rowOf(PROBLEM_TEXT, steps)
  const prompt = encodePrompt(tokenizer, { problem: PROBLEM_TEXT, steps }, { window: WIDE, reserve: 0 })
  for (const channel of ['tokens', 'slots', 'flags'] as const)
    assert.deepEqual(prompt[channel], whole[channel])
  const short = encodePrompt(tokenizer, { problem: PROBLEM_TEXT, steps }, { window: 100, reserve: 10 })
  assert.ok(short.tokens.length <= 90)
  const head = whole.tokens.indexOf(PROBLEM) + 1
  assert.deepEqual(short.tokens.slice(0, head), whole.tokens.slice(0, head))
  const kept = short.tokens.length - head
  assert.ok(kept > 0)
  for (const channel of ['tokens', 'slots', 'flags'] as const)
    assert.deepEqual(short[channel].slice(head), whole[channel].slice(-kept))
})

test('a solution as text ends with <eos> and keeps its steps', () => {
  const row = rowOf(PROBLEM_TEXT, ['12 - 5 = 7 apples are left to Tom.', 'The answer is 7.'])
  const solution = endedRow(row)
  assert.deepEqual(solution.tokens, [...row.tokens, EOS])
  assert.deepEqual([solution.slots.at(-1), solution.flags.at(-1)], [0, 0])
  assert.deepEqual(
    [solution.slots.length, solution.flags.length],
    [row.tokens.length + 1, row.tokens.length + 1],
  )
  assert.deepEqual(solution.steps, row.steps)
})

// Each takes some tens of milliseconds on a quiet core; work that grew with the square of the length would not pass.
const HOSTILE: Readonly<Record<string, string>> = {
  'one long word': 'a'.repeat(8000),
  'spaces only': ' '.repeat(8000),
  'one long number': '1'.repeat(8000),
  'many numbers': '1 2 3 4 5 6 7 8 '.repeat(500),
  'many equations': '1+2=3 '.repeat(1333),
  'open brackets': '1+('.repeat(2666),
  'half-open fractions': '\\frac{1}{'.repeat(888),
  'special tokens': '<step>'.repeat(1333),
  'number words': 'twenty-one '.repeat(727),
  thousands: '1,000,000,'.repeat(800),
  'minus signs': `${'-'.repeat(7990)}1 = 2`,
}
for (const [name, text] of Object.entries(HOSTILE)) {
  test(`an item of 8,000-character steps is encoded quickly: ${name}`, () => {
    const start = cpuMs()
    const { rows } = encodeItem(tokenizer, { problem: text, steps: [text, `${text} .`, text] }, 512)
    assert.ok(cpuMs() - start < 3000)
    assert.ok(rows.every(row => row.tokens.length <= 512))
  })
}

test('an item of 512 steps is encoded quickly', () => {
  const steps = Array.from(
    { length: 512 },
    (_, i) => `Then ${i} + ${i} = ${2 * i} clips, which is ${i % 7} more than ${i} in May.`,
  )
  const start = cpuMs()
  const { rows } = encodeItem(tokenizer, { problem: PROBLEM_TEXT, steps }, 512)
  assert.ok(cpuMs() - start < 3000)
  assert.equal(
    rows.reduce((n, row) => n + row.steps.length, 0),
    512,
  )
})
