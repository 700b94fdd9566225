// A chat model's judgement of a step: how it is asked for, and what counts as a verdict.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { spcMessages } from '../../src/remote/spc-prompt.ts'
import { MAX_RATIONALE, rationaleOf, readJudgement } from '../../src/remote/spc-reply.ts'

const VERDICTS: readonly (readonly [reply: string, want: boolean | null])[] = [
  ['1. Analysis …\n2. Critique …\n3. <Answer>Correct</Answer>', true],
  ['<Answer>Incorrect</Answer>', false],
  ['<answer> INCORRECT. </answer>\n', false],
  ['<Answer>**Correct**</Answer>', true],
  ['<Answer>Not correct</Answer>', false],
  ['First I thought <Answer>Correct</Answer>, but no: <Answer>Incorrect</Answer>', false],
  ['The step is correct.\n<Answer>Incorrect</Answer>\nI hope this helps!', false],
  ['So the verdict is \\boxed{Correct}', true],
  ['So \\boxed{\\text{incorrect}}.', false],
  ['…\n\nConclusion: Incorrect', false],
  ['…\n\n3. **Conclusion:** Correct.', true],
  ['…\nThe last step is incorrect.', false],
  ['…\nVerdict: right', true],
  ['Correct', true],
  ['wrong', false],
  ['', null],
  ['<Answer></Answer>', null],
  ['<Answer>Correct or Incorrect</Answer>', null],
  ['<Answer>mostly correct</Answer>', null],
  ['<Answer>42</Answer>', null],
  ['The last step is not entirely wrong', null],
  ['The last step might be correct', null],
  ['I cannot tell.', null],
  ['The result is 42.', null],
  ['<Answer>Correct', null],
]
for (const [reply, want] of VERDICTS)
  test(`${JSON.stringify(reply)} says ${want === null ? 'nothing' : want ? 'right' : 'wrong'}`, () => {
    assert.equal(readJudgement(reply), want)
  })

const anyText = fc.oneof(
  fc.string({ unit: 'binary' }),
  fc.string({ unit: fc.constantFrom('<', '>', 'a', '/', ' ', '\n', '}') }),
)

test('the last tagged verdict decides, whatever stands before it and after it', () => {
  const noTag = anyText.filter(text => !/answer/i.test(text))
  fc.assert(
    fc.property(noTag, fc.boolean(), fc.boolean(), noTag, (before, first, right, after) => {
      const tag = (is: boolean) => `<Answer>${is ? 'Correct' : 'Incorrect'}</Answer>`
      assert.equal(readJudgement(`${before}${tag(first)}\n${tag(right)}${after}`), right)
    }),
  )
})

test('any text is read in a moment, as right, wrong or nothing', () => {
  fc.assert(fc.property(anyText, text => assert.ok([true, false, null].includes(readJudgement(text)))))
  for (const hostile of [
    '<answer>'.repeat(50_000),
    '\\boxed{'.repeat(50_000),
    'a '.repeat(200_000),
    ' '.repeat(400_000),
  ]) {
    const start = performance.now()
    assert.equal(readJudgement(hostile), null)
    rationaleOf(hostile)
    assert.ok(performance.now() - start < 1000)
  }
})

test('a rationale is the reply without the tag, and an over-long one is cut', () => {
  assert.equal(rationaleOf('\n2 + 2 is 4.\n\n<Answer>Correct</Answer>\n'), '2 + 2 is 4.')
  const cut = rationaleOf('x'.repeat(MAX_RATIONALE + 1))
  assert.equal(cut.length, MAX_RATIONALE)
  assert.ok(cut.endsWith('…'))
})

test('the question has the problem, the steps before and the last step', () => {
  const [system, user] = spcMessages({ problem: 'P?', steps: ['A.', 'B.', 'C.'] }, [])
  assert.equal(system?.role, 'system')
  assert.match(system!.content, /<Answer>Correct<\/Answer> or <Answer>Incorrect<\/Answer>/)
  assert.deepEqual(user, {
    role: 'user',
    content: '## Problem\nP?\n\n## Partial Solution\nA.\n\nB.\n\n## Last Step\nC.',
  })
})

test('examples stand before it as earlier turns, verdicts included, and the reader agrees with them', () => {
  const examples = [
    { problem: 'Q?', steps: ['1 + 1 = 2.'], right: true, critique: 'The sum is right.' },
    { problem: 'R?', steps: ['x', '1 + 1 = 3.'], right: false, critique: 'The sum is wrong.' },
  ]
  const messages = spcMessages({ problem: 'P?', steps: ['A.'] }, examples)
  assert.deepEqual(
    messages.map(({ role }) => role),
    ['system', 'user', 'assistant', 'user', 'assistant', 'user'],
  )
  assert.deepEqual(
    messages.filter(({ role }) => role === 'assistant').map(({ content }) => readJudgement(content)),
    [true, false],
  )
  assert.match(messages[1]!.content, /None: the last step is the first/)
})
