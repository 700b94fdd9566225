// Reads a streamed chat completion into the body that it would have had unstreamed, and sees when enough is written. Trusts nothing in
// it. Knows no HTTP, no deadline and no solution.
import { type BodyReader, createJsonReader, Unreadable } from './body-reader.ts'
import { field } from './field.ts'
import { createSseParser, LongLine } from './sse-events.ts'

export interface ChatStreamOptions {
  /** Characters that the text, thoughts included, may have; it is cut there, as by `max_tokens`. */
  readonly maxChars: number
  /** Told each piece with the text that ends in it: whether that has all that was asked for, so that the rest need not be written. */
  readonly isEnough: (piece: string, text: string) => boolean
}

export interface ChatStream extends BodyReader {
  /** True when the endpoint took no notice of the wish for a stream, and answered with one JSON value. */
  readonly isPlain: boolean
  /** True when it was left because it had all that was asked for. */
  readonly hadEnough: boolean
}

/** A chunk is a token or a few; with log-probabilities of the twenty likeliest it stays far below this. */
const MAX_LINE_CHARS = 2 ** 20

/** A reader of one answer. Of several choices, whose chunks may come in any order, it reads the one with index 0. */
export function createChatStream({ maxChars, isEnough }: ChatStreamOptions): ChatStream {
  const decoder = new TextDecoder()
  const parser = createSseParser(MAX_LINE_CHARS)
  const plain = createJsonReader()
  let isPlain: boolean | null = null
  let text = ''
  let hasEnough = false
  let thoughtChars = 0
  let hasThoughts = false
  let hasChoice = false
  let finish: string | null = null
  let stopReason: unknown
  let usage: unknown
  let isDone = false
  /** Left before its end: the counts of an upstream that tells them at every chunk are not those of the whole. */
  let isLeft = false
  const logprobs: { logprob: unknown }[] = []

  function take(event: string): void {
    if (isDone || event === '') return
    if (event.trim() === '[DONE]') {
      isDone = true
      return
    }
    const chunk = parseChunk(event)
    const error = field(chunk, 'error')
    if (error !== undefined && error !== null)
      throw new Unreadable(`an error in the ${begun() ? 'middle' : 'place'} of an answer`)
    const told = field(chunk, 'usage')
    if (typeof told === 'object' && told !== null) usage = told
    const choices = field(chunk, 'choices')
    if (!Array.isArray(choices)) return
    for (const choice of choices) if ((field(choice, 'index') ?? 0) === 0) takeChoice(choice)
  }

  function takeChoice(choice: unknown): void {
    hasChoice = true
    const delta = field(choice, 'delta')
    const content = field(delta, 'content')
    if (typeof content === 'string' && content !== '') {
      text += content
      hasEnough = isEnough(content, text)
    }
    const thought = field(delta, 'reasoning_content') ?? field(delta, 'reasoning')
    if (typeof thought === 'string') {
      hasThoughts = true
      thoughtChars += thought.length
    }
    const tokens = field(field(choice, 'logprobs'), 'content')
    if (Array.isArray(tokens)) for (const token of tokens) logprobs.push({ logprob: field(token, 'logprob') })
    const ended = field(choice, 'finish_reason')
    if (typeof ended !== 'string' || ended === '') return
    finish = ended
    if (Object.hasOwn(choice as object, 'stop_reason')) stopReason = field(choice, 'stop_reason')
  }

  /** True when nothing more is wanted: all that was asked for is there, or more than may be. */
  function leavesNow(): boolean {
    if (finish !== null || isDone) return false
    const isOver = text.length + thoughtChars > maxChars
    if (!isOver && !hasEnough) return false
    finish = isOver ? 'length' : 'stop'
    isLeft = true
    return true
  }

  const begun = () => text !== '' || thoughtChars > 0 || finish !== null

  function toBody(): unknown {
    const message = {
      content: text === '' && hasThoughts ? null : text,
      ...(hasThoughts && { reasoning: '' }),
    }
    const choice = {
      message,
      finish_reason: finish,
      ...(stopReason !== undefined && { stop_reason: stopReason }),
      ...(logprobs.length > 0 && { logprobs: { content: logprobs } }),
    }
    const isWhole = !isLeft && (finish !== null || isDone)
    const counts = isWhole ? usage : { prompt_tokens: field(usage, 'prompt_tokens') }
    return { choices: hasChoice ? [choice] : [], usage: counts }
  }

  function read(piece: string): boolean {
    try {
      for (const event of parser.push(piece)) {
        take(event)
        if (leavesNow()) return true
      }
    } catch (error) {
      throw error instanceof LongLine
        ? new Unreadable(`a line of more than ${MAX_LINE_CHARS} characters`)
        : error
    }
    return false
  }

  return {
    get isPlain() {
      return isPlain === true
    },
    get hadEnough() {
      return isLeft && finish === 'stop'
    },
    get begun() {
      return begun()
    },
    get complete() {
      return finish !== null || (isDone && hasChoice)
    },
    partial: () => (isPlain === true || !begun() ? undefined : toBody()),
    push(bytes) {
      if (isPlain === true) return plain.push(bytes)
      const piece = decoder.decode(bytes, { stream: true })
      if (isPlain === null) {
        const first = /\S/.exec(piece)?.[0]
        // What it is decides, not what its header says: several endpoints label the one as the other.
        if (first !== undefined) isPlain = /[[{"<]/.test(first)
        if (isPlain === true) return plain.push(bytes)
      }
      return read(piece)
    },
    end() {
      if (isPlain === true) return plain.end()
      if (!isLeft) for (const event of parser.end()) take(event)
      if (!isDone && finish === null) throw new Unreadable('only a part of an answer')
      return toBody()
    },
  }
}

function parseChunk(event: string): unknown {
  try {
    return JSON.parse(event) as unknown
  } catch {
    throw new Unreadable('a chunk that is not JSON')
  }
}
