// A small real chat-completions server for tests: solves "add these numbers", or misbehaves as told. Knows no test.
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import { type ChatBody, complete, isSolverMode, type SolverMode, solveBySeed } from './llm-solver.ts'
import { framesOf, STREAMS, sendStream } from './llm-stream.ts'

/** How one request is answered: as the solver does, or failing in one way. */
export type LlmMode =
  | SolverMode
  /** 400 when `continue_final_message` is in the request or the last message is the assistant's, else as `ok`. */
  | 'rejects_continuation'
  /** As Mistral: a last message of the assistant must be marked as a prefix, and is repeated in the answer. */
  | 'takes_prefix'
  /** 400 when `logprobs` is in the request, else as `ok`. */
  | 'rejects_logprobs'
  /** 400 when `stream` is in the request, else as `ok`. */
  | 'rejects_stream'
  /** 400 when `stream_options` is in the request, else as `ok`. */
  | 'rejects_stream_options'
  /** Takes no notice of `stream`. */
  | 'streams_never'
  | keyof typeof STREAMS
  | keyof typeof ANSWERS
  | keyof typeof ACTS

/** An answer spelt out. */
export interface LlmAnswer {
  readonly status?: number
  readonly headers?: Readonly<Record<string, string>>
  readonly body: string | Uint8Array
}

export interface RecordedRequest {
  readonly method: string
  readonly path: string
  readonly headers: IncomingMessage['headers']
  /** The parsed body; undefined when it was not JSON. */
  readonly body: ChatBody | undefined
}

/** Decides the answer to the request with this index (from 0). */
export type LlmScript = (request: RecordedRequest, index: number) => LlmMode | LlmAnswer

export interface LlmServerOptions {
  /** Default `ok`. */
  readonly script?: LlmMode | LlmScript
  /** The whole solution of a problem; default `solveBySeed`. */
  readonly solve?: (problem: string, seed: number) => string
  /** When each answer is sent, from when its request came in; 0: at once. */
  readonly delayMs?: number
  /** Seconds, for `rate_limited_retry_after`. */
  readonly retryAfterS?: number
}

export interface LlmServer {
  /** Base URL ending in `/v1`. */
  readonly url: string
  readonly requests: readonly RecordedRequest[]
  openSockets(): number
  /** Requests that have come in and whose answer is neither complete nor broken off. */
  inFlight(): number
  close(): Promise<void>
}

/** Starts the server on a free port of 127.0.0.1. */
export async function startLlmServer(options: LlmServerOptions = {}): Promise<LlmServer> {
  const requests: RecordedRequest[] = []
  const sockets = new Set<Socket>()
  let inFlight = 0
  const { script = 'ok', solve = solveBySeed, delayMs = 0, retryAfterS = 1 } = options
  const timers = new Set<NodeJS.Timeout>()

  const server = createServer(async (request, response) => {
    const cameAt = performance.now()
    inFlight++
    response.on('close', () => inFlight--)
    const recorded = await record(request).catch(() => undefined)
    if (recorded === undefined) return
    const decided = typeof script === 'string' ? script : script(recorded, requests.length)
    requests.push(recorded)
    const reply = () => {
      if (typeof decided !== 'string') send(response, decided)
      else perform(decided, recorded, response, { solve, retryAfterS })
    }
    if (delayMs === 0) {
      reply()
      return
    }
    const timer = setTimeout(
      () => {
        timers.delete(timer)
        if (!response.destroyed) reply()
      },
      Math.max(0, delayMs - (performance.now() - cameAt)),
    )
    timers.add(timer)
  })
  server.on('connection', socket => {
    sockets.add(socket)
    socket.on('close', () => sockets.delete(socket))
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo

  return {
    url: `http://127.0.0.1:${port}/v1`,
    requests,
    openSockets: () => sockets.size,
    inFlight: () => inFlight,
    close: async () => {
      for (const timer of timers) clearTimeout(timer)
      const closed = new Promise(resolve => server.close(resolve))
      server.closeAllConnections()
      await closed
    },
  }
}

async function record(request: IncomingMessage): Promise<RecordedRequest> {
  let text = ''
  for await (const chunk of request.setEncoding('utf8')) text += chunk
  let body: ChatBody | undefined
  try {
    body = JSON.parse(text)
  } catch {
    body = undefined
  }
  return { method: request.method ?? '', path: request.url ?? '', headers: request.headers, body }
}

/** Everything a failing server says repeats what it was sent, so that a leak of it would be seen. */
const ANSWERS = {
  refuses: said => failure(401, said),
  bad_request: said => failure(400, said),
  not_found: said => failure(404, said),
  rate_limited: said => failure(429, said),
  rate_limited_retry_after: (said, retryAfterS) => ({
    ...failure(429, said),
    headers: { 'retry-after': String(retryAfterS) },
  }),
  error: said => failure(500, said),
  html: said => ({ headers: { 'content-type': 'text/html' }, body: `<!doctype html><body>${said}</body>` }),
  broken_json: said => ({ body: said.slice(0, -1) }),
  error_in_200: said => ({ body: JSON.stringify({ error: { code: 500, message: said } }) }),
  empty_choices: said => ({ body: JSON.stringify({ choices: [], note: said }) }),
  no_content: said => ({
    body: JSON.stringify({ choices: [{ message: { role: 'assistant', note: said } }] }),
  }),
  redirect: said => ({ status: 302, headers: { location: '/elsewhere/chat/completions' }, body: said }),
} as const satisfies Record<string, (said: string, retryAfterS: number) => LlmAnswer>

/** Failures below HTTP's surface. `ok` is the good answer that is not given, or not in full. */
const ACTS = {
  hangs: () => {},
  hangs_mid_body: (response, ok) => {
    response.writeHead(200, { 'content-type': 'application/json' })
    response.write(ok.slice(0, ok.length / 2))
  },
  hangs_mid_rejection: response => {
    response.writeHead(400, { 'content-type': 'application/json' })
    response.write('{"error":')
  },
  dies: response => {
    response.socket?.destroy()
  },
  dies_mid_body: (response, ok) => {
    response.writeHead(200, { 'content-type': 'application/json', 'content-length': ok.length })
    response.write(ok.slice(0, ok.length / 2), () => response.socket?.destroy())
  },
  not_http: (response, _ok, said) => {
    response.socket?.end(`SSH-2.0-Fake ${said}\r\n\r\n`)
  },
  /** A JSON string without end, at the pace of the reader, until the connection closes. */
  huge_body: response => pour(response, Number.POSITIVE_INFINITY),
  /** One line of 100 MB that is a whole answer. */
  long_line: response => pour(response, 100 * 2 ** 20),
  /** A JSON string without end, a few letters at a time. */
  endless_tokens: response => {
    response.writeHead(200, { 'content-type': 'application/json' })
    response.write('{"choices":[{"message":{"content":"')
    const drip = setInterval(() => response.write('and on '), 5)
    response.on('close', () => clearInterval(drip))
  },
} as const satisfies Record<string, (response: ServerResponse, ok: string, said: string) => void>

/** Writes a completion with a text of so many bytes, at the pace of the reader. */
function pour(response: ServerResponse, bytes: number): void {
  const block = 'x'.repeat(64 * 1024)
  let left = bytes
  const write = () => {
    while (left > 0 && !response.destroyed) {
      left -= block.length
      if (!response.write(block)) return
    }
    if (!response.destroyed && !response.writableEnded) response.end('"},"finish_reason":"stop"}]}')
  }
  response.writeHead(200, { 'content-type': 'application/json' })
  response.write('{"choices":[{"message":{"content":"')
  response.on('drain', write)
  write()
}

interface World {
  readonly solve: (problem: string, seed: number) => string
  readonly retryAfterS: number
}

function perform(mode: LlmMode, request: RecordedRequest, response: ServerResponse, world: World): void {
  const { body } = request
  const said = JSON.stringify({ headers: request.headers, body })
  if (isKey(ANSWERS, mode)) {
    send(response, ANSWERS[mode](said, world.retryAfterS))
    return
  }
  const isChat = request.path.endsWith('/chat/completions') && Array.isArray(body?.messages)
  const whole = isChat
    ? complete(body!, isSolverMode(mode) ? mode : 'ok', world.solve, mode === 'takes_prefix')
    : null
  const ok = whole === null ? said : JSON.stringify(whole)
  const rejected = REJECTED[mode]
  if (isKey(ACTS, mode)) ACTS[mode](response, ok, said)
  else if (whole === null) send(response, failure(404, 'no such thing here'))
  else if (!takesForm(body!, mode)) send(response, failure(400, 'Expected last role User'))
  else if (rejected !== undefined && body![rejected] !== undefined)
    send(response, failure(400, `Unrecognized request argument supplied: ${rejected}`))
  else if (body!.stream !== true || mode === 'streams_never') send(response, { body: ok })
  else {
    const frames = framesOf(
      whole as unknown as Parameters<typeof framesOf>[0],
      body!.stream_options?.include_usage === true,
    )
    if (isKey(STREAMS, mode)) STREAMS[mode](response, frames, said)
    else sendStream(response, frames)
  }
}

const REJECTED: Readonly<Partial<Record<LlmMode, keyof ChatBody>>> = {
  rejects_continuation: 'continue_final_message',
  takes_prefix: 'continue_final_message',
  rejects_logprobs: 'logprobs',
  rejects_stream: 'stream',
  rejects_stream_options: 'stream_options',
}

function takesForm({ messages }: ChatBody, mode: LlmMode): boolean {
  const last = messages.at(-1)
  if (last?.role !== 'assistant') return true
  return mode === 'takes_prefix' ? last.prefix === true : mode !== 'rejects_continuation'
}

function isKey<T extends object>(table: T, key: string): key is Extract<keyof T, string> {
  return Object.hasOwn(table, key)
}

function failure(status: number, message: string): LlmAnswer {
  return { status, body: JSON.stringify({ error: { message, type: 'fake' } }) }
}

function send(response: ServerResponse, answer: LlmAnswer): void {
  response.writeHead(answer.status ?? 200, { 'content-type': 'application/json', ...answer.headers })
  response.end(answer.body)
}
