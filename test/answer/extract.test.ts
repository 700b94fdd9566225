// Final answers: where they are looked for, in which order, and as what they come out.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { extractAnswer } from '../../src/answer/extract.ts'
import { cpuMs } from '../fakes/cpu-clock.ts'

const cases: { name: string; table: [given: string, want: string | null][] }[] = [
  {
    name: 'the last box comes first',
    table: [
      ['So \\boxed{3}, no, \\boxed{\\frac{1}{2}} it is. The answer is 7.', '\\frac{1}{2}'],
      ['\\boxed{ \\{1, 2\\} }', '\\{1, 2\\}'],
      ['\\boxed{5} and then \\boxed{', '5'],
      ['\\fbox{9}', '9'],
    ],
  },
  {
    name: 'then the mark of GSM8K, the heading of PRM800K and the phrases',
    table: [
      ['She has 9.\n#### 18', '18'],
      ['Ok, 1/7.\n\n# Answer\n\n1/7', '1/7'],
      ['#### Step 4\nThe answer is 12.', '12'],
      ['The answer is $18.', '$18'],
      ['The answer is 3.5 dollars. Check: 3 + 4.', '3.5 dollars'],
      ['Therefore, the final answer is: **42**.', '42'],
      ['**Answer:** 42', '42'],
      ['First the answer is 3, but the correct answer is 4', '4'],
      ['Answer: (B)', '(B)'],
      ['The answer is (C) because it is the only one of them which is big enough.', '(C)'],
      ['The answer is 12 because that is what you get when you add them all.', '12'],
      ['Solution: Choice_A', 'Choice_A'],
      ['So the answer is $\\frac{3}{4}$.', '$\\frac{3}{4}$'],
      ['The answer is Paris.', 'Paris'],
    ],
  },
  {
    name: 'then the last step: its last choice, else its last number',
    table: [
      ['It is 5.\n\nSo we pick (B) of 4.', '(B)'],
      ['So she has 5 apples and 3 + 4 = 7 pears.', '7'],
      ['There are 8.\nSo that is it.', null],
      ['The answer is found by adding 3 and 4, one after the other, with care', '4'],
      ['', null],
      [' \n ', null],
    ],
  },
]

for (const { name, table } of cases) {
  test(name, () => {
    for (const [given, want] of table) assert.equal(extractAnswer(given), want, given)
  })
}

test('a boxed answer comes back as it was written', () => {
  const answer = fc.array(fc.constantFrom('1', 'x', '+', '\\frac{1}{2}', '{2}', ' y', '\\}'), {
    minLength: 1,
  })
  fc.assert(
    fc.property(answer, fc.string({ maxLength: 40 }), (parts, before) => {
      const text = parts.join('').trim()
      assert.equal(extractAnswer(`${before.replaceAll('\\', '')} \\boxed{${text}} so it is`), text)
    }),
  )
})

test('an answer is trimmed and never empty', () => {
  fc.assert(
    fc.property(fc.string(), text => {
      const answer = extractAnswer(text)
      assert.ok(answer === null || (answer !== '' && answer === answer.trim()))
    }),
  )
})

test('hostile text of 100,000 characters is read within a second', () => {
  for (const part of [
    '\\boxed{',
    '\\boxed{{',
    '####',
    '# Answer\n',
    'answer is ',
    'answer: ',
    '(A)',
    '{',
    '}',
    'the answer is 1 a b c d e f g h i. ',
    '.',
    ' ',
    '\n',
    '**',
    '$',
  ]) {
    const started = cpuMs()
    extractAnswer(part.repeat(100_000 / part.length))
    assert.ok(cpuMs() - started < 1000, part)
  }
})
