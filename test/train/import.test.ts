// Importing: a published checkpoint becomes a base whose logits are those of an independent forward pass, or fails by name.
import assert from 'node:assert/strict'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { openArtifact } from '../../src/critic/manifest.ts'
import { openSolver } from '../../src/critic/solver-model.ts'
import { createTokenizer, SPECIAL_TOKENS } from '../../src/critic/tokenizer.ts'
import { readWeights } from '../../src/train/export.ts'
import { importBase } from '../../src/train/import/import-base.ts'
import { SHIFT } from '../../src/train/import/vocabulary.ts'
import { headDim } from '../../src/train/model/config.ts'
import { type WrittenValue, writeGguf } from '../fakes/gguf-file.ts'
import { writeSafetensors } from '../fakes/safetensors-file.ts'
import { tempFolder } from '../fakes/tiny-critic.ts'
import {
  configJson,
  ggufMetadata,
  ggufTensors,
  referenceLogits,
  type TinyLlama,
  TOKENS,
  tinyLlama,
  tokenizerJson,
  writeHuggingFace,
  writeTinyGguf,
} from '../fakes/tiny-llama.ts'
import { openRunner } from './engine/run-model.ts'
import { float32, int32 } from './engine/tiny-model.ts'

const folder = tempFolder()
after(() => folder.remove())
let count = 0
const fresh = (): string => join(folder.path, String(count++))

async function imported(from: string): Promise<string> {
  const out = fresh()
  await importBase({
    ...{ from, out, version: 'imported', command: 'test', createdAt: '2026-01-01T00:00:00.000Z' },
    print: { write: () => {} },
  })
  return out
}

const IDS = [0, 40, 258, 259, 80, 12, 260, 99]

/** Logits of the artifact's graph for the source's ids, Spar's own tokens left out. */
async function logitsOf(dir: string): Promise<number[][]> {
  const { model } = openArtifact(dir).manifest
  const run = await openRunner(readFileSync(join(dir, 'model.onnx')))
  const grid = [1, IDS.length]
  const layers = Array.from({ length: model.layers }, (_, i) => i)
  const empty = float32([1, model.kvHeads, 0, headDim(model)], () => 0)
  const out = await run({
    tokens: int32(grid, i => IDS[i]! + SHIFT),
    slots: int32(grid, i => i % 5), // their tables are zero
    flags: int32(grid, i => i % 3),
    positions: float32(grid, i => i),
    key_positions: float32(grid, i => i),
    ...Object.fromEntries(layers.flatMap(i => [`past_key.${i}`, `past_value.${i}`].map(n => [n, empty]))),
  })
  const all = out['logits']!.data
  return IDS.map((_, t) => [...all.slice(t * model.vocab + SHIFT, (t + 1) * model.vocab)])
}

function assertLogits(got: number[][], want: number[][]): void {
  const largest = Math.max(...want.flat().map(Math.abs))
  want.forEach((row, t) => {
    assert.equal(got[t]!.length, row.length)
    row.forEach((x, i) => {
      assert.ok(Math.abs(got[t]![i]! - x) < 2e-5 * largest, `token ${t}, logit ${i}: ${got[t]![i]} for ${x}`)
    })
  })
}

const hf = (m: TinyLlama, dtype?: 'F32' | 'F16' | 'BF16', shards?: number): string => {
  const dir = fresh()
  writeHuggingFace(dir, m, dtype, shards)
  return dir
}
const gguf = (m: TinyLlama): string => {
  mkdirSync(folder.path, { recursive: true })
  const path = `${fresh()}.gguf`
  writeTinyGguf(path, m)
  return path
}

for (const [name, change] of [
  ['llama, tied', {}],
  ['llama, an output table of its own, wide heads', { untied: true, headDim: 6 }],
  ['llama with biases', { biases: true }],
  ['qwen2 with biases', { architecture: 'qwen2', biases: true }],
  ['qwen2 with biases and an output table of its own', { architecture: 'qwen2', biases: true, untied: true }],
  ['one key head for each query head, another norm epsilon', { kvHeads: 4, normEpsilon: 0.1 }],
] as [string, Partial<TinyLlama>][]) {
  test(`${name}: safetensors and GGUF give the logits of the plain forward pass`, async () => {
    const model = tinyLlama(change)
    const want = referenceLogits(model, IDS)
    assertLogits(await logitsOf(await imported(hf(model))), want)
    assertLogits(await logitsOf(await imported(gguf(model))), want)
  })
}

test('biases and an output table of its own change the logits', async () => {
  const plain = referenceLogits(tinyLlama(), IDS)
  assert.notDeepEqual(referenceLogits(tinyLlama({ biases: true }), IDS), plain)
  assert.notDeepEqual(referenceLogits(tinyLlama({ untied: true }), IDS), plain)
})

test('half precisions, shards and a single file give the same weights', async () => {
  const model = tinyLlama()
  const weightsOf = (dir: string) => {
    const { manifest } = openArtifact(dir)
    return readWeights(manifest.model, readFileSync(join(dir, 'model.onnx')))
  }
  const want = weightsOf(await imported(hf(model)))
  assert.deepEqual(weightsOf(await imported(hf(model, 'F16', 3))), want)
  assert.deepEqual(weightsOf(await imported(hf(model, 'BF16'))), want)
  assert.deepEqual(weightsOf(await imported(join(hf(model), 'model.safetensors'))), want)
  assert.deepEqual(weightsOf(await imported(gguf(model))), want)
})

test('Spar’s tokens come first and start as the mean; the two extra channels start at zero', async () => {
  const model = tinyLlama({ untied: true })
  const dir = await imported(hf(model))
  const { manifest } = openArtifact(dir)
  assert.equal(manifest.kind, 'base')
  assert.equal(manifest.max_length, 64)
  assert.equal(manifest.model.vocab, TOKENS.length + SPECIAL_TOKENS.length)
  const weights = readWeights(manifest.model, readFileSync(join(dir, 'model.onnx')))
  assert.ok([...weights['slot_embed']!, ...weights['flag_embed']!].every(x => x === 0))
  for (const [name, source] of [
    ['embed', 'model.embed_tokens.weight'],
    ['output', 'lm_head.weight'],
  ] as const) {
    const { values } = model.tensors[source]!
    const own = weights[name]!.subarray(0, SHIFT * model.width)
    assert.deepEqual(weights[name]!.subarray(SHIFT * model.width), values)
    own.forEach((x, i) => {
      const column = values.filter((_, k) => k % model.width === i % model.width)
      assert.ok(Math.abs(x - column.reduce((a, b) => a + b, 0) / TOKENS.length) < 1e-6)
    })
  }
})

test('the vocabulary cuts and merges as before, moved up by Spar’s tokens', async () => {
  const model = tinyLlama()
  for (const dir of [await imported(hf(model)), await imported(gguf(model))]) {
    const tokenizer = createTokenizer(JSON.parse(readFileSync(join(dir, 'tokenizer.json'), 'utf8')))
    assert.equal(tokenizer.vocab, TOKENS.length + SHIFT)
    const id = (token: string) => TOKENS.indexOf(token) + SHIFT
    assert.deepEqual(tokenizer.encode('the man, the'), [
      ...[id('the'), id('Ġ'), id('m'), id('an'), id(','), id('Ġthe')],
    ])
    for (const text of ['naïve “quotes” 3×4\n\n= 12', '<|end|> is no token here, nor is <step>']) {
      const ids = tokenizer.encode(text)
      assert.equal(tokenizer.decode(ids), text)
      assert.ok(ids.every(x => x > SHIFT))
    }
  }
})

test('an imported base can be opened and sampled', async () => {
  const solver = await openSolver(await imported(gguf(tinyLlama({ headDim: 6 }))))
  const request = { until: 'end' as const, temperature: 1, maxTokens: 8, seed: 3 }
  const [sample] = await solver.sample('Tom has 3 clips.', ['3 + 1 = 4'], [request])
  assert.ok(sample!.completionTokens > 0)
  await solver.release()
})

for (const { pre, digits, word, accent } of [
  { pre: 'gpt-2', digits: ['1234'], word: ['x', 'y', 'z'], accent: 3 },
  { pre: 'smollm', digits: ['1', '2', '3', '4'], word: ['x', 'y', 'z'], accent: 3 },
  { pre: 'llama-bpe', digits: ['123', '4'], word: ['xyz'], accent: 3 },
  { pre: 'qwen2', digits: ['1', '2', '3', '4'], word: ['x', 'y', 'z'], accent: 2 },
]) {
  test(`a GGUF vocabulary cuts text as ${pre} does`, async () => {
    const model = tinyLlama()
    const extra = ['12', '123', '1234', 'xyz']
    const tokens = [...TOKENS.slice(0, -extra.length), ...extra]
    const path = `${fresh()}.gguf`
    const own = { tokens, merges: ['1 2', '12 3', '123 4'], pre }
    const named = Object.fromEntries(Object.entries(own).map(([key, x]) => [`tokenizer.ggml.${key}`, x]))
    writeGguf(path, { ...ggufMetadata(model), ...named }, ggufTensors(model))
    const json = JSON.parse(readFileSync(join(await imported(path), 'tokenizer.json'), 'utf8'))
    const tokenizer = createTokenizer(json)
    const texts = (text: string) => tokenizer.encode(text).map(id => tokens[id - SHIFT])
    assert.deepEqual(texts('1234'), digits)
    assert.deepEqual(texts('xyz'), word)
    assert.equal(tokenizer.encode('e\u0301').length, accent) // two bytes where é is composed, three where it is not
  })
}

/** A vocabulary that has a `<pad>` of its own and a control token that the model's table has no row for. */
test('a vocabulary’s own <pad> keeps its row, and tokens without a row are refused', async () => {
  const model = tinyLlama()
  const dir = hf(model)
  const json = tokenizerJson() as { model: { vocab: Record<string, number> }; added_tokens: object[] }
  const { '<|end|>': end, ...vocab } = json.model.vocab
  const renamed = { ...json, added_tokens: [], model: { ...json.model, vocab: { '<pad>': end, ...vocab } } }
  writeFileSync(join(dir, 'tokenizer.json'), JSON.stringify(renamed))
  const out = await imported(dir)
  const written = JSON.parse(readFileSync(join(out, 'tokenizer.json'), 'utf8'))
  assert.equal(written.model.vocab['<pad>'], 0)
  assert.equal(written.model.vocab['<imported pad>'], SHIFT)
  const more = { ...json, added_tokens: [...json.added_tokens, { id: TOKENS.length, content: '<|more|>' }] }
  writeFileSync(join(dir, 'tokenizer.json'), JSON.stringify(more))
  await assert.rejects(imported(dir), /has more tokens than its embedding has rows/)
})

for (const [name, change, wanted] of [
  ['architecture', { model_type: 'gpt_neox' }, /is of architecture gpt_neox; supported are llama and qwen2/],
  ['scaled positions', { rope_scaling: { rope_type: 'llama3' } }, /scaled rotary positions \(llama3\)/],
  ['sliding window', { use_sliding_window: true }, /a sliding window, which is not supported/],
  ['activation', { hidden_act: 'gelu' }, /the activation gelu/],
  ['missing size', { hidden_size: undefined }, /does not state hidden_size/],
  ['untied table that is not there', { tie_word_embeddings: false }, /lacks the tensor lm_head\.weight/],
  [
    'wrong size',
    { intermediate_size: 24 },
    /has model\.layers\.0\.mlp\.gate_proj\.weight of shape \[20, 12\], expected \[24, 12\]/,
  ],
  ['too many layers', { num_hidden_layers: 3 }, /lacks the tensor model\.layers\.2\.input_layernorm\.weight/],
  [
    'too few layers',
    { num_hidden_layers: 1 },
    /has the tensor model\.layers\.1\.\S+, which this decoder has no place for/,
  ],
] as [string, Record<string, unknown>, RegExp][]) {
  test(`a config.json with an unsupported or wrong ${name} is refused`, async () => {
    const model = tinyLlama()
    const dir = hf(model)
    writeFileSync(join(dir, 'config.json'), JSON.stringify({ ...configJson(model), ...change }))
    await assert.rejects(imported(dir), wanted)
  })
}

for (const [name, change, wanted] of [
  ['architecture', { 'general.architecture': 'mamba' }, /is of architecture mamba/],
  ['tokenizer', { 'tokenizer.ggml.model': 'llama' }, /has a tokenizer of kind llama; only byte-level BPE/],
  [
    'way of cutting text',
    { 'tokenizer.ggml.pre': 'tekken' },
    /cuts text by the rule tekken; supported are gpt-2/,
  ],
  ['scaled positions', { 'llama.rope.scaling.type': 'yarn' }, /scales its rotary positions \(yarn\)/],
  ['experts', { 'llama.expert_count': 8 }, /is a mixture of experts/],
  ['partial rotation', { 'llama.rope.dimension_count': 2 }, /rotary positions of another width/],
] as [string, Record<string, WrittenValue>, RegExp][]) {
  test(`a GGUF file with an unsupported ${name} is refused`, async () => {
    const model = tinyLlama()
    const path = `${fresh()}.gguf`
    writeGguf(path, { ...ggufMetadata(model), ...change }, ggufTensors(model))
    await assert.rejects(imported(path), wanted)
  })
}

test('what is missing is named', async () => {
  const model = tinyLlama()
  const without = Object.fromEntries(
    Object.entries(ggufTensors(model)).filter(([n]) => n !== 'blk.1.ffn_up.weight'),
  )
  const path = `${fresh()}.gguf`
  writeGguf(path, ggufMetadata(model), without)
  await assert.rejects(imported(path), /lacks the tensor model\.layers\.1\.mlp\.up_proj\.weight/)
  await assert.rejects(imported(join(folder.path, 'nowhere')), /nowhere does not exist/)
  const empty = fresh()
  mkdirSync(empty)
  await assert.rejects(imported(empty), /holds no model\.safetensors and no model\.safetensors\.index\.json/)
  writeSafetensors(join(empty, 'model.safetensors'), {})
  await assert.rejects(imported(empty), /config\.json is missing/)
  writeFileSync(join(empty, 'model.bin'), '')
  await assert.rejects(imported(join(empty, 'model.bin')), /neither a \.gguf nor a \.safetensors file/)
})

test('a tokenizer that is no byte-level BPE is refused', async () => {
  const dir = hf(tinyLlama())
  const json = tokenizerJson()
  for (const change of [
    { pre_tokenizer: { type: 'Metaspace' } },
    { normalizer: { type: 'Prepend', prepend: '▁' } },
    { model: { type: 'Unigram', vocab: [] } },
  ]) {
    writeFileSync(join(dir, 'tokenizer.json'), JSON.stringify({ ...json, ...change }))
    await assert.rejects(imported(dir), /a tokenizer that is no byte-level BPE/)
  }
})
