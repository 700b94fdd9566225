// Ground truth for other people's solutions of a generated problem, and the equations it is read from.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { readEquations } from '../../src/train/problems/arithmetic.ts'
import { generateProblem } from '../../src/train/problems/generate.ts'
import { legitimateValues } from '../../src/train/problems/paths.ts'
import { createStory } from '../../src/train/problems/story.ts'
import type { Difficulty, GeneratedProblem, StepTruth } from '../../src/train/problems/types.ts'
import { answerIsRight, statedAnswer, verifySolution } from '../../src/train/problems/verify.ts'
import { createRng } from '../../src/train/rng.ts'

/** (30 - 4 - 6) / 5, where 4 and 6 may also be added first. */
function fixture(): GeneratedProblem {
  const s = createStory(createRng(1), 3)
  const [all, four, six, five] = [30, 4, 6, 5].map(value => s.given(value))
  const first = s.step('-', all!, four!, 'That leaves {}.')
  const second = s.step('-', first, six!, 'So {} are left.')
  const last = s.step('/', second, five!, 'Each child gets {}.')
  return {
    problem:
      'Ben has 30 figs. He eats 4, gives away 6 and shares the rest among 5 children. How many does each get?',
    steps: [...s.steps.slice(0, -1), `${s.steps.at(-1)} The answer is 4.`],
    answer: last.text,
    values: legitimateValues(last, s.others),
    givens: s.givens.map(q => q.value),
    kind: 'share',
    difficulty: 2,
  }
}

const TABLE: readonly [name: string, given: readonly string[], want: readonly StepTruth[]][] = [
  [
    'the reference',
    ['30 - 4 = 26.', '26 - 6 = 20.', '20 / 5 = 4. The answer is 4.'],
    ['right', 'right', 'right'],
  ],
  [
    'another order',
    ['4 + 6 = 10.', '30 - 10 = 20.', '20 / 5 = 4. The answer is 4.'],
    ['right', 'right', 'right'],
  ],
  [
    'the six first',
    ['30 - 6 = 24.', '24 - 4 = 20.', '20 / 5 = 4. The answer is 4.'],
    ['right', 'right', 'right'],
  ],
  [
    'a failed sum',
    ['30 - 4 = 25.', '25 - 6 = 19.', '19 / 5 = 3. The answer is 3.'],
    ['wrong', 'unknown', 'wrong'],
  ],
  [
    'a wrong operator',
    ['30 + 4 = 34.', '34 - 6 = 28.', '28 / 5 = 5.60. The answer is 5.60.'],
    ['wrong', 'unknown', 'wrong'],
  ],
  [
    'a number from nowhere',
    ['30 - 4 = 26.', '29 - 9 = 20.', '20 / 4 = 5. The answer is 5.'],
    ['right', 'wrong', 'wrong'],
  ],
  ['a wrong answer after right sums', ['30 - 4 = 26.', '26 - 6 = 20. The answer is 20.'], ['right', 'wrong']],
  [
    'an unknown way that ends right',
    ['30 / 5 = 6.', '10 / 5 = 2.', '6 - 2 = 4. The answer is 4.'],
    ['right', 'right', 'unknown'],
  ],
  ['words only', ['Let us see.', '30 - 4 = 26.'], ['unknown', 'right']],
  ['a cut-off solution so far right', ['30 - 4 = 26.'], ['right']],
  ['a division by zero', ['30 / 0 = 30.'], ['wrong']],
  ['nothing', [], []],
]

for (const [name, given, want] of TABLE) {
  test(`verdicts on ${name}`, () => {
    const got = verifySolution(fixture(), given)
    if (name === 'an unknown way that ends right') {
      // Whatever is known of the way, nothing of it may be called wrong.
      assert.ok(!got.includes('wrong'))
      return
    }
    assert.deepEqual(got, want)
  })
}

test('a wrong result anywhere in a reference solution is found at its step', () => {
  const rng = createRng(8)
  for (let i = 0; i < 500; i++) {
    const p = generateProblem(rng, { difficulty: (1 + (i % 5)) as Difficulty })
    const at = rng.int(0, p.steps.length - 1)
    const broken = p.steps.with(
      at,
      p.steps[at]!.replace(/= (\d+)/, (_, n) => `= ${Number(n) + 1}`),
    )
    const got = verifySolution(p, broken)
    assert.deepEqual(got.slice(0, at + 1), [...Array(at).fill('right'), 'wrong'], broken.join('\n'))
    assert.ok(!got.slice(at + 1).includes('right'))
  }
})

test('answers are compared by value', () => {
  const p = { ...fixture(), answer: '1234.50' }
  for (const answer of ['1234.5', '1,234.50', '1234.50']) assert.ok(answerIsRight(p, answer), answer)
  for (const answer of ['1234', '12345', null]) assert.ok(!answerIsRight(p, answer), String(answer))
})

test('the stated answer is read with or without a dollar sign', () => {
  const table: [string, string | null][] = [
    ['So 3 + 4 = 7. The answer is 7.', '7'],
    ['The answer is $1,250.50.', '1,250.50'],
    ['the answer is: 8', '8'],
    ['Ben has 3 figs.', null],
  ]
  for (const [given, want] of table) assert.equal(statedAnswer(given), want)
})

test('equations are found in prose and light LaTeX', () => {
  const table: [text: string, want: [parts: string, holds: boolean][]][] = [
    ['He has 3 + 4 = 7 figs.', [['3 4 7', true]]],
    ['3 hours * $35/hour = $105', [['3 35 105', true]]],
    [
      'It is 48/2 = 24, then 24 - 5 = 18.',
      [
        ['48 2 24', true],
        ['24 5 18', false],
      ],
    ],
    ['\\(1/3 \\times 18 = 6\\)', [['1 3 18 6', true]]],
    ['$4,000 x $3.5 = $14,000$', [['4,000 3.5 14,000', true]]],
    ['2 + 3 * 4 = 14', [['2 3 4 14', true]]],
    ['2 + 3 = 5 + 4 = 9', []],
    ['(2 + 3) * 4 = 20', []],
    ['100 - 50 = 50%', []],
    ['x + 3 = 7', []],
  ]
  for (const [text, want] of table) {
    const got = readEquations(text).map(e => [[...e.operands, e.result].map(t => t.text).join(' '), e.holds])
    assert.deepEqual(got, want, text)
  }
})

test('any equation in the generator form is read back with its spans', () => {
  const whole = fc.integer({ min: 0, max: 99_999 })
  fc.assert(
    fc.property(whole, fc.constantFrom('+', '-', '*', '/'), whole, whole, (a, op, b, c) => {
      const text = `So Ben has ${a} ${op} ${b} = ${c} figs left.`
      const [equation] = readEquations(text)
      assert.ok(equation !== undefined)
      assert.equal(text.slice(equation.start, equation.end), `${a} ${op} ${b} = ${c}`)
      const exact =
        op === '+'
          ? a + b === c
          : op === '-'
            ? a - b === c
            : op === '*'
              ? a * b === c
              : b !== 0 && a === b * c
      assert.equal(equation.holds, exact)
      for (const term of [...equation.operands, equation.result])
        assert.equal(text.slice(term.start, term.end), term.text)
    }),
  )
})
