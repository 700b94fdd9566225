// The learned vocabulary: encoding loses nothing, digits stand alone, special tokens cannot be typed, training is deterministic.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import {
  createTokenizer,
  EOS,
  PAD,
  PROBLEM,
  SPECIAL_TOKENS,
  STEP,
  type TextTokenizer,
} from '../../src/critic/tokenizer.ts'
import { trainTokenizer } from '../../src/train/bpe.ts'

const TEXTS = [
  'Natalia sold clips to 48 of her friends in April, and then she sold half as many clips in May.',
  'She sold 48 / 2 = 24 clips in May. Altogether she sold 48 + 24 = 72 clips.',
  'So the answer is \\boxed{72}. The answer is 72.',
  'Let x be the number of clips; then \\frac{x}{2} = 24, so x = 48.',
]

interface TokenizerJson {
  readonly model: {
    readonly vocab: Readonly<Record<string, number>>
    readonly merges: readonly [string, string][]
  }
}
const train = (texts: readonly string[], size: number): TokenizerJson =>
  trainTokenizer(texts, size) as TokenizerJson
const tokenizer = createTokenizer(train(TEXTS, 300))
const pieces = (t: TextTokenizer, text: string): string[] => t.encode(text).map(id => t.decode([id]))

/** Any text UTF-8 can carry: every code point but lone surrogates, mixed with what a solution is made of. */
const anyText = fc
  .array(
    fc.oneof(
      fc.string({ unit: 'binary', maxLength: 8 }),
      fc.constantFrom(
        ' .',
        ' ,',
        '  ',
        '\n\n',
        "n't",
        " 's",
        ' 48',
        '½',
        '\ufeff',
        '\\frac{1}{2}',
        'clips',
        '<step>',
        '<',
        'pad>',
        '\u0000',
      ),
    ),
    { maxLength: 20 },
  )
  .map(parts => parts.join(''))

test('decoding what was encoded gives the text back', () => {
  fc.assert(
    fc.property(anyText, text => {
      assert.equal(tokenizer.decode(tokenizer.encode(text)), text)
    }),
    { numRuns: 400 },
  )
})

test('nothing encodes to nothing and decodes to nothing', () => {
  assert.deepEqual(tokenizer.encode(''), [])
  assert.equal(tokenizer.decode([]), '')
  assert.equal(tokenizer.decode([PAD, EOS, PROBLEM, STEP]), '')
})

test('every digit is a token of its own', () => {
  fc.assert(
    fc.property(
      fc.array(fc.constantFrom('7', '70', '48', ' 4', 'x', '.', ' ', 'sold'), { maxLength: 12 }),
      parts => {
        for (const piece of pieces(tokenizer, parts.join('')))
          assert.ok(!/\d/.test(piece) || piece.length === 1, JSON.stringify(piece))
      },
    ),
  )
  const digits = createTokenizer(train(['72 72 72 72 72 72'], 300))
  assert.deepEqual(pieces(digits, '72'), ['7', '2'])
})

test('a special token typed in a text stays text', () => {
  fc.assert(
    fc.property(anyText, fc.constantFrom(...SPECIAL_TOKENS), anyText, (before, special, after) => {
      const ids = tokenizer.encode(before + special + after)
      assert.ok(ids.every(id => id >= SPECIAL_TOKENS.length))
      assert.equal(tokenizer.decode(ids), before + special + after)
    }),
  )
  // Even in a corpus full of it.
  const corpus = createTokenizer(train(['<step> <step> <step> <step>', '<eos><eos><eos>'], 300))
  assert.ok(corpus.encode('<step><eos><pad><problem>').every(id => id >= SPECIAL_TOKENS.length))
})

test('special tokens have the first ids, the 256 bytes come next', () => {
  const { vocab, merges } = train(TEXTS, 285).model
  assert.deepEqual(
    [vocab['<pad>'], vocab['<eos>'], vocab['<problem>'], vocab['<step>']],
    [PAD, EOS, PROBLEM, STEP],
  )
  assert.equal(vocab['!'], 4 + 33)
  assert.equal(Object.keys(vocab).length, 285)
  assert.deepEqual(
    Object.values(vocab).toSorted((a, b) => a - b),
    [...Array(285).keys()],
  )
  assert.equal(merges.length, 25)
})

test('merges are the most frequent pairs, in order, ties to the pair that sorts first', () => {
  // Pre-tokens: "aab" 3 times, "ab" twice, "cd" twice. ab: 5; then aab: a+ab 3; then c+d 2; nothing else is seen twice.
  const { merges } = train(['aab', 'aab', 'aab', 'ab', 'ab', 'cd', 'cd'], 300).model
  assert.deepEqual(merges, [
    ['a', 'b'],
    ['a', 'ab'],
    ['c', 'd'],
  ])
  const tie = train(['xy', 'xy', 'mn', 'mn', 'yx', 'yx'], 300).model
  assert.deepEqual(tie.merges, [
    ['m', 'n'],
    ['x', 'y'],
    ['y', 'x'],
  ])
})

test('both parts of a merge are known before it', () => {
  fc.assert(
    fc.property(
      fc.array(fc.string({ unit: fc.constantFrom('a', 'b', ' ', '\\', '=', 'é'), maxLength: 30 }), {
        minLength: 1,
      }),
      texts => {
        const { vocab, merges } = train(texts, 290).model
        for (const [left, right] of merges) {
          const whole = vocab[left + right]!
          assert.ok(vocab[left]! < whole && vocab[right]! < whole, `${left} + ${right}`)
        }
      },
    ),
    { numRuns: 50 },
  )
})

test('the same texts give the same vocabulary, whatever their order', () => {
  const want = JSON.stringify(train(TEXTS, 300))
  assert.equal(JSON.stringify(train(TEXTS, 300)), want)
  assert.equal(JSON.stringify(train(TEXTS.toReversed(), 300)), want)
})

test('a vocabulary smaller than bytes and special tokens has no merges', () => {
  const { vocab, merges } = train(TEXTS, 10).model
  assert.deepEqual([Object.keys(vocab).length, merges.length], [260, 0])
})

test('frequent words become one token', () => {
  const words = createTokenizer(train(Array(20).fill('The answer is 72.'), 300))
  assert.deepEqual(pieces(words, 'The answer is 72.'), ['The', ' answer', ' is', ' ', '7', '2', '.'])
})
