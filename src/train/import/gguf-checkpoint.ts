// A GGUF file as a checkpoint: its names, sizes and row order turned into Hugging Face's. Knows no bytes and no Spar.
// Names: llama.cpp, src/llama-arch.cpp; row order: convert_hf_to_gguf.py, LlamaModel.permute.
import { type Checkpoint, type Decoder, knownArchitecture } from './checkpoint.ts'
import { type GgufFile, openGguf } from './gguf.ts'
import { ggufTokenizer } from './gguf-tokenizer.ts'

const NAMES: Readonly<Record<string, string>> = {
  'token_embd.weight': 'model.embed_tokens.weight',
  'output.weight': 'lm_head.weight',
  'output_norm.weight': 'model.norm.weight',
}
const LAYER_NAMES: Readonly<Record<string, string>> = {
  attn_norm: 'input_layernorm',
  attn_q: 'self_attn.q_proj',
  attn_k: 'self_attn.k_proj',
  attn_v: 'self_attn.v_proj',
  attn_output: 'self_attn.o_proj',
  ffn_norm: 'post_attention_layernorm',
  ffn_gate: 'mlp.gate_proj',
  ffn_up: 'mlp.up_proj',
  ffn_down: 'mlp.down_proj',
}

/** Hugging Face's name of a tensor; the file's own where there is none. */
function huggingFaceName(name: string): string {
  const [, layer, part, kind] = /^blk\.(\d+)\.(\w+)\.(weight|bias)$/.exec(name) ?? []
  if (part !== undefined && LAYER_NAMES[part]) return `model.layers.${layer}.${LAYER_NAMES[part]}.${kind}`
  return NAMES[name] ?? name
}

/** Reads the sizes. @throws Error naming an architecture or a variant that is not supported, or a size that is missing. */
function decoderOf({ name, metadata }: GgufFile): Decoder {
  const architecture = knownArchitecture(name, metadata.get('general.architecture'))
  const value = (key: string): unknown => metadata.get(`${architecture}.${key}`)
  const number = (key: string, fallback?: number): number => {
    const x = value(key) ?? fallback
    if (typeof x !== 'number' || !(x > 0)) throw new Error(`${name} does not state ${architecture}.${key}`)
    return x
  }
  const heads = number('attention.head_count')
  const width = number('embedding_length')
  const headDim = number('attention.key_length', width / heads)
  const scaling = value('rope.scaling.type')
  if (scaling !== undefined && scaling !== 'none')
    throw new Error(`${name} scales its rotary positions (${String(scaling)}), which is not supported`)
  if (
    number('attention.value_length', headDim) !== headDim ||
    number('rope.dimension_count', headDim) !== headDim
  )
    throw new Error(
      `${name} has values or rotary positions of another width than its keys, which is not supported`,
    )
  if (value('expert_count')) throw new Error(`${name} is a mixture of experts, which is not supported`)
  return {
    architecture,
    width,
    layers: number('block_count'),
    heads,
    kvHeads: number('attention.head_count_kv', heads),
    headDim,
    mlp: number('feed_forward_length'),
    ropeTheta: number('rope.freq_base', 10_000),
    normEpsilon: number('attention.layer_norm_rms_epsilon'),
    window: number('context_length'),
    tied: null,
  }
}

/**
 * Rows of a query or key projection (or its bias) from llama.cpp's order, where a rotated pair stands together, to Hugging
 * Face's, where its halves lie headDim / 2 apart. x: [heads * headDim, columns].
 */
function unpermuteRows(x: Float32Array, headDim: number, columns: number): Float32Array {
  const half = headDim / 2
  const out = new Float32Array(x.length)
  for (let row = 0; row * columns < x.length; row++) {
    const [head, place] = [Math.floor(row / headDim), row % headDim]
    const from = head * headDim + (place % half) * 2 + Math.floor(place / half)
    out.set(x.subarray(from * columns, (from + 1) * columns), row * columns)
  }
  return out
}

/** Opens a GGUF file as a checkpoint. @throws Error naming what is corrupt, missing or not supported. */
export function openGgufCheckpoint(path: string): Checkpoint {
  const file = openGguf(path)
  try {
    const decoder = decoderOf(file)
    const sources = new Map([...file.shapes.keys()].map(name => [huggingFaceName(name), name]))
    return {
      name: file.name,
      decoder,
      shapes: new Map([...sources].map(([name, source]) => [name, file.shapes.get(source)!])),
      read(name) {
        const values = file.read(sources.get(name) ?? name)
        const isRotated = /\.(q|k)_proj\./.test(name)
        if (!isRotated || decoder.architecture !== 'llama') return values
        return unpermuteRows(values, decoder.headDim, name.endsWith('.bias') ? 1 : decoder.width)
      },
      tokenizer: ggufTokenizer(file),
      close: () => file.close(),
    }
  } catch (error) {
    file.close()
    throw error
  }
}
