// How the fake LLM streams: a completion cut into chunks, sent as events, or cut off as told. Knows no solver.
import type { ServerResponse } from 'node:http'

/** A completion as `complete` gives it. */
interface Completion {
  readonly choices: readonly {
    readonly message: { readonly content: string }
    readonly finish_reason: string
    readonly stop_reason?: string | null
    readonly logprobs?: { readonly content: readonly object[] }
  }[]
  readonly usage?: unknown
}

/** Ways to stream that are no good, or not as one expects. */
export const STREAMS = {
  /** Hangs up after half of the chunks. */
  stream_dies: (response, frames) => sendHalf(response, frames, () => response.socket?.destroy()),
  /** Ends the answer after half of the chunks, as if that were all. */
  stream_ends_early: (response, frames) => sendHalf(response, frames, () => response.end()),
  /** Opens the stream, gives a sign of life, and then nothing. */
  stream_stalls_first: (response, frames) => void open(response).write(`: queued\n\n${frames[0]}`),
  stream_stalls_between: (response, frames) => sendHalf(response, frames, () => {}),
  /** One line without end, at the pace of the reader. */
  stream_endless_line(response) {
    const block = 'x'.repeat(64 * 1024)
    const write = () => {
      while (!response.destroyed && response.write(block)) {}
    }
    open(response).write('data: {"choices":[{"index":0,"delta":{"content":"')
    response.on('drain', write)
    write()
  },
  /** Tokens without end, at the pace of the reader, whatever `max_tokens` says. */
  stream_endless_tokens(response) {
    const token = frame({ choices: [{ index: 0, delta: { content: 'and on ' }, finish_reason: null }] })
    const write = () => {
      while (!response.destroyed && response.write(token.repeat(100))) {}
    }
    open(response)
    response.on('drain', write)
    write()
  },
  stream_error_chunk(response, frames, said) {
    sendHalf(response, frames, () => response.end(frame({ error: { message: said, code: 500 } })))
  },
  /** All there, but the end is not marked. */
  stream_no_done: (response, frames) => void open(response).end(frames.slice(0, -1).join('')),
  /** All there but for usage and mark, and the connection stays open. */
  stream_never_closes: (response, frames) => void open(response).write(frames.slice(0, -2).join('')),
  stream_wrong_usage(response, frames) {
    const usage = { prompt_tokens: -7, completion_tokens: 'many' }
    const chunks = [...frames.slice(0, -2), frame({ choices: [], usage }), frames.at(-1)]
    open(response).end(chunks.join(''))
  },
  /** A second choice between the chunks of the first, and ahead of it. */
  stream_two_choices(response, frames) {
    const other = frame({ choices: [{ index: 1, delta: { content: 'no ' }, finish_reason: null }] })
    open(response).end(frames.map(text => other + text).join(''))
  },
  /** Events with other line ends, in pieces of a few bytes. */
  stream_drips(response, frames) {
    const bytes = Buffer.from(frames.join('').replaceAll('\n', '\r\n'))
    open(response)
    const drip = (at: number) => {
      if (at >= bytes.length) response.end()
      else response.write(bytes.subarray(at, at + 7), () => drip(at + 7))
    }
    drip(0)
  },
} as const satisfies Record<
  string,
  (response: ServerResponse, frames: readonly string[], said: string) => void
>

/** Streams a completion as a good endpoint does. */
export function sendStream(response: ServerResponse, frames: readonly string[]): void {
  open(response).end(frames.join(''))
}

/** A word or a blank line a chunk; the last frames are the usage, where there is any, and the mark of the end. */
export function framesOf({ choices, usage }: Completion, withUsage: boolean): string[] {
  const [{ message, finish_reason, stop_reason, logprobs } = NO_CHOICE] = choices
  const words = message.content.match(/\s*\S+|\s+$/g) ?? []
  const chunk = (delta: object, more: object = { finish_reason: null }) =>
    frame({ object: 'chat.completion.chunk', choices: [{ index: 0, delta, ...more }] })
  return [
    chunk({ role: 'assistant', content: '' }),
    ...words.map((content, i) => {
      const odds = logprobs?.content[i]
      return chunk({ content }, { finish_reason: null, ...(odds && { logprobs: { content: [odds] } }) })
    }),
    chunk({}, { finish_reason, ...(stop_reason !== undefined && { stop_reason }) }),
    ...(withUsage && usage !== undefined ? [frame({ choices: [], usage })] : []),
    'data: [DONE]\n\n',
  ]
}

const NO_CHOICE: Partial<Completion['choices'][number]> & { message: { content: string } } = {
  message: { content: '' },
}

const frame = (data: object): string => `data: ${JSON.stringify(data)}\n\n`

function open(response: ServerResponse): ServerResponse {
  return response.writeHead(200, { 'content-type': 'text/event-stream' })
}

function sendHalf(response: ServerResponse, frames: readonly string[], then: () => void): void {
  open(response).write(frames.slice(0, frames.length / 2).join(''), then)
}
