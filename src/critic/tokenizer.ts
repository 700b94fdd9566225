// The tokenizer of a critic: text to token ids and back, run by Hugging Face's tokenizers library. Knows no steps and no numbers.
import { Tokenizer } from '@huggingface/tokenizers'

/** Tokens with a meaning of their own, in the order of their ids (0 …). */
export const SPECIAL_TOKENS = ['<pad>', '<eos>', '<problem>', '<step>'] as const
export const PAD = 0
/** Ends a whole solution. */
export const EOS = 1
/** Ends the problem. */
export const PROBLEM = 2
/** Ends a step; its hidden state is scored. */
export const STEP = 3

/** How text is cut before byte-pair merging: single digits, words (with their space, LaTeX commands with their backslash), runs of marks, white space. */
export const PRE_TOKEN_PATTERN = '\\p{N}| ?\\\\?\\p{L}+| ?[^\\s\\p{L}\\p{N}]+|\\s+'

/** Turns text into ids. Special tokens in the text are not recognised: `<step>` typed by a client stays plain text. */
export interface TextTokenizer {
  /** Highest id and one. */
  readonly vocab: number
  encode(text: string): number[]
  decode(ids: readonly number[]): string
}

/** The pattern as the library reads it, for which white space is Unicode's. */
const WORD = new RegExp(PRE_TOKEN_PATTERN.replaceAll('\\s', '\\p{White_Space}'), 'gu')
const CACHE_ENTRIES = 20_000
const CACHEABLE_CHARS = 48

interface TokenizerJson {
  readonly normalizer?: unknown
  readonly pre_tokenizer?: {
    readonly pretokenizers?: readonly {
      readonly pattern?: { readonly Regex?: string }
      readonly use_regex?: boolean
    }[]
  } | null
  readonly model: { readonly vocab: Readonly<Record<string, number>> }
  readonly added_tokens?: readonly { readonly id: number; readonly content: string }[]
}

/** Whether a text's tokens are those of its words, one after the other: it is cut as above and only merged then. */
function cutsWords({ normalizer, pre_tokenizer }: TokenizerJson): boolean {
  const [split, bytes, ...more] = pre_tokenizer?.pretokenizers ?? []
  const isCut = split?.pattern?.Regex === PRE_TOKEN_PATTERN && bytes?.use_regex === false
  return isCut && more.length === 0 && (normalizer ?? null) === null
}

/** Matches the place after the first character of every name that is written out in a text. */
function insideNames(names: readonly string[]): RegExp {
  const escaped = (text: string) => text.replace(/[\\^$.*+?()[\]{}|/]/g, '\\$&')
  const rests = Map.groupBy(
    names.filter(name => name.length > 1),
    name => [...name][0]!,
  )
  const places = [...rests].map(
    ([first, whole]) =>
      `(?<=${escaped(first)})(?=${whole.map(name => escaped(name.slice(first.length))).join('|')})`,
  )
  return new RegExp(places.length > 0 ? places.join('|') : '(?!)', 'u')
}

/** Builds a tokenizer from the contents of a `tokenizer.json`. @throws when it is not one. */
export function createTokenizer(json: unknown): TextTokenizer {
  const tokenizer = new Tokenizer(json as object, {})
  const { model, added_tokens: added = [] } = json as TokenizerJson
  const ids = [...Object.values(model.vocab), ...added.map(token => token.id)]
  const inside = insideNames(added.map(token => token.content))
  const hasWords = cutsWords(json as TokenizerJson)
  const cache = new Map<string, readonly number[]>() // words repeat, and the library takes long to find its own
  const encodePiece = (piece: string): readonly number[] => {
    const known = cache.get(piece)
    if (known !== undefined) return known
    const { ids } = tokenizer.encode(piece, { add_special_tokens: false })
    if (piece.length > CACHEABLE_CHARS) return ids
    if (cache.size >= CACHE_ENTRIES) cache.clear()
    cache.set(piece, ids)
    return ids
  }
  return {
    vocab: ids.reduce((most, id) => Math.max(most, id + 1), 0),
    encode(text) {
      // The library finds added tokens in the text; break their names up so that a client cannot write one.
      const tokens: number[] = []
      for (const part of text.split(inside))
        for (const piece of hasWords ? (part.match(WORD) ?? []) : [part])
          for (const token of encodePiece(piece)) tokens.push(token)
      return tokens
    },
    // The library refuses an empty list, and by default drops the space before a full stop or a comma.
    decode: ids =>
      ids.length === 0
        ? ''
        : tokenizer.decode([...ids], { skip_special_tokens: true, clean_up_tokenization_spaces: false }),
  }
}
