// Step splitting: which texts part where, and that spans lose nothing.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { type SplitBy, splitSteps } from '../../src/answer/split.ts'
import { cpuMs } from '../fakes/cpu-clock.ts'

const cases: { name: string; given: string; want: string[] }[] = [
  { name: 'paragraphs part at blank lines', given: 'a\nb\n\nc\n \t\n\nd\n', want: ['a\nb', 'c', 'd'] },
  { name: 'lines part when there is no blank line', given: ' a\r\nb \nc', want: ['a', 'b', 'c'] },
  {
    name: 'leading and trailing blank lines make no paragraphs',
    given: '\n\na\nb\n\n',
    want: ['a', 'b'],
  },
  {
    name: 'a single short line is one step',
    given: 'She has 3. He has 4. So 7.',
    want: ['She has 3. He has 4. So 7.'],
  },
  {
    name: 'a display formula stays with the paragraph before it',
    given: 'We have\n\n\\[ x = 3 \\]\n\nThen y.',
    want: ['We have\n\n\\[ x = 3 \\]', 'Then y.'],
  },
  {
    name: 'a display formula stays whole when it opens inside a line',
    given: 'We have \\[\nx = 3\n\ny = 4\n\\] and so on.\n\nDone.',
    want: ['We have \\[\nx = 3\n\ny = 4\n\\] and so on.', 'Done.'],
  },
  {
    name: 'a display formula joins the line before it',
    given: 'So\n$$\nx\n$$\nThen',
    want: ['So\n$$\nx\n$$', 'Then'],
  },
  {
    name: 'a code block with blank lines stays with its introduction',
    given: 'Run this:\n\n```py\na = 1\n\nb = 2\n```\n\nIt prints 3.',
    want: ['Run this:\n\n```py\na = 1\n\nb = 2\n```', 'It prints 3.'],
  },
  {
    name: 'a fence that never closes runs to the end',
    given: 'Run\n\n```\na\n\nb',
    want: ['Run\n\n```\na\n\nb'],
  },
  {
    name: 'a heading stays with what it heads',
    given: 'So 7.\n\n# Answer\n\n7',
    want: ['So 7.', '# Answer\n\n7'],
  },
  { name: 'white space alone is no step', given: ' \n\t\n\u2003\n', want: [] },
  { name: 'no text is no step', given: '', want: [] },
]

for (const { name, given, want } of cases) {
  test(name, () => {
    assert.deepEqual(
      splitSteps(given).map(step => step.text),
      want,
    )
  })
}

const WAYS: readonly SplitBy[] = ['auto', 'paragraph', 'line', 'numbered', 'sentence', 'tokens']

test('a way that is asked for is taken whatever the text looks like', () => {
  const table: [by: SplitBy, given: string, want: string[]][] = [
    ['paragraph', 'a\nb', ['a\nb']],
    ['paragraph', 'a\n\nb', ['a', 'b']],
    ['line', 'a\nb\n\nc', ['a', 'b', 'c']],
    ['line', 'So\n\\[\nx\n\\]\nb', ['So\n\\[\nx\n\\]', 'b']],
    ['numbered', 'First:\n\n1. a\n b\n\n2) c\n3 d', ['First:', '1. a\n b', '2) c\n3 d']],
    ['numbered', '**Step 1:** a\nb\n### Step 2\n\nc', ['**Step 1:** a\nb', '### Step 2\n\nc']],
    ['numbered', '3.5 is a number.\n10 too.', ['3.5 is a number.\n10 too.']],
    ['numbered', 'Step 1: a\n```\n1. code\n```\nStep 2: b', ['Step 1: a\n```\n1. code\n```', 'Step 2: b']],
    [
      'sentence',
      'It is 3.5. So be it! Mr. Li left.\nDone',
      ['It is 3.5.', 'So be it!', 'Mr. Li left.', 'Done'],
    ],
    ['sentence', '1. We add. So it is 3.', ['1. We add.', 'So it is 3.']],
    [
      'tokens',
      'a + 12 '.repeat(42).trim(),
      [`${'a + 12 '.repeat(21)}a`, `+ 12 ${'a + 12 '.repeat(20).trim()}`],
    ],
    ['tokens', 'é'.repeat(999), ['é'.repeat(999)]],
  ]
  for (const [by, given, want] of table)
    assert.deepEqual(
      splitSteps(given, by).map(step => step.text),
      want,
      `${by}: ${given}`,
    )
})

test('a single line of several full sentences parts, but not at Mr. or a decimal point', () => {
  const sentences = [
    'Each box holds 12.5 kg of fruit.',
    'Mr. Smith buys 4 boxes of it.',
    'So he has 50 kg of fruit in all.',
  ]
  assert.deepEqual(
    splitSteps(sentences.join(' ')).map(step => step.text),
    sentences,
  )
})

const text = fc
  .array(
    fc.constantFrom(
      'a',
      'Bc',
      ' ',
      '\n',
      '\n\n',
      '\t',
      '.',
      '. The',
      '\\[',
      '\\]',
      '$$',
      '```',
      '#',
      '\u2003',
      '\r\n',
      '\\begin{',
      '\\end{',
      '😀',
    ),
    { maxLength: 60 },
  )
  .map(parts => parts.join(''))

test('spans are ordered, disjoint, trimmed, and hold every character that is not white space', () => {
  const any = fc.oneof(text, fc.string({ maxLength: 200, unit: 'grapheme' }))
  fc.assert(
    fc.property(any, fc.constantFrom(...WAYS), (solution, by) => {
      let end = 0
      let between = ''
      for (const step of splitSteps(solution, by)) {
        assert.ok(step.start >= end && step.end > step.start)
        assert.equal(step.text, solution.slice(step.start, step.end))
        assert.equal(step.text, step.text.trim())
        between += solution.slice(end, step.start)
        end = step.end
      }
      assert.equal((between + solution.slice(end)).trim(), '')
    }),
    { numRuns: 1500 },
  )
})

test('splitting takes time linear in the text', () => {
  for (const part of ['\\[', '$$', '```', '\n\n', 'a. B', '\\begin{x}\n', '1.\n', 'Step 1 ', '. A ']) {
    for (const by of WAYS) {
      const started = cpuMs()
      splitSteps(part.repeat(100_000 / part.length), by)
      assert.ok(cpuMs() - started < 1000, `${by}: ${part}`)
    }
  }
})
