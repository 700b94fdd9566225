// A random decoder of toy size as published checkpoints have it: as a Hugging Face folder, as a GGUF file, and as a forward
// pass written out in plain loops, independent of Spar's. Knows no importer.
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Decoder } from '../../src/train/import/checkpoint.ts'
import { createRng } from '../../src/train/rng.ts'
import { addedToken } from '../../src/train/tokenizer-json.ts'
import { ggufFloats, type WrittenTensor, type WrittenValue, writeGguf } from './gguf-file.ts'
import { stored, writeSafetensors } from './safetensors-file.ts'

export interface TinyLlama extends Omit<Decoder, 'window' | 'tied'> {
  readonly biases: boolean
  readonly untied: boolean
  /** Hugging Face's name -> tensor, matrices as [out, in]. */
  readonly tensors: Readonly<
    Record<string, { readonly shape: readonly number[]; readonly values: Float32Array }>
  >
}

/** The 256 bytes as GPT-2 writes them, four merges, and a control token in front. */
const alphabet = Array.from({ length: 256 }, (_, b) => b).map(b => {
  const printable = (x: number) => (x >= 33 && x <= 126) || (x >= 161 && x <= 172) || x >= 174
  const hidden = Array.from({ length: 256 }, (_, x) => x).filter(x => !printable(x))
  return String.fromCharCode(printable(b) ? b : 256 + hidden.indexOf(b))
})
export const MERGES = ['t h', 'th e', 'Ġ the', 'a n'] as const
export const TOKENS: readonly string[] = [
  '<|end|>',
  ...alphabet,
  ...MERGES.map(merge => merge.replace(' ', '')),
]

/** Random weights, rounded to numbers that f16 and bf16 hold exactly. */
export function tinyLlama(change: Partial<Omit<TinyLlama, 'tensors'>> = {}): TinyLlama {
  const sizes = {
    ...{ architecture: 'llama' as const, width: 12, layers: 2, heads: 4, kvHeads: 2, headDim: 4, mlp: 20 },
    ...{ ropeTheta: 500, normEpsilon: 1e-3, biases: false, untied: false },
    ...change,
  }
  const { width, heads, kvHeads, headDim, mlp } = sizes
  const rng = createRng('tiny llama')
  const random = (shape: readonly number[], centre = 0, spread = 16) => ({
    shape,
    values: Float32Array.from(
      { length: shape.reduce((a, b) => a * b, 1) },
      () => centre + rng.int(-spread, spread) / 32,
    ),
  })
  const tensors: Record<string, { shape: readonly number[]; values: Float32Array }> = {
    'model.embed_tokens.weight': random([TOKENS.length, width]),
    'model.norm.weight': random([width], 1),
    ...(sizes.untied && { 'lm_head.weight': random([TOKENS.length, width]) }),
  }
  for (let i = 0; i < sizes.layers; i++) {
    const rows = { q: heads * headDim, k: kvHeads * headDim, v: kvHeads * headDim }
    const at = `model.layers.${i}`
    for (const [name, size] of Object.entries(rows)) {
      tensors[`${at}.self_attn.${name}_proj.weight`] = random([size, width])
      if (sizes.biases) tensors[`${at}.self_attn.${name}_proj.bias`] = random([size])
    }
    tensors[`${at}.self_attn.o_proj.weight`] = random([width, heads * headDim])
    tensors[`${at}.mlp.gate_proj.weight`] = random([mlp, width])
    tensors[`${at}.mlp.up_proj.weight`] = random([mlp, width])
    tensors[`${at}.mlp.down_proj.weight`] = random([width, mlp])
    tensors[`${at}.input_layernorm.weight`] = random([width], 1)
    tensors[`${at}.post_attention_layernorm.weight`] = random([width], 1)
  }
  return { ...sizes, tensors }
}

export const configJson = (m: TinyLlama): Record<string, unknown> => ({
  model_type: m.architecture,
  hidden_size: m.width,
  num_hidden_layers: m.layers,
  num_attention_heads: m.heads,
  num_key_value_heads: m.kvHeads,
  head_dim: m.headDim,
  intermediate_size: m.mlp,
  rope_theta: m.ropeTheta,
  rms_norm_eps: m.normEpsilon,
  hidden_act: 'silu',
  max_position_embeddings: 64,
  tie_word_embeddings: !m.untied,
  vocab_size: TOKENS.length,
})

export const tokenizerJson = (): Record<string, unknown> => ({
  version: '1.0',
  added_tokens: [addedToken(0, '<|end|>', true)],
  normalizer: null,
  pre_tokenizer: { type: 'ByteLevel', add_prefix_space: true, trim_offsets: true, use_regex: true },
  post_processor: { type: 'ByteLevel', trim_offsets: false },
  decoder: { type: 'ByteLevel' },
  model: {
    type: 'BPE',
    vocab: Object.fromEntries(TOKENS.map((token, id) => [token, id])),
    merges: MERGES.map(merge => merge.split(' ')),
  },
})

/** Writes a folder as Hugging Face has it, in one file or in `shards`. */
export function writeHuggingFace(
  dir: string,
  model: TinyLlama,
  dtype: 'F32' | 'F16' | 'BF16' = 'F32',
  shards = 1,
): void {
  mkdirSync(dir, { recursive: true })
  writeFileSync(join(dir, 'config.json'), JSON.stringify(configJson(model)))
  writeFileSync(join(dir, 'tokenizer.json'), JSON.stringify(tokenizerJson()))
  const all = Object.entries(model.tensors).map(
    ([name, { shape, values }]) => [name, stored(dtype, shape, values)] as const,
  )
  if (shards === 1) {
    writeSafetensors(join(dir, 'model.safetensors'), Object.fromEntries(all))
    return
  }
  const fileOf = (i: number) => `model-${i % shards}.safetensors`
  for (let s = 0; s < shards; s++)
    writeSafetensors(join(dir, fileOf(s)), Object.fromEntries(all.filter((_, i) => i % shards === s)))
  const map = Object.fromEntries(all.map(([name], i) => [name, fileOf(i)]))
  writeFileSync(join(dir, 'model.safetensors.index.json'), JSON.stringify({ metadata: {}, weight_map: map }))
}

const GGUF_NAMES: readonly (readonly [RegExp, string])[] = [
  [/^model\.embed_tokens/, 'token_embd'],
  [/^model\.norm/, 'output_norm'],
  [/^lm_head/, 'output'],
  [/^model\.layers\.(\d+)\.self_attn\.o_proj/, 'blk.$1.attn_output'],
  [/^model\.layers\.(\d+)\.self_attn\.(.)_proj/, 'blk.$1.attn_$2'],
  [/^model\.layers\.(\d+)\.mlp\.(\w+)_proj/, 'blk.$1.ffn_$2'],
  [/^model\.layers\.(\d+)\.input_layernorm/, 'blk.$1.attn_norm'],
  [/^model\.layers\.(\d+)\.post_attention_layernorm/, 'blk.$1.ffn_norm'],
]

/** Rows of a projection as llama.cpp has them (convert_hf_to_gguf.py: reshape(heads, 2, headDim / 2, columns).swapaxes(1, 2)). */
function interleaved(values: Float32Array, rows: number, headDim: number): Float32Array {
  const columns = values.length / rows
  const half = headDim / 2
  const out = new Float32Array(values.length)
  for (let head = 0; head * headDim < rows; head++) {
    for (let side = 0; side < 2; side++) {
      for (let i = 0; i < half; i++) {
        const from = head * headDim + side * half + i
        const to = head * headDim + i * 2 + side
        out.set(values.subarray(from * columns, (from + 1) * columns), to * columns)
      }
    }
  }
  return out
}

export function ggufMetadata(m: TinyLlama): Record<string, WrittenValue> {
  const a = m.architecture
  return {
    'general.architecture': a,
    'general.alignment': 32,
    [`${a}.embedding_length`]: m.width,
    [`${a}.block_count`]: m.layers,
    [`${a}.attention.head_count`]: m.heads,
    [`${a}.attention.head_count_kv`]: m.kvHeads,
    [`${a}.attention.key_length`]: m.headDim,
    [`${a}.attention.value_length`]: m.headDim,
    [`${a}.feed_forward_length`]: m.mlp,
    [`${a}.rope.freq_base`]: m.ropeTheta,
    [`${a}.rope.dimension_count`]: m.headDim,
    [`${a}.attention.layer_norm_rms_epsilon`]: m.normEpsilon,
    [`${a}.context_length`]: 64,
    'tokenizer.ggml.model': 'gpt2',
    'tokenizer.ggml.pre': 'gpt-2',
    'tokenizer.ggml.tokens': TOKENS,
    'tokenizer.ggml.token_type': TOKENS.map((_, i) => (i === 0 ? 3 : 1)),
    'tokenizer.ggml.merges': MERGES,
    'tokenizer.ggml.add_bos_token': false,
  }
}

/** Tensors as llama.cpp names and orders them, in float32. */
export function ggufTensors(m: TinyLlama): Record<string, WrittenTensor> {
  return Object.fromEntries(
    Object.entries(m.tensors).map(([name, { shape, values }]) => {
      const [pattern, replacement] = GGUF_NAMES.find(([p]) => p.test(name))!
      const rotated = m.architecture === 'llama' && /\.(q|k)_proj/.test(name)
      const own = rotated ? interleaved(values, shape[0]!, m.headDim) : values
      return [name.replace(pattern, replacement), ggufFloats(shape, own)]
    }),
  )
}

export const writeTinyGguf = (path: string, m: TinyLlama): void =>
  writeGguf(path, ggufMetadata(m), ggufTensors(m))

/** Next-token logits of one row of tokens, [tokens][vocabulary], in double precision (transformers, modeling_llama.py). */
export function referenceLogits(m: TinyLlama, tokens: readonly number[]): number[][] {
  const tensor = (name: string) => m.tensors[name]!
  const times = (name: string, x: readonly number[]): number[] => {
    const { shape, values } = tensor(`${name}.weight`)
    const bias = m.tensors[`${name}.bias`]?.values
    return Array.from({ length: shape[0]! }, (_, r) =>
      x.reduce((sum, v, c) => sum + v * values[r * shape[1]! + c]!, bias?.[r] ?? 0),
    )
  }
  const norm = (name: string, x: readonly number[]): number[] => {
    const scale = 1 / Math.sqrt(x.reduce((sum, v) => sum + v * v, 0) / x.length + m.normEpsilon)
    return x.map((v, i) => v * scale * tensor(`${name}.weight`).values[i]!)
  }
  const plus = (x: readonly number[], y: readonly number[]) => x.map((v, i) => v + y[i]!)
  const half = m.headDim / 2
  const rotated = (x: readonly number[], at: number): number[] =>
    x.map((v, i) => {
      const place = i % m.headDim
      const angle = at * m.ropeTheta ** (-(place % half) / half)
      const other = place < half ? -x[i + half]! : x[i - half]!
      return v * Math.cos(angle) + other * Math.sin(angle)
    })
  const head = (x: readonly number[], h: number) => x.slice(h * m.headDim, (h + 1) * m.headDim)
  const embed = tensor('model.embed_tokens.weight').values
  let rows = tokens.map(token => [...embed.subarray(token * m.width, (token + 1) * m.width)])
  for (let layer = 0; layer < m.layers; layer++) {
    const at = `model.layers.${layer}`
    const inner = rows.map(x => norm(`${at}.input_layernorm`, x))
    const q = inner.map((x, t) => rotated(times(`${at}.self_attn.q_proj`, x), t))
    const k = inner.map((x, t) => rotated(times(`${at}.self_attn.k_proj`, x), t))
    const v = inner.map(x => times(`${at}.self_attn.v_proj`, x))
    const mixed = rows.map((_, t) =>
      Array.from({ length: m.heads }, (_, h) => {
        const group = Math.floor(h / (m.heads / m.kvHeads))
        const scores = k
          .slice(0, t + 1)
          .map(
            key =>
              head(key, group).reduce((sum, x, i) => sum + x * head(q[t]!, h)[i]!, 0) / Math.sqrt(m.headDim),
          )
        const exps = scores.map(Math.exp)
        const total = exps.reduce((a, b) => a + b, 0)
        return Array.from({ length: m.headDim }, (_, i) =>
          exps.reduce((sum, e, s) => sum + (e / total) * head(v[s]!, group)[i]!, 0),
        )
      }).flat(),
    )
    rows = rows.map((x, t) => plus(x, times(`${at}.self_attn.o_proj`, mixed[t]!)))
    rows = rows.map(x => {
      const y = norm(`${at}.post_attention_layernorm`, x)
      const up = times(`${at}.mlp.up_proj`, y)
      const gated = times(`${at}.mlp.gate_proj`, y).map((g, i) => (g / (1 + Math.exp(-g))) * up[i]!)
      return plus(x, times(`${at}.mlp.down_proj`, gated))
    })
  }
  const output = m.untied ? 'lm_head' : 'model.embed_tokens'
  return rows.map(x => times(output, norm('model.norm', x)))
}
