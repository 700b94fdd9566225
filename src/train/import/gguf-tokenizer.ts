// The vocabulary in a GGUF file as a Hugging Face `tokenizer.json`. Knows no model.
// Patterns: llama.cpp, src/llama-vocab.cpp, llm_tokenizer_bpe; token types: llama.h, enum llama_token_type.
import { addedToken, type ByteLevelBpe, byteLevel, splitBy, tokenizerJson } from '../tokenizer-json.ts'
import type { GgufFile } from './gguf.ts'

const CONTROL = 3
const USER_DEFINED = 4

const CONTRACTIONS = "'[sS]|'[tT]|'[rR][eE]|'[vV][eE]|'[mM]|'[lL][lL]|'[dD]"
const llama3Like = (digits: string): string =>
  `(?:${CONTRACTIONS})|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|${digits}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+`

/** How text is cut before merging, by `tokenizer.ggml.pre`. */
const CUTTINGS: Readonly<Record<string, Pick<ByteLevelBpe, 'cuts' | 'normalizer' | 'ignoreMerges'>>> = {
  'gpt-2': { cuts: [byteLevel(true)] },
  smollm: { cuts: [splitBy('\\p{N}'), byteLevel(true)] },
  'llama-bpe': { cuts: [splitBy(llama3Like('\\p{N}{1,3}')), byteLevel(false)], ignoreMerges: true },
  qwen2: { cuts: [splitBy(llama3Like('\\p{N}')), byteLevel(false)], normalizer: { type: 'NFC' } },
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
  return tokenizerJson({
    ...cutting,
    tokens,
    merges,
    added: tokens.flatMap((content, id) => {
      const type = types[id]
      return type === CONTROL || type === USER_DEFINED ? [addedToken(id, content, type === CONTROL)] : []
    }),
  })
}
