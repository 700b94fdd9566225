// The vocabulary in a GGUF file as a Hugging Face `tokenizer.json`. Knows no model.
// Patterns: llama.cpp, src/llama-vocab.cpp, llm_tokenizer_bpe; token types: llama.h, enum llama_token_type.
import type { GgufFile } from './gguf.ts'

const CONTROL = 3
const USER_DEFINED = 4

const CONTRACTIONS = "'[sS]|'[tT]|'[rR][eE]|'[vV][eE]|'[mM]|'[lL][lL]|'[dD]"
const llama3Like = (digits: string): string =>
  `(?:${CONTRACTIONS})|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|${digits}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+`

const split = (pattern: string): object => ({
  type: 'Split',
  pattern: { Regex: pattern },
  behavior: 'Isolated',
  invert: false,
})
/** Bytes to printable characters; with `regex`, GPT-2's cutting first. */
const byteLevel = (regex: boolean): object => ({
  type: 'ByteLevel',
  add_prefix_space: false,
  trim_offsets: true,
  use_regex: regex,
})

interface Cutting {
  readonly cuts: readonly object[]
  readonly normalizer: object | null
  /** A word that is a token is that token, whatever the merges say. */
  readonly ignoreMerges: boolean
}

/** How text is cut before merging, by `tokenizer.ggml.pre`. */
const CUTTINGS: Readonly<Record<string, Cutting>> = {
  'gpt-2': { cuts: [byteLevel(true)], normalizer: null, ignoreMerges: false },
  smollm: { cuts: [split('\\p{N}'), byteLevel(true)], normalizer: null, ignoreMerges: false },
  'llama-bpe': {
    cuts: [split(llama3Like('\\p{N}{1,3}')), byteLevel(false)],
    normalizer: null,
    ignoreMerges: true,
  },
  qwen2: {
    cuts: [split(llama3Like('\\p{N}')), byteLevel(false)],
    normalizer: { type: 'NFC' },
    ignoreMerges: false,
  },
}

/** Builds the contents of a tokenizer.json. @throws Error naming a tokenizer or a way of cutting text that is not supported. */
export function ggufTokenizer({ name, metadata }: GgufFile): Record<string, unknown> {
  const model = metadata.get('tokenizer.ggml.model')
  if (model !== 'gpt2')
    throw new Error(
      `${name} has a tokenizer of kind ${String(model)}; only byte-level BPE (gpt2) is supported`,
    )
  const pre = metadata.get('tokenizer.ggml.pre')
  const cutting = CUTTINGS[String(pre)]
  if (!cutting)
    throw new Error(
      `${name} cuts text by the rule ${String(pre)}; supported are ${Object.keys(CUTTINGS).join(', ')}`,
    )
  const list = (key: string): readonly unknown[] => {
    const value = metadata.get(`tokenizer.ggml.${key}`)
    if (!Array.isArray(value)) throw new Error(`${name} has no tokenizer.ggml.${key}`)
    return value
  }
  const tokens = list('tokens') as readonly string[]
  const types = metadata.has('tokenizer.ggml.token_type') ? list('token_type') : []
  const merges = (list('merges') as readonly string[]).map(merge => {
    const at = merge.indexOf(' ', 1)
    return [merge.slice(0, at), merge.slice(at + 1)]
  })
  return {
    version: '1.0',
    added_tokens: tokens.flatMap((content, id) => {
      if (types[id] !== CONTROL && types[id] !== USER_DEFINED) return []
      const special = types[id] === CONTROL
      return [{ id, content, single_word: false, lstrip: false, rstrip: false, normalized: false, special }]
    }),
    normalizer: cutting.normalizer,
    pre_tokenizer: { type: 'Sequence', pretokenizers: cutting.cuts },
    post_processor: null,
    decoder: { type: 'ByteLevel', add_prefix_space: true, trim_offsets: true, use_regex: true },
    model: {
      type: 'BPE',
      dropout: null,
      unk_token: null,
      continuing_subword_prefix: null,
      end_of_word_suffix: null,
      fuse_unk: false,
      byte_fallback: false,
      ignore_merges: cutting.ignoreMerges,
      vocab: Object.fromEntries(tokens.map((token, id) => [token, id])),
      merges,
    },
  }
}
