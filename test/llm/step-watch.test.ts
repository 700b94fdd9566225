// Seeing in a text that grows that its step is whole.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { firstParagraph, stripEcho, stripThinking } from '../../src/llm/reply-text.ts'
import { createStepWatch } from '../../src/llm/step-watch.ts'

/** What is written until the watch has enough; null when it never has. */
function untilEnough(pieces: readonly string[], given: readonly string[] = []): string | null {
  const isEnough = createStepWatch(given)
  let text = ''
  for (const piece of pieces) {
    text += piece
    if (isEnough(piece, text)) return text
  }
  return null
}

const cases: readonly [
  name: string,
  pieces: readonly string[],
  given: readonly string[],
  want: string | null,
][] = [
  ['a blank line behind a step', ['a b', '\n', '\n', 'c'], [], 'a b\n\n'],
  ['a blank line in front of it', ['\n\n', 'a', '\n\n', 'b'], [], '\n\na\n\n'],
  ['a step without an end', ['a', '\nb', ' c'], [], null],
  ['blanks in the blank line', ['a', '\n  ', '\n', 'b'], [], 'a\n  \n'],
  ['thoughts', ['<think>', 'a\n\nb\n\n', '</think>', '\n\nc\n\n'], [], '<think>a\n\nb\n\n</think>\n\nc\n\n'],
  ['an echo of the steps given', ['a\n\n', 'b\n\n', 'c\n\n', 'd'], ['a', 'b'], 'a\n\nb\n\nc\n\n'],
  ['what may become an echo', ['a\n\n', 'c\n\n', 'd\n\n'], ['a', 'b'], 'a\n\nc\n\n'],
  ['the beginning of a step of two paragraphs', ['a\n\n', 'b\n\n', 'c\n\n'], ['a\n\nb'], 'a\n\nb\n\nc\n\n'],
  ['an echo of the last step alone', ['b\n\n', 'c\n\n'], ['a', 'b'], 'b\n\nc\n\n'],
]

for (const [name, pieces, given, want] of cases) {
  test(`a step is whole, or not yet: ${name}`, () => assert.equal(untilEnough(pieces, given), want))
}

test('the step of what was written until then is the step of the whole text', () => {
  const word = fc.constantFrom('a', 'b', 'Step 1: c', ' ', '\n', '\n\n', '\n \n', 'x\ny')
  fc.assert(
    fc.property(
      fc.array(word, { maxLength: 30 }),
      fc.array(fc.constantFrom('a', 'b', 'x\ny')),
      (pieces, given) => {
        const stepOf = (text: string) => firstParagraph(stripEcho(stripThinking(text), given).text).text
        const written = untilEnough(pieces, given)
        if (written !== null) assert.equal(stepOf(written), stepOf(pieces.join('')))
      },
    ),
    { numRuns: 1000 },
  )
})

test('a text of many lines is not looked through at each of them', () => {
  const isEnough = createStepWatch([])
  const startedAt = process.cpuUsage()
  let text = '<think>'
  for (let i = 0; i < 200_000; i++) {
    text += '\n\n'
    assert.equal(isEnough('\n\n', text), false)
  }
  const { user } = process.cpuUsage(startedAt)
  assert.ok(user < 5_000_000, `${user} µs`)
})
