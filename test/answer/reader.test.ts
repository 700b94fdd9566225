// Reading a solution: slots by value, flags by origin, evidence, and that no mark looks ahead.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { createReader, NUMBER_FLAGS, type NumberMark } from '../../src/answer/reader.ts'
import { cpuMs } from '../fakes/cpu-clock.ts'

const show = (text: string, marks: readonly NumberMark[]) =>
  marks.map(mark => `${text.slice(mark.start, mark.end)}:${mark.slot}:${mark.flag}`).join(' ')

function readAll(problem: string, ...steps: string[]): string[] {
  const reader = createReader(problem)
  return steps.map(step => show(step, reader.read(step).numbers))
}

test('slots count distinct values in order, however a value is written', () => {
  const problem = 'He has 1,000 dollars, 50% of it in 2 banks.'
  const reader = createReader(problem)
  assert.equal(show(problem, reader.problemNumbers), '1,000:1:given 50%:2:given 2:3:given')
  const step = 'So 1000.0 and 1/2 and 0.5 and \\frac{1}{2} and 7 and 7.00.'
  assert.equal(
    show(step, reader.read(step).numbers),
    '1000.0:1:given 1/2:2:given 0.5:2:given \\frac{1}{2}:2:given 7:4:nowhere 7.00:4:known',
  )
})

test('flags tell where each number comes from', () => {
  const problem = 'Ann has 16 eggs and eats three. She sells the rest for $2 each.'
  assert.deepEqual(
    readAll(
      problem,
      'Step 1: She sells 16 - 3 = 13 eggs.',
      '2. That makes 13 * 2 = $27.',
      'With 48 left, 77 and 1.2.3.',
    ),
    [
      '16:1:given 3:3:given 13:4:holds',
      '13:4:known 2:2:given 27:5:fails',
      // 48 is 16 * 3; 77 is not one operation away from anything.
      '48:6:derived 77:7:nowhere 1.2.3:8:unread',
    ],
  )
})

test('a known value stays known in later steps, and the result of an equation becomes known', () => {
  assert.deepEqual(readAll('There are 40 and 9.', 'So 40 * 9 = 360.', 'Then 360.'), [
    '40:1:given 9:2:given 360:3:holds',
    '360:3:known',
  ])
})

test('a division of two known values is two numbers, any other fraction one', () => {
  assert.deepEqual(readAll('750 for 60 people', 'So 750/60 = 12.5 and 5/7 and 25/2.'), [
    '750:1:given 60:2:given 12.5:3:holds 5/7:4:nowhere 25/2:3:known',
  ])
})

test('a longer right side is judged where it comes out, and its first term is not called wrong for being a part', () => {
  assert.deepEqual(readAll('Of 48, 2 and 3', 'So 48 / 2 + 3 = 24 + 3 = 27.'), [
    '48:1:given 2:2:given 3:3:given 24:4:derived 3:3:holds 27:5:holds',
  ])
})

test('percent and rounded results are derived', () => {
  assert.deepEqual(readAll('20% of 35 in 3 parts', 'That is 20 of 700, or 11.67 each.'), [
    '20:4:given 700:5:derived 11.67:6:derived',
  ])
})

test('evidence lists equations first, then numbers from nowhere, each once', () => {
  const reader = createReader('Tom has 12 cats.')
  assert.deepEqual(reader.read('So 12 + 12 = 25 cats, 77 dogs and 77 mice in 2019.').evidence, [
    {
      kind: 'equation',
      text: '12 + 12 = 25',
      holds: false,
      detail: 'the left side is 24, the right side 25',
    },
    {
      kind: 'number_from_nowhere',
      text: '77',
      holds: null,
      detail: 'not in the problem, not stated before, and not one operation away from two numbers that were',
    },
  ])
  assert.deepEqual(reader.read('After 60 minutes, 2 or x^9 or 17y.').evidence, [])
})

const scraps = fc
  .array(
    fc.constantFrom(
      '1',
      '12',
      '3.5',
      '7',
      ' + ',
      '-',
      '*',
      '/',
      ' = ',
      '=',
      '(',
      ')',
      ' ',
      ' eggs ',
      'x',
      '%',
      ' of ',
      '\\frac{',
      '}{',
      '}',
      '$',
      '\n',
      ',',
      '.',
      ' two ',
      '<<',
      '>>',
      'Step ',
    ),
    { maxLength: 30 },
  )
  .map(parts => parts.join(''))

test('text added after a finished number changes no earlier mark', () => {
  fc.assert(
    fc.property(scraps, scraps, scraps, scraps, (problem, earlier, step, more) => {
      const read = (text: string) => {
        const reader = createReader(problem)
        reader.read(earlier)
        return reader.read(text).numbers
      }
      const before = read(`${step} `)
      assert.deepEqual(read(`${step} ${more}`).slice(0, before.length), before)
    }),
    { numRuns: 1000 },
  )
})

test('the same solution reads the same twice', () => {
  fc.assert(
    fc.property(scraps, fc.array(scraps, { maxLength: 4 }), (problem, steps) => {
      const read = () => {
        const reader = createReader(problem)
        return steps.map(step => reader.read(step))
      }
      assert.deepEqual(read(), read())
    }),
  )
})

test('marks are ordered and disjoint, slots from 1 to 512, flags of the list', () => {
  fc.assert(
    fc.property(scraps, scraps, (problem, step) => {
      let end = 0
      for (const mark of createReader(problem).read(step).numbers) {
        assert.ok(mark.start >= end && mark.end > mark.start && mark.slot >= 1 && mark.slot <= 512)
        assert.ok(NUMBER_FLAGS.includes(mark.flag))
        end = mark.end
      }
    }),
  )
})

test('thousands of distinct values cost bounded time and share the last slot', () => {
  const many = Array.from({ length: 20_000 }, (_, i) => `${i * i + 0.37}`).join(' ')
  const started = cpuMs()
  const { numbers } = createReader(many).read(`${many} 5`)
  assert.ok(cpuMs() - started < 2000)
  assert.equal(numbers.at(-1)?.slot, 512)
})
