// Learns a byte-level byte-pair vocabulary and writes it as a Hugging Face `tokenizer.json`. Knows no model.
// Sennrich et al. 2016 (arXiv 1508.07909) on bytes, as GPT-2 does it.
import { PRE_TOKEN_PATTERN, SPECIAL_TOKENS } from '../critic/tokenizer.ts'
import { addedToken, byteLevel, splitBy, tokenizerJson } from './tokenizer-json.ts'

/** GPT-2's printable stand-in for each byte: printable Latin-1 characters are themselves, the rest follow from U+0100. */
function byteAlphabet(): string[] {
  const printable = (b: number) => (b >= 33 && b <= 126) || (b >= 161 && b <= 172) || b >= 174
  let next = 256
  return Array.from({ length: 256 }, (_, b) => String.fromCharCode(printable(b) ? b : next++))
}

interface Word {
  symbols: string[]
  readonly count: number
}

/** Counts pre-tokens, each as its byte symbols. */
function countWords(texts: Iterable<string>): Word[] {
  const alphabet = byteAlphabet()
  const pattern = new RegExp(PRE_TOKEN_PATTERN, 'gu')
  const counts = new Map<string, number>()
  for (const text of texts) {
    for (const [word] of text.matchAll(pattern)) counts.set(word, (counts.get(word) ?? 0) + 1)
  }
  const encoder = new TextEncoder()
  return [...counts].map(([word, count]) => ({
    symbols: [...encoder.encode(word)].map(b => alphabet[b]!),
    count,
  }))
}

const SPLIT = '\u0000'

/** The most frequent merges, best first; ties go to the pair that sorts first, so that a corpus has one outcome. */
function learnMerges(words: Word[], wanted: number): [string, string][] {
  const counts = new Map<string, number>()
  const places = new Map<string, Set<Word>>()
  const add = (word: Word, sign: 1 | -1) => {
    for (let i = 0; i + 1 < word.symbols.length; i++) {
      const pair = word.symbols[i]! + SPLIT + word.symbols[i + 1]!
      counts.set(pair, (counts.get(pair) ?? 0) + sign * word.count)
      if (sign === 1) places.set(pair, (places.get(pair) ?? new Set()).add(word))
    }
  }
  for (const word of words) add(word, 1)
  const merges: [string, string][] = []
  while (merges.length < wanted) {
    let best = ''
    let bestCount = 1 // a pair seen once is not worth a token
    for (const [pair, count] of counts) {
      if (count > bestCount || (count === bestCount && best !== '' && pair < best))
        [best, bestCount] = [pair, count]
    }
    if (best === '') break
    const [left, right] = best.split(SPLIT) as [string, string]
    merges.push([left, right])
    for (const word of places.get(best) ?? []) {
      add(word, -1)
      word.symbols = merged(word.symbols, left, right)
      add(word, 1)
    }
    counts.delete(best)
    places.delete(best)
  }
  return merges
}

function merged(symbols: readonly string[], left: string, right: string): string[] {
  const out: string[] = []
  for (let i = 0; i < symbols.length; i++) {
    if (symbols[i] === left && symbols[i + 1] === right) {
      out.push(left + right)
      i++
    } else out.push(symbols[i]!)
  }
  return out
}

/** Learns `vocabSize` tokens (special tokens and the 256 bytes included) from texts. @returns the contents of a tokenizer.json. */
export function trainTokenizer(texts: Iterable<string>, vocabSize: number): object {
  const alphabet = byteAlphabet()
  const merges = learnMerges(countWords(texts), vocabSize - SPECIAL_TOKENS.length - alphabet.length)
  // Two merges may spell the same token; it keeps its first id.
  const tokens = [...new Set([...SPECIAL_TOKENS, ...alphabet, ...merges.map(pair => pair.join(''))])]
  return tokenizerJson({
    tokens,
    merges,
    added: SPECIAL_TOKENS.map((content, id) => addedToken(id, content, true)),
    cuts: [splitBy(PRE_TOKEN_PATTERN), byteLevel(false)],
  })
}
