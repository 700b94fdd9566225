// Turns sampled tokens into text as they come, and sees where it ends. Knows no sampling.
import type { LlamaModel, LlamaToken } from './gguf-library.ts'
import { stripThinking } from './reply-text.ts'

export interface Writer {
  /** Takes one token; tells when the text ends with it. */
  push(token: LlamaToken): 'stop_sequence' | 'end_of_text' | null
  /** What is written so far, without what ended it. */
  text(): string
}

export interface WriterOptions {
  readonly prompt: readonly LlamaToken[]
  /** Counts only behind a first word, and not in a thinking block: a text that begins with a blank line has not ended. */
  readonly stop: string | null
  /** Ends of a message that the chat template has in words. */
  readonly endTexts: readonly string[]
}

/** Tokens that the tokenizer is shown of what came before. */
const LOOK_BACK = 8
/** A character has at most four bytes, and so spreads over at most four tokens. */
const LONGEST_CHARACTER = 4

/** A text to which tokens are added. */
export function createWriter(
  model: Pick<LlamaModel, 'detokenize'>,
  { prompt, stop, endTexts }: WriterOptions,
): Writer {
  let text = ''
  /** The end of the text, as long as what a mark may have begun in. */
  let tail = ''
  let before = prompt.slice(-LOOK_BACK)
  let pending: LlamaToken[] = []
  const longest = Math.max(stop?.length ?? 0, ...endTexts.map(({ length }) => length))

  function cutAt(mark: string, from: number): boolean {
    const at = text.indexOf(mark, from)
    if (at >= 0) text = text.slice(0, at)
    return at >= 0
  }

  return {
    push(token) {
      pending.push(token)
      const piece = model.detokenize(pending, false, before)
      if (piece.endsWith('\uFFFD') && pending.length < LONGEST_CHARACTER) return null
      before = [...before, ...pending].slice(-LOOK_BACK)
      pending = []
      const seen = text.length - tail.length
      const fresh = tail + piece
      text += piece
      tail = longest > 1 ? fresh.slice(1 - longest) : ''
      // The text itself is looked at only where a mark stands: to do so at each token would take quadratic time.
      if (endTexts.some(end => fresh.includes(end) && cutAt(end, seen))) return 'end_of_text'
      if (stop === null || !fresh.includes(stop)) return null
      const said = stripThinking(text).trimStart().length
      return said > 0 && cutAt(stop, Math.max(seen, text.length - said)) ? 'stop_sequence' : null
    },
    text: () => text,
  }
}
