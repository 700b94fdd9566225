// A pre-trained decoder as read from its files, in Hugging Face's names, and its translation into Spar's weights. Knows no file format.
import { sizeOf } from '../engine/memory.ts'
import { type ModelConfig, type Weights, weightShapes } from '../model/config.ts'
import { transposed } from './tensors.ts'

const ARCHITECTURES = ['llama', 'qwen2'] as const
type Architecture = (typeof ARCHITECTURES)[number]

/** Sizes and constants of a decoder. */
export interface Decoder {
  readonly architecture: Architecture
  readonly width: number
  readonly layers: number
  readonly heads: number
  readonly kvHeads: number
  readonly headDim: number
  readonly mlp: number
  readonly ropeTheta: number
  readonly normEpsilon: number
  /** Tokens it was trained to look back. */
  readonly window: number
  /** Whether its files say that the embedding is the output table; null when they do not say. */
  readonly tied: boolean | null
}

/** A checkpoint whose tensors have Hugging Face's names, shapes ([out, in] for matrices) and row order. */
export interface Checkpoint {
  /** Where it came from, for messages and the manifest. */
  readonly name: string
  readonly decoder: Decoder
  readonly shapes: ReadonlyMap<string, readonly number[]>
  read(name: string): Float32Array
  /** Contents of a tokenizer.json. */
  readonly tokenizer: Readonly<Record<string, unknown>>
  close(): void
}

/** The architecture that the files of `name` state. @throws Error naming one that is not supported */
export function knownArchitecture(name: string, stated: unknown): Architecture {
  const known = ARCHITECTURES.find(architecture => architecture === stated)
  if (known) return known
  throw new Error(
    `${name} is of architecture ${String(stated)}; supported are ${ARCHITECTURES.join(' and ')}`,
  )
}

const EMBED = 'model.embed_tokens.weight'
const OUTPUT = 'lm_head.weight'

/** Spar's names of one layer -> Hugging Face's (transformers, models/llama/modeling_llama.py). */
const LAYER_NAMES: Readonly<Record<string, string>> = {
  attn_norm: 'input_layernorm.weight',
  q: 'self_attn.q_proj.weight',
  k: 'self_attn.k_proj.weight',
  v: 'self_attn.v_proj.weight',
  q_bias: 'self_attn.q_proj.bias',
  k_bias: 'self_attn.k_proj.bias',
  v_bias: 'self_attn.v_proj.bias',
  out: 'self_attn.o_proj.weight',
  mlp_norm: 'post_attention_layernorm.weight',
  gate: 'mlp.gate_proj.weight',
  up: 'mlp.up_proj.weight',
  down: 'mlp.down_proj.weight',
}

/** Tensors of older files that hold nothing learned. */
const IGNORED = /rotary_emb\.inv_freq$|self_attn\.(masked_)?bias$/

/** Hugging Face's name of a weight of the trunk; null for those that no checkpoint has. */
function sourceName(name: string): string | null {
  const [, layer, part] = /^layers\.(\d+)\.(\w+)$/.exec(name) ?? []
  if (part !== undefined) return `model.layers.${layer}.${LAYER_NAMES[part]}`
  return { embed: EMBED, output: OUTPUT, final_norm: 'model.norm.weight' }[name] ?? null
}

/** What Spar adds to a checkpoint's sizes. */
type Additions = Pick<ModelConfig, 'slots' | 'flags' | 'features' | 'headWidth'>

/** The model's configuration; `vocab` is the checkpoint's own number of tokens. @throws Error when the embedding is missing. */
export function configOf({ name, decoder, shapes }: Checkpoint, additions: Additions): ModelConfig {
  const table = shapes.get(EMBED)
  if (!table) throw new Error(`${name} lacks the tensor ${EMBED}`)
  const { width, layers, heads, kvHeads, headDim, mlp, ropeTheta, normEpsilon, tied } = decoder
  if (heads % kvHeads !== 0)
    throw new Error(`${name} has ${heads} heads, no multiple of its ${kvHeads} key heads`)
  if (headDim % 2 !== 0)
    throw new Error(`${name} has heads ${headDim} wide; rotary positions need an even width`)
  return {
    ...{ vocab: table[0]!, width, layers, heads, kvHeads, mlp, ropeTheta, ...additions, normEpsilon },
    ...(headDim !== width / heads && { headDim }),
    ...(shapes.has('model.layers.0.self_attn.q_proj.bias') && { qkvBias: true }),
    ...((tied === null ? shapes.has(OUTPUT) : !tied) && { untied: true }),
  }
}

/**
 * The trunk's weights under Spar's names: matrices as [in, out], the extra input channels 0. The step head is not among them.
 * @throws Error naming a tensor that is missing, has another shape than the sizes say, or that this decoder has no place for.
 */
export function trunkWeights(checkpoint: Checkpoint, config: ModelConfig): Weights {
  const { name: origin, shapes } = checkpoint
  const weights: Weights = {}
  const used = new Set(config.untied ? [] : [OUTPUT])
  for (const [name, shape] of Object.entries(weightShapes(config))) {
    if (name.startsWith('head.')) continue
    const source = sourceName(name)
    if (source === null) {
      weights[name] = new Float32Array(sizeOf(shape))
      continue
    }
    const isMatrix = shape.length === 2 && name !== 'embed' && name !== 'output'
    const wanted = isMatrix ? [shape[1]!, shape[0]!] : shape
    const found = shapes.get(source)
    if (!found) throw new Error(`${origin} lacks the tensor ${source}`)
    if (found.join() !== wanted.join())
      throw new Error(
        `${origin} has ${source} of shape [${found.join(', ')}], expected [${wanted.join(', ')}]`,
      )
    const values = checkpoint.read(source)
    weights[name] = isMatrix ? transposed(values, wanted[0]!, wanted[1]!) : values
    used.add(source)
  }
  const extra = [...shapes.keys()].find(name => !used.has(name) && !IGNORED.test(name))
  if (extra !== undefined)
    throw new Error(`${origin} has the tensor ${extra}, which this decoder has no place for`)
  return weights
}
