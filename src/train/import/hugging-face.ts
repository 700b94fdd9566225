// A folder as Hugging Face publishes it (config.json, tokenizer.json, safetensors) as a checkpoint. Knows no bytes and no Spar.
// Keys: transformers, configuration_llama.py and configuration_qwen2.py.
import { existsSync, readFileSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { type Checkpoint, type Decoder, knownArchitecture } from './checkpoint.ts'
import { openSafetensors } from './safetensors.ts'

type Json = Readonly<Record<string, unknown>>

function readJson(path: string): Json {
  let value: unknown
  try {
    value = JSON.parse(readFileSync(path, 'utf8'))
  } catch (cause) {
    const missing = (cause as NodeJS.ErrnoException).code === 'ENOENT'
    throw new Error(`${path} ${missing ? 'is missing' : 'cannot be read as JSON'}`, { cause })
  }
  if (typeof value !== 'object' || value === null) throw new Error(`${path} holds no object`)
  return value as Json
}

/** Reads the sizes from a config.json. @throws Error naming an architecture or variant that is not supported, or a size that is missing. */
function decoderOf(name: string, config: Json): Decoder {
  const architecture = knownArchitecture(name, config['model_type'])
  const number = (key: string, fallback?: number): number => {
    const x = config[key] ?? fallback
    if (typeof x !== 'number' || !(x > 0)) throw new Error(`the config.json of ${name} does not state ${key}`)
    return x
  }
  const rope = (config['rope_parameters'] ?? config['rope_scaling'] ?? {}) as Json
  const scaling = rope['rope_type'] ?? rope['type'] ?? 'default'
  const refuse = (isThere: boolean, what: string): void => {
    if (isThere) throw new Error(`${name} has ${what}, which is not supported`)
  }
  refuse(scaling !== 'default', `scaled rotary positions (${String(scaling)})`)
  refuse((config['partial_rotary_factor'] ?? 1) !== 1, 'partial rotary positions')
  refuse(config['use_sliding_window'] === true, 'a sliding window')
  refuse((config['hidden_act'] ?? 'silu') !== 'silu', `the activation ${String(config['hidden_act'])}`)
  const heads = number('num_attention_heads')
  const width = number('hidden_size')
  const tied = config['tie_word_embeddings']
  const theta = rope['rope_theta']
  return {
    architecture,
    width,
    layers: number('num_hidden_layers'),
    heads,
    kvHeads: number('num_key_value_heads', heads),
    headDim: number('head_dim', width / heads),
    mlp: number('intermediate_size'),
    ropeTheta: number('rope_theta', typeof theta === 'number' ? theta : 10_000),
    normEpsilon: number('rms_norm_eps', 1e-6),
    window: number('max_position_embeddings', 2048),
    tied: typeof tied === 'boolean' ? tied : null,
  }
}

/**
 * Opens a folder, or one `.safetensors` file with its config.json and tokenizer.json beside it.
 * @throws Error naming what is corrupt, missing or not supported.
 */
export function openHuggingFace(path: string): Checkpoint {
  const dir = path.endsWith('.safetensors') ? dirname(path) : path
  const name = basename(path.replace(/\/+$/, ''))
  const candidates = [path, join(dir, 'model.safetensors'), join(dir, 'model.safetensors.index.json')]
  const weights = candidates.find(file => /\.(safetensors|json)$/.test(file) && existsSync(file))
  if (!weights) throw new Error(`${path} holds no model.safetensors and no model.safetensors.index.json`)
  const decoder = decoderOf(name, readJson(join(dir, 'config.json')))
  const tokenizer = readJson(join(dir, 'tokenizer.json'))
  const file = openSafetensors(weights)
  return { name, decoder, shapes: file.shapes, read: file.read, tokenizer, close: file.close }
}
