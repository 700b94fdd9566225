// From what a model wrote to the new text only.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import {
  type Echo,
  firstParagraph,
  statesAnswer,
  stripEcho,
  stripThinking,
} from '../../src/llm/reply-text.ts'
import { cpuMs } from '../fakes/cpu-clock.ts'

const STEPS = ['Take 2 and 3.', 'So 2 + 3 = 5.', 'Now 5 + 5 = 10.']

const echoes: readonly [name: string, reply: string, text: string, echo: Echo][] = [
  ['new text', 'Half of it is 5.', 'Half of it is 5.', 'none'],
  ['all steps, then new text', `${STEPS.join('\n\n')}\n\nNew.`, 'New.', 'echo'],
  ['all steps, one to a line', `${STEPS.join('\n')}\nNew.`, 'New.', 'echo'],
  [
    'all steps with other spacing',
    'Take  2 and\n3.\n\n\nSo 2 + 3 = 5. \n\nNow 5 + 5 = 10.\r\n\r\nNew.',
    'New.',
    'echo',
  ],
  ['all steps and nothing else', STEPS.join('\n\n'), '', 'echo'],
  ['the last step again', 'Now 5 + 5 = 10.\n\nNew.', 'New.', 'echo'],
  ['the last two again', 'So 2 + 3 = 5.\n\nNow 5 + 5 = 10.\n\nNew.', 'New.', 'echo'],
  ['the first step, then another way', 'Take 2 and 3.\n\nMultiply: 6.', 'Multiply: 6.', 'restart'],
  ['the first step only', 'Take 2 and 3.', '', 'restart'],
  ['a label of the first step', '**Step 1:** Look.', '**Step 1:** Look.', 'restart'],
  ['a number of the first step', '1. Look.', '1. Look.', 'restart'],
  ['a later label', 'Step 10: Look.', 'Step 10: Look.', 'none'],
  ['a decimal at the start', '1.5 is half.', '1.5 is half.', 'none'],
  ['a text that begins like a step', 'Now 5 + 5 = 10. Hence 10.', 'Now 5 + 5 = 10. Hence 10.', 'none'],
  ['a middle step only', 'So 2 + 3 = 5.\n\nElse.', 'So 2 + 3 = 5.\n\nElse.', 'none'],
  ['nothing', ' \n ', '', 'none'],
]

for (const [name, reply, text, echo] of echoes) {
  test(`${name}: echo is ${echo}`, () => {
    assert.deepEqual(stripEcho(reply, STEPS), { text, echo })
  })
}

test('without given steps there is no echo', () => {
  assert.deepEqual(stripEcho('Step 1: go.', []), { text: 'Step 1: go.', echo: 'none' })
  assert.deepEqual(stripEcho('  x', ['', '  ']), { text: 'x', echo: 'none' })
})

test('a step that stands twice is taken as the last one', () => {
  assert.deepEqual(stripEcho('Wait.\n\nNew.', ['Wait.', 'Go.', 'Wait.']), { text: 'New.', echo: 'echo' })
})

const step = fc
  .array(fc.constantFrom('a', 'b', '2', '+', '=', 'So', '\\n', '$x$', '('), { minLength: 1, maxLength: 6 })
  .map(words => words.join(' '))

test('an echo of all steps is taken off exactly, whatever the steps', () => {
  fc.assert(
    fc.property(fc.array(step, { minLength: 1, maxLength: 6 }), steps => {
      const reply = `${steps.join('\n\n')}\n\nSomething quite new.`
      assert.deepEqual(stripEcho(reply, steps), { text: 'Something quite new.', echo: 'echo' })
    }),
  )
})

test('what is left is always the end of the reply', () => {
  fc.assert(
    fc.property(fc.string(), fc.array(fc.string(), { maxLength: 4 }), (reply, steps) => {
      const { text } = stripEcho(reply, steps)
      assert.ok(reply.trim().endsWith(text))
    }),
  )
})

test('thoughts are dropped', () => {
  assert.equal(stripThinking('<think>a\n\nb</think>\nc'), '\nc')
  assert.equal(stripThinking('a\n</think>c'), 'c')
  assert.equal(stripThinking('<think>never closed'), '')
  assert.equal(stripThinking('I <think> so'), 'I <think> so')
})

test('the first paragraph ends at a blank line, also one with spaces in it', () => {
  assert.deepEqual(firstParagraph('\n\n a\nb \n \t\n c'), { text: 'a\nb', more: true })
  assert.deepEqual(firstParagraph('a\nb\n\n'), { text: 'a\nb', more: false })
  assert.deepEqual(firstParagraph('a\r\n\r\nb'), { text: 'a', more: true })
  assert.deepEqual(firstParagraph(''), { text: '', more: false })
})

test('an answer is stated in words or in a box', () => {
  for (const text of ['The answer is 5.', 'So the final answer is: x', 'Thus \\boxed{5}']) {
    assert.ok(statesAnswer(text), text)
  }
  for (const text of ['The answer is', 'We look for the answer.', 'boxed 5'])
    assert.ok(!statesAnswer(text), text)
})

test('long hostile text is read in linear time', () => {
  const text = `${' \n'.repeat(1)}${'<think>'.repeat(50_000)}${'\n \t'.repeat(100_000)}x`
  const at = cpuMs()
  firstParagraph(stripEcho(stripThinking(`y${text}`), [`y${text}`]).text)
  statesAnswer(`the answer is${' '.repeat(200_000)}`)
  assert.ok(cpuMs() - at < 1000)
})
