// Equality of answers by canonical form.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { canonAnswer, sameAnswer } from '../../src/answer/equal.ts'
import { cpuMs } from '../fakes/cpu-clock.ts'

// Each row lists ways to write one answer; answers of different rows differ.
const rows: string[][] = [
  ['1000', '1,000', '1000.0', '$1000', '\\$1{,}000', '1000.', ' 1000 ', '$1{,}000$', '1 \\times 10^3'],
  ['1/2', '0.5', '.5', '\\frac{1}{2}', '\\dfrac12', '$\\frac{1}{2}$', '\\boxed{0.50}', '2/4', 'x = \\frac12'],
  ['-3/4', '-0.75', '-\\frac{3}{4}', '\\(-\\frac34\\)'],
  ['7/3', '2\\frac{1}{3}', '2 1/3'],
  ['50', '50%', '50\\%', '50 percent'],
  [
    '36',
    '36 eggs',
    '36 square meters',
    '36\\text{ cm}^2',
    '36 \\text{ cm}',
    '$36 per day',
    '36^\\circ',
    '36 degrees',
    '36cm',
    '36eggs',
    '30 + 6 = 36',
    '$30 + $6 = $36',
    '9 \\times 4 = 36 eggs',
  ],
  ['-5', '-$5', '\u22125'],
  ['(B)', 'B', 'b.', '\\text{(B)}', '\\textbf{(B)}', 'Choice_B', '(B) 42'],
  ['(1/2, 1)', '(0.5,1)', '\\left(\\frac{1}{2}, 1\\right)'],
  ['[1/2, 1]'],
  ['1, 2', '1,2', '1.0, 2'],
  ['3\\sqrt{2}', '3 \\sqrt2', '$3\\sqrt{2}$'],
  ['Paris', 'paris.', '\\text{Paris}', '**Paris**'],
  ['New York', 'new  york'],
  ['x^2+1', 'x^{2} + 1'],
  ['5x'],
  ['2ab'],
  ['2xy', '2 x y'],
  ['2'],
  ['3sin x'],
  ['2ln x'],
  ['4pm', '4 pm'],
  ['\\{1, 3\\}', '\\{3,1\\}', '\\{3, 1.0\\}'],
  ['(3, 1)'],
  ['(1, 3)'],
  ['5x+1', 'y = 5x + 1'],
  ['2 million'],
  ['3 hours and 20 minutes'],
  ['12:30'],
  ['5 pi'],
  ['\\pi'],
  [''],
]

test('ways to write one answer have one form', () => {
  for (const row of rows) for (const way of row) assert.equal(canonAnswer(way), canonAnswer(row[0]!), way)
})

test('different answers have different forms', () => {
  assert.equal(new Set(rows.map(row => canonAnswer(row[0]!))).size, rows.length)
})

const scraps = fc
  .array(
    fc.constantFrom(
      '1',
      '20',
      '.',
      ',',
      '/',
      '-',
      '$',
      '%',
      '\\frac',
      '{',
      '}',
      '(',
      ')',
      '[',
      ' ',
      'x',
      'eggs',
      '\\text{',
      '\\boxed{',
      '\\(',
      '\\)',
      '=',
      '^',
      '\\%',
      'A',
      '**',
    ),
    {
      maxLength: 25,
    },
  )
  .map(parts => parts.join(''))

test('an answer equals itself, and surrounding space changes nothing', () => {
  fc.assert(
    fc.property(fc.oneof(scraps, fc.string()), text => {
      assert.ok(sameAnswer(text, text))
      assert.ok(sameAnswer(text, ` ${text}\n`))
    }),
    { numRuns: 1000 },
  )
})

test('whole numbers and fractions are the same with separators, currency, zeros, LaTeX', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: -1_000_000_000, max: 1_000_000_000 }),
      fc.integer({ min: 1, max: 999 }),
      (n, d) => {
        const plain = String(n)
        assert.ok(sameAnswer(n.toLocaleString('en-US'), plain))
        assert.ok(sameAnswer(`${plain}.00`, plain))
        assert.ok(sameAnswer(n < 0 ? `-$${-n}` : `$${n}`, plain))
        assert.ok(sameAnswer(`${n * d}/${d}`, plain))
        const sign = n < 0 ? '-' : ''
        assert.ok(sameAnswer(`${sign}\\frac{${Math.abs(n)}}{${d}}`, `${n}/${d}`))
      },
    ),
  )
})

test('hostile text never throws or hangs', () => {
  const parts = [
    '\\boxed{',
    '{',
    '}',
    '$',
    '**',
    '1 a ',
    'a ',
    '1',
    '1,',
    '(1,',
    '\\frac',
    '\\frac{1}{',
    '\\text{',
    '-',
    '%',
    ' ',
    'x=',
    '10^',
  ]
  for (const part of parts) {
    for (const length of [490, 100_000]) {
      const started = cpuMs()
      canonAnswer(part.repeat(length / part.length))
      assert.ok(cpuMs() - started < 200, part)
    }
  }
})
