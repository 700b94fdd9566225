// Numbers in prose and light LaTeX, as digits and as words.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { readNumberWords } from '../../src/answer/number-words.ts'
import { readNumbers } from '../../src/answer/numbers.ts'
import { format } from '../../src/answer/rational.ts'

const read = (text: string) =>
  readNumbers(text).map(n => `${n.text} is ${n.value === null ? 'unread' : format(n.value)}`)

const cases: [given: string, want: string[]][] = [
  ['1,234 eggs at $48', ['1,234 is 1234', '48 is 48']],
  ['12.5 and .5.', ['12.5 is 25/2', '.5 is 1/2']],
  ['3/4 of it', ['3/4 is 3/4']],
  ['48/2=24', ['48 is 48', '2 is 2', '24 is 24']],
  ['\\frac{3}{4} \\dfrac12 \\frac{48}{2}', ['\\frac{3}{4} is 3/4', '\\dfrac12 is 1/2', '48 is 48', '2 is 2']],
  ['50% or 12.5\\%', ['50% is 1/2', '12.5\\% is 1/8']],
  ['1{,}234 and 1\\,234', ['1{,}234 is 1234', '1\\,234 is 1234']],
  ['1,2345 and (1,2)', ['1 is 1', '2345 is 2345', '1 is 1', '2 is 2']],
  ['x2 A1 a_1 x_{10}', []],
  ['2x + 3y, 3\\cdot4, x^2', ['2 is 2', '3 is 3', '3 is 3', '4 is 4', '2 is 2']],
  ['it is -3, = -3 (-3)', ['-3 is -3', '-3 is -3', '-3 is -3']],
  ['5 -3, 5-3, x -3, 5 - 3', ['5 is 5', '3 is 3', '5 is 5', '3 is 3', '3 is 3', '5 is 5', '3 is 3']],
  ['is -$5, is \u22123/4', ['-$5 is -5', '\u22123/4 is -3/4']],
  ['12/25/2020', ['12 is 12', '25 is 25', '2020 is 2020']],
  ['version 1.2.3', ['1.2.3 is unread']],
  ['1/0', ['1 is 1', '0 is 0']],
  ['the 3rd at 3:30', ['3 is 3', '3 is 3', '30 is 30']],
  ['wait... 5', ['5 is 5']],
  ['1,000/4', ['1,000 is 1000', '4 is 4']],
  ['1/1,000', ['1 is 1', '1,000 is 1000']],
  ['9'.repeat(61), [`${'9'.repeat(61)} is unread`]],
  ['', []],
]

for (const [given, want] of cases) {
  test(`reads numbers of ${JSON.stringify(given.slice(0, 40))}`, () => assert.deepEqual(read(given), want))
}

test('a fraction offers its parts with their own places', () => {
  const [fraction] = readNumbers('is -\\frac{3}{14}')
  assert.deepEqual(
    fraction?.parts?.map(part => [part.text, part.start]),
    [
      ['3', 10],
      ['14', 13],
    ],
  )
})

const scraps = fc
  .array(
    fc.constantFrom(
      '1',
      '23',
      ',',
      '.',
      '/',
      '%',
      '\\%',
      '-',
      ' ',
      'x',
      '$',
      '\\frac{',
      '}{',
      '}',
      '000',
      '=',
      '{,}',
      '\u2212',
    ),
    {
      maxLength: 40,
    },
  )
  .map(parts => parts.join(''))

test('spans are ordered, disjoint and hold their own text', () => {
  fc.assert(
    fc.property(scraps, text => {
      let end = 0
      for (const number of readNumbers(text)) {
        assert.ok(number.start >= end && number.end > number.start)
        assert.equal(number.text, text.slice(number.start, number.end))
        end = number.end
      }
    }),
    { numRuns: 500 },
  )
})

test('text after a finished number changes no earlier number', () => {
  fc.assert(
    fc.property(scraps, scraps, (text, more) => {
      const before = readNumbers(`${text} `)
      assert.deepEqual(readNumbers(`${text} ${more}`).slice(0, before.length), before)
    }),
    { numRuns: 500 },
  )
})

test('words give the values they name', () => {
  const words: [string, string[]][] = [
    ['Two dogs and a dozen eggs', ['2', '12']],
    ['twenty-five', ['20', '5', '25']],
    ['two hundred', ['2', '100', '200']],
    ['three quarters of half', ['3', '1/4', '3/4', '1/2']],
    ['twice as many', ['2']],
    ['one two', ['1', '2']],
    ['tonne bone constructor', []],
  ]
  for (const [given, want] of words) assert.deepEqual(readNumberWords(given).map(format), want)
  for (const given of ['someone', 'tenth-rated often', 'fourths', 'twos', 'onefold', 'tw0 o2ne'])
    assert.deepEqual(readNumberWords(given).map(format), given.startsWith('tenth') ? ['1/10'] : [], given)
})
