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

cases.push(
  {
    name: 'a sentence under an answer heading gives what it states, not itself',
    table: [
      ['### Final Answer:\nThe hospital makes a profit of \\$10,000 from these visits each day.', '$10,000'],
      ['### Final Answer\nThe hospital makes a profit of **$70,000** from these visits.', '$70,000'],
      ['### Final Answer\nThe clinic makes a profit of \\(\\$10,000\\) from these visits.', '\\$10,000'],
      ['### Final Answer:\nJohn made a total of $114,200 that year.', '$114,200'],
      ['## **Final Answer**\n\nAfter 10 years, Tom has **91 trees** left.', '91 trees'],
      ['**Final Answer:**\nTom has 91 trees after 10 years of work.', '91'],
      ['### Answer\nAfter 10 years of work Tom has 91 trees.', '91'],
      ['# Answer\n\nThe set of all odd numbers is empty', 'The set of all odd numbers is empty'],
      ['# Answer\n\n12 big red apples', '12 big red apples'],
      ['# Answer\n\nx = 5', 'x = 5'],
      ['So, the answer is that John still has **0 Lego sets**.', '0 Lego sets'],
      ['The final answer is that John still has 4 of them.', '4'],
    ],
  },
  {
    name: 'a numbered heading of four hashes is no answer',
    table: [
      ['#### 4. Solve for \\( S \\):\nS = 8\n\nSo it holds 8 gallons.', '8'],
      ['#### 12\n\n#### 2) Check it:\nfine', '12'],
      ['#### 3.5', '3.5'],
    ],
  },
  {
    name: 'choices and code are answers too',
    table: [
      ['The correct option is (D).', '(D)'],
      ['The best choice is **B**.', 'B'],
      ['Answer: B. Paris is the capital.', 'B'],
      [
        'The correct choice is Choice_B: Steps 1 and 2 are endothermic, and step 3 is exothermic.',
        'Choice_B',
      ],
      ['The correct answer is D, as 1280 minutes is what is left of it all.', 'D'],
      ['Solution: Choice_A (15.5 MHz)', 'Choice_A'],
      ['The answer is C(5, 2) = 10.', 'C(5, 2) = 10'],
      ['The answer is A = 5.', 'A = 5'],
      ['The answer is:\n```\n42\n```\nGood.', '42'],
      ['So we write:\n\n```python\nreturn 3 * x\n```\n', 'return 3 * x'],
      ['# Answer\n```js\nx + 1\n```', 'x + 1'],
      ['```', null],
    ],
  },
)

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
    '####1:\n',
    '```',
    '```\n',
    'answer is it is \\( ',
    'answer is it is one two three four ** ',
  ]) {
    const started = cpuMs()
    extractAnswer(part.repeat(100_000 / part.length))
    assert.ok(cpuMs() - started < 1000, part)
  }
})

test('a hostile line under a heading is read within a second', () => {
  for (const part of ['\\(', '$ ', '** ', 'it is ']) {
    const started = cpuMs()
    extractAnswer(`# Answer\nthe number of trees is ${part.repeat(200_000 / part.length)}`)
    assert.ok(cpuMs() - started < 1000, part)
  }
})

test('a text of 1,000,000 characters that names answers all along is read within a second', () => {
  for (const part of ['answer: ', 'answer is:\\(', 'the answer is 1 is one of a b c d e f g. ']) {
    const started = cpuMs()
    extractAnswer(part.repeat(1_000_000 / part.length))
    assert.ok(cpuMs() - started < 1000, part)
  }
})

test('of many phrases the last one that names an answer counts', () => {
  assert.equal(
    extractAnswer('The answer is 5. Wait, the answer is not what I thought it would be at first.'),
    '5',
  )
  const prose = 'The answer is one that I do not yet see how to reach. '
  assert.equal(extractAnswer(`The answer is 5. ${prose.repeat(20)}`), '5')
})
