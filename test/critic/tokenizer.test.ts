// The tokenizer as the critic uses it: exact decoding, a cache that does not show, text that is not a tokenizer refused.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Tokenizer } from '@huggingface/tokenizers'
import fc from 'fast-check'
import { createTokenizer, EOS, PRE_TOKEN_PATTERN, STEP } from '../../src/critic/tokenizer.ts'
import { trainTokenizer } from '../../src/train/bpe.ts'
import { tinyTokenizer } from '../fakes/tiny-critic.ts'

test('decoding keeps every space and leaves special tokens out', () => {
  for (const text of ['7 .', 'a , b', "do n't", ' leading', 'trailing ', 'a\n\nb', '\ufeffmark'])
    assert.equal(tinyTokenizer.decode(tinyTokenizer.encode(text)), text)
  assert.equal(
    tinyTokenizer.decode([...tinyTokenizer.encode('a'), STEP, ...tinyTokenizer.encode('b'), EOS]),
    'ab',
  )
  assert.equal(tinyTokenizer.decode([]), '')
})

test('a token that is half a character decodes to the replacement character alone, and to the character with its other half', () => {
  const ids = tinyTokenizer.encode('é')
  assert.equal(ids.length, 2)
  assert.equal(tinyTokenizer.decode([ids[0]!]), '\ufffd')
  assert.equal(tinyTokenizer.decode(ids), 'é')
})

test('text is cut into digits, words, marks and white space', () => {
  const cut = (text: string) => text.match(new RegExp(PRE_TOKEN_PATTERN, 'gu'))
  assert.deepEqual(cut('So 12.5 + \\frac{1}{2} = x2'), [
    'So',
    ' ',
    '1',
    '2',
    '.',
    '5',
    ' +',
    ' \\frac',
    '{',
    '1',
    '}{',
    '2',
    '}',
    ' =',
    ' x',
    '2',
  ])
  assert.deepEqual(cut('a \n\nb'), ['a', ' \n\n', 'b'])
})

test('encoding again, from the cache or not, gives the same ids', () => {
  for (const text of ['12 clips', 'clips '.repeat(30)]) {
    const first = [...tinyTokenizer.encode(text)]
    assert.deepEqual(tinyTokenizer.encode(text), first)
  }
  for (let i = 0; i < 25_000; i++) tinyTokenizer.encode(`${i}`) // more than the cache holds
  assert.equal(tinyTokenizer.decode(tinyTokenizer.encode('24999')), '24999')
})

test('a text is encoded as the library encodes it, word by word or whole', () => {
  const own = trainTokenizer(['a b 12 + 3 = \\frac{1}{2}\n\nso the  next'.repeat(20)], 300) as {
    pre_tokenizer: { pretokenizers: object[] }
  }
  const [split, bytes] = own.pre_tokenizer.pretokenizers
  const gpt2 = {
    pretokenizers: [
      { type: 'Digits', individual_digits: true },
      { ...bytes, use_regex: true },
    ],
  }
  const others = [
    { ...own, normalizer: { type: 'Lowercase' } },
    { ...own, pre_tokenizer: { type: 'Sequence', ...gpt2 } },
    {
      ...own,
      pre_tokenizer: { type: 'Sequence', pretokenizers: [split, { type: 'Digits' }, bytes] },
    },
  ]
  const text = fc.oneof(
    fc.string({ unit: 'grapheme' }),
    fc.string({ unit: fc.constantFrom(...'a \u00a0\u0085\ufeff\u2003\n\\b1½é\ud83d\ude00\ud83d,+') }),
  )
  for (const json of [own, ...others]) {
    const tokenizer = createTokenizer(json)
    const library = new Tokenizer(json, {})
    fc.assert(
      fc.property(text, written => {
        assert.deepEqual(
          tokenizer.encode(written),
          library.encode(written, { add_special_tokens: false }).ids,
        )
      }),
    )
  }
})

test('what is no tokenizer is refused', () => {
  for (const json of [{}, null, { model: {} }, 'text', { model: { type: 'BPE', vocab: {} } }])
    assert.throws(() => createTokenizer(json))
})

test('names of any added token in a text stay plain text, and ids beyond the merged vocabulary count', () => {
  const names = ['<|im_start|>', '[INST]', 'a.b*c']
  const json = trainTokenizer(['ab'], 270) as {
    added_tokens: object[]
    model: { vocab: Record<string, number> }
  }
  const next = Object.keys(json.model.vocab).length
  const added = names.map((content, i) => ({ ...json.added_tokens[0], content, id: next + i }))
  const tokenizer = createTokenizer({ ...json, added_tokens: [...json.added_tokens, ...added] })
  assert.equal(tokenizer.vocab, next + names.length)
  for (const name of names) {
    const ids = tokenizer.encode(`x ${name} y`)
    assert.ok(ids.every(id => id < next))
    assert.equal(tokenizer.decode(ids), `x ${name} y`)
  }
})
