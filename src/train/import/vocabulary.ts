// Makes room for Spar's own tokens in an imported vocabulary: they take the first ids, every other token moves up. Knows no file.
// The encoder, the batches and the solver rely on those ids (critic/tokenizer.ts); one rule for all artifacts beats a map in each.
import { SPECIAL_TOKENS } from '../../critic/tokenizer.ts'
import type { ModelConfig, Weights } from '../model/config.ts'
import { addedToken } from '../tokenizer-json.ts'

/** Ids that an imported token moves up by. */
export const SHIFT = SPECIAL_TOKENS.length

type Json = Readonly<Record<string, unknown>>
interface AddedToken extends Json {
  readonly id: number
  readonly content: string
}

/** Whether a part of a tokenizer.json, or a part inside it, is of a type. */
const includesType = (part: unknown, type: string): boolean =>
  typeof part === 'object' &&
  part !== null &&
  ((part as Json)['type'] === type || Object.values(part).some(inner => includesType(inner, type)))

/** Normalizers that do not depend on where a text was cut. */
const isHarmless = (normalizer: unknown): boolean =>
  normalizer === null || normalizer === undefined || (normalizer as Json)['type'] === 'NFC'

/** Texts are encoded in pieces (between two numbers), so no piece may get a space of its own in front. */
const withoutPrefixSpace = (part: unknown): unknown =>
  JSON.parse(JSON.stringify(part), (key, value) => (key === 'add_prefix_space' ? false : value))

/**
 * A tokenizer.json with Spar's tokens as ids 0 … and all others moved up; nothing is added to a text's start or end.
 * @throws Error naming the source when it is no byte-level BPE.
 */
export function withSparTokens(name: string, json: Json): { json: Json; tokens: number } {
  const model = json['model'] as (Json & { vocab: Record<string, number> }) | undefined
  const isByteLevel =
    model?.['type'] === 'BPE' &&
    includesType(json['pre_tokenizer'], 'ByteLevel') &&
    isHarmless(json['normalizer'])
  if (!isByteLevel)
    throw new Error(
      `${name} has a tokenizer that is no byte-level BPE (${String(model?.['type'])}); only that is supported`,
    )
  const isOwn = (token: string): boolean => (SPECIAL_TOKENS as readonly string[]).includes(token)
  // A vocabulary may have a `<pad>` of its own; it keeps its row and loses its name.
  const renamed = (token: string): string => (isOwn(token) ? `<imported ${token.slice(1)}` : token)
  const added = ((json['added_tokens'] ?? []) as AddedToken[]).map(token => ({
    ...token,
    id: token.id + SHIFT,
    content: renamed(token.content),
  }))
  const vocab = Object.fromEntries([
    ...SPECIAL_TOKENS.map((token, id) => [token, id] as const),
    ...Object.entries(model.vocab).map(([token, id]) => [renamed(token), id + SHIFT] as const),
    ...added.map(({ content, id }) => [content, id] as const),
  ])
  const own = SPECIAL_TOKENS.map((content, id) => addedToken(id, content, true))
  return {
    json: {
      ...json,
      added_tokens: [...own, ...added],
      pre_tokenizer: withoutPrefixSpace(json['pre_tokenizer']),
      post_processor: null,
      model: { ...model, vocab },
    },
    tokens: Object.values(vocab).reduce((most, id) => Math.max(most, id + 1), 0),
  }
}

/** A table with rows for Spar's tokens in front, each the mean of all rows. table: [rows, width]. */
function withMeanRows(table: Float32Array, width: number): Float32Array {
  const mean = new Float64Array(width)
  table.forEach((x, i) => {
    mean[i % width]! += x
  })
  const out = new Float32Array(table.length + SHIFT * width)
  const rows = table.length / width
  for (let i = 0; i < SHIFT * width; i++) out[i] = mean[i % width]! / rows
  out.set(table, SHIFT * width)
  return out
}

/** The model with rows for Spar's tokens in its embedding and, if it has one, its output table. */
export function withSparRows(
  config: ModelConfig,
  weights: Weights,
): { config: ModelConfig; weights: Weights } {
  const grown = ['embed', 'output'].filter(name => weights[name])
  return {
    config: { ...config, vocab: config.vocab + SHIFT },
    weights: {
      ...weights,
      ...Object.fromEntries(grown.map(name => [name, withMeanRows(weights[name]!, config.width)])),
    },
  }
}
