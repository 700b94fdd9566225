// What a served reward model is sent and how its answers are read, pinned by files of the wire.
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import fc from 'fast-check'
import { AppError } from '../../src/errors.ts'
import { prmPrompt, QWEN_PRM } from '../../src/remote/prm-prompt.ts'
import { readPooled, readTokens, rightProbabilities, rowsAtSeparators } from '../../src/remote/prm-reply.ts'

const golden = (name: string) =>
  JSON.parse(readFileSync(new URL(`golden/${name}.json`, import.meta.url), 'utf8'))
const isBadResponse = (error: unknown) => error instanceof AppError && error.code === 'LLM_BAD_RESPONSE'

test('a solution is written as the model’s own chat template writes it', () => {
  assert.equal(prmPrompt(golden('flamingos'), QWEN_PRM), golden('pooling-request').input[0])
})

test('whatever the texts hold, there is one separator for each step and no turn is opened or closed by them', () => {
  const token = fc.constantFrom('<extra_0>', '<|im_end|>', '<|im_start|>', '<', '|>', 'extra_0>', '\n', 'a ')
  const text = fc.oneof(
    fc.array(token).map(parts => parts.join('')),
    fc.string(),
  )
  fc.assert(
    fc.property(text, fc.array(text, { minLength: 1, maxLength: 5 }), (problem, steps) => {
      const prompt = prmPrompt({ problem, steps }, QWEN_PRM)
      assert.equal(prompt.split('<extra_0>').length - 1, steps.length)
      assert.equal(prompt.split('<|im_start|>').length - 1, 3)
      assert.equal(prompt.split('<|im_end|>').length - 1, 3)
    }),
  )
})

test('a text without control tokens is not touched', () => {
  const item = { problem: 'Is 3 < 4 |> f?', steps: ['<b>Yes</b>, 3 <4.', ' ', '\\(x<|y|\\)'] }
  const prompt = prmPrompt(item, QWEN_PRM)
  for (const part of [item.problem, ...item.steps]) assert.ok(prompt.includes(part), part)
})

for (const [name, shape] of [
  ['pooling-steps', 'two probabilities a step'],
  ['pooling-logits', 'two logits a step'],
  ['pooling-flat', 'one probability a step'],
] as const) {
  test(`an answer of ${shape} is read as the model card does`, () => {
    const { items, tokens } = readPooled(golden(name), 'qwen', 1)
    const scores = rightProbabilities(items[0]!, 'auto')
    assert.deepEqual(
      scores.map(p => Math.round(p * 1e4) / 1e4),
      [1, 0.1904, 0.9766, 1],
    )
    assert.equal(tokens, 433)
  })
}

test('an operator’s word on logits wins over what the numbers look like', () => {
  const rows = [[0.25, 0.75]]
  assert.deepEqual(rightProbabilities(rows, 'auto'), [0.75])
  assert.equal(rightProbabilities(rows, 'logits')[0]!.toFixed(6), (1 / (1 + Math.exp(-0.5))).toFixed(6))
  assert.equal(rightProbabilities([[0.8]], 'logits')[0]!.toFixed(6), (1 / (1 + Math.exp(-0.8))).toFixed(6))
})

test('every finite row is a probability', () => {
  const finite = fc.double({ noNaN: true, noDefaultInfinity: true })
  const pair = fc.tuple(finite, finite).map(row => [...row])
  const rows = fc.oneof(fc.array(pair), fc.array(finite.map(x => [x])))
  fc.assert(
    fc.property(
      rows,
      fc.constantFrom('auto' as const, 'logits' as const, 'probabilities' as const),
      (all, values) => {
        for (const p of rightProbabilities(all, values)) assert.ok(p >= 0 && p <= 1, `${p}`)
      },
    ),
  )
})

test('answers come in any order and say which input they are for', () => {
  const data = [
    { index: 1, data: [[0.5, 0.5]] },
    { index: 0, data: [[0.25, 0.75]] },
  ]
  assert.deepEqual(readPooled({ data }, 'x', 2).items, [[[0.25, 0.75]], [[0.5, 0.5]]])
})

test('an entry that cannot be read is null, and one that is missing makes the whole unreadable', () => {
  for (const data of ['AAAA', [], [[]], [[1, 2, 3]], [[1, 2], [1]], [[1, null]], [['1', '2']], null, {}])
    assert.deepEqual(readPooled({ data: [{ index: 0, data }] }, 'x', 1).items, [null], JSON.stringify(data))
  for (const body of [null, [], 'x', {}, { data: {} }, { data: [] }, { error: { message: 'no' } }])
    assert.throws(() => readPooled(body, 'x', 1), isBadResponse, JSON.stringify(body))
})

test('whatever a body holds, reading it gives rows or LLM_BAD_RESPONSE', () => {
  fc.assert(
    fc.property(fc.jsonValue(), fc.jsonValue(), (body, data) => {
      for (const each of [body, { data: [{ index: 0, data }] }, { data: [data] }]) {
        try {
          const { items } = readPooled(each, 'x', 1)
          assert.equal(items.length, 1)
        } catch (error) {
          assert.ok(isBadResponse(error))
        }
      }
    }),
  )
})

test('of one row for each token those at the separators are the steps’', () => {
  const rows = [[0.1], [0.2], [0.3], [0.4]]
  const at = { separator: 9, steps: 2, name: 'x' }
  assert.deepEqual(rowsAtSeparators(rows, { ...at, tokens: [1, 9, 1, 9] }), [[0.2], [0.4]])
  for (const tokens of [
    [1, 9, 1],
    [1, 9, 1, 1],
    [9, 9, 9, 1],
  ])
    assert.throws(() => rowsAtSeparators(rows, { ...at, tokens }), isBadResponse)
})

test('token ids are whole numbers', () => {
  assert.deepEqual(readTokens({ tokens: [1, 2], count: 2 }, 'x'), [1, 2])
  for (const body of [{}, { tokens: '1' }, { tokens: [1.5] }, { tokens: ['a'] }, null])
    assert.throws(() => readTokens(body, 'x'), isBadResponse)
})
