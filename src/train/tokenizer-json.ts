// What a byte-level byte-pair `tokenizer.json` is made of, as Hugging Face's tokenizers library reads it. Knows no vocabulary.

/** A token that is found in a text as it stands; a special one carries meaning instead of text. */
export const addedToken = (id: number, content: string, special: boolean) => ({
  id,
  content,
  single_word: false,
  lstrip: false,
  rstrip: false,
  normalized: false,
  special,
})

/** Cuts a text at the matches of a pattern, which are pieces themselves. */
export const splitBy = (pattern: string): object => ({
  type: 'Split',
  pattern: { Regex: pattern },
  behavior: 'Isolated',
  invert: false,
})

/** Turns bytes into printable characters; with `cuts`, cuts the text as GPT-2 does first. */
export const byteLevel = (cuts: boolean): object => ({
  type: 'ByteLevel',
  add_prefix_space: false,
  trim_offsets: true,
  use_regex: cuts,
})

export interface ByteLevelBpe {
  /** Every token, in the order of its id (0 …). */
  readonly tokens: readonly string[]
  /** Best first. */
  readonly merges: readonly (readonly string[])[]
  readonly added: readonly ReturnType<typeof addedToken>[]
  /** What is done to a text before it is cut. */
  readonly normalizer?: object | null
  /** How a text is cut before merging; one of them is `byteLevel`. */
  readonly cuts: readonly object[]
  /** A word that is a token is that token, whatever the merges say. */
  readonly ignoreMerges?: boolean
}

/** The contents of a `tokenizer.json`; nothing is put at a text's start or end. */
export const tokenizerJson = ({
  tokens,
  merges,
  added,
  normalizer = null,
  cuts,
  ignoreMerges = false,
}: ByteLevelBpe): Record<string, unknown> => ({
  version: '1.0',
  added_tokens: added,
  normalizer,
  pre_tokenizer: { type: 'Sequence', pretokenizers: cuts },
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
    ignore_merges: ignoreMerges,
    vocab: Object.fromEntries(tokens.map((token, id) => [token, id])),
    merges,
  },
})
