// One HTTP exchange over node:http, on connections that are kept: what is sent, and the answer's status, headers and decoded body.
// Knows no JSON, no deadline and no retry. fetch costs twice the processor time of this, which a wave of calls waits for.
import {
  type ClientRequest,
  Agent as HttpAgent,
  globalAgent as httpAgent,
  type IncomingMessage,
  request as overHttp,
  type RequestOptions,
} from 'node:http'
import { Agent as HttpsAgent, globalAgent as httpsAgent, request as overHttps } from 'node:https'
import type { LookupFunction, Socket } from 'node:net'
import { pipeline, type Readable } from 'node:stream'
import { urlToHttpOptions } from 'node:url'
import { createBrotliDecompress, createGunzip, createInflate } from 'node:zlib'

/** An answer whose head is here. Its body must be read to the end or discarded: an unread one keeps its connection busy. */
export interface HttpAnswer {
  readonly status: number
  /** The value of a header, by its lower-case name; null when it is not there. */
  header(name: string): string | null
  /** Gives the body's bytes, decoded, as they come; ends with them, or once `take` says true, which closes the connection. */
  read(take: (bytes: Uint8Array) => boolean): Promise<void>
  /** Closes the connection unless the body was read to its end. */
  discard(): void
}

interface HttpMessage {
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
  /** Until a new connection is there, its name looked up and its encryption agreed on. Left out: as long as it takes. */
  readonly connectTimeoutMs?: number
}

/**
 * Posts and waits for the head of the answer. Redirects are answers like any other. An abort closes the connection.
 * @throws what node:http throws (`code` names the reason), or what the look-up gave; may quote the other side's bytes, so it is
 * for no message
 */
export type Exchange = (url: URL, message: HttpMessage, signal: AbortSignal) => Promise<HttpAnswer>

type Agents = { readonly http: HttpAgent; readonly https: HttpsAgent } | undefined

/** Addresses as node:http wants them: there are few, each of many calls. */
const optionsOf = new WeakMap<URL, RequestOptions>()

function readUrl(url: URL): RequestOptions {
  const options = optionsOf.get(url) ?? urlToHttpOptions(url)
  optionsOf.set(url, options)
  return options
}

const exchangeOver =
  (agents: Agents): Exchange =>
  (url, { headers, body, connectTimeoutMs }, signal) =>
    new Promise((resolve, reject) => {
      const isSecure = url.protocol === 'https:'
      const sent = (isSecure ? overHttps : overHttp)({
        ...readUrl(url),
        method: 'POST',
        headers: { ...headers, 'content-length': Buffer.byteLength(body) },
        agent: isSecure ? agents?.https : agents?.http,
      })
      // The option `signal` of node:http watches the whole stream for this, at several times the cost.
      const onAbort = () => sent.destroy(new Error('aborted'))
      signal.addEventListener('abort', onAbort, { once: true })
      sent.on('close', () => signal.removeEventListener('abort', onAbort))
      sent.on('error', reject)
      sent.on('socket', socket => {
        // A connection that was kept has no event to wait for.
        if (connectTimeoutMs !== undefined && socket.connecting)
          limitConnect(sent, socket, isSecure, connectTimeoutMs)
      })
      sent.on('response', answer => resolve(toAnswer(answer)))
      // An unasked change of protocol (101) would end in neither of these.
      sent.on('upgrade', (answer, socket) => {
        socket.destroy()
        resolve(toAnswer(answer))
      })
      if (signal.aborted) onAbort()
      else sent.end(body)
    })

function limitConnect(sent: ClientRequest, socket: Socket, isSecure: boolean, ms: number): void {
  const timer = setTimeout(() => {
    sent.destroy(Object.assign(new Error('no connection in time'), { code: 'ETIMEDOUT' }))
  }, ms)
  const stop = () => clearTimeout(timer)
  socket.once(isSecure ? 'secureConnect' : 'connect', stop)
  sent.once('close', stop)
}

/** Connections that are kept unused: as many as there are calls at a time, or each wave of a busy service would open them anew. */
const MOST_KEPT = 1000
for (const agent of [httpAgent, httpsAgent]) agent.maxFreeSockets = MOST_KEPT

/** Over the agents of the process, which keep connections and know its proxies. */
export const exchange = exchangeOver(undefined)

/** How long a connection is kept unused, as the agents of the process do. */
const IDLE_MS = 5000

/**
 * Over connections of its own, each of which is looked up by `lookup`, whose error ends the exchange. A host that is written as
 * an address is not looked up. No proxy is used: it would look names up itself.
 */
export function createExchange(lookup: LookupFunction, idleMs: number = IDLE_MS): Exchange {
  const options = { keepAlive: true, lookup, timeout: idleMs, maxFreeSockets: MOST_KEPT }
  return exchangeOver({ http: new HttpAgent(options), https: new HttpsAgent(options) })
}

function toAnswer(answer: IncomingMessage): HttpAnswer {
  const body = decoded(answer)
  return {
    status: answer.statusCode ?? 0,
    header: name => answer.headers[name]?.toString() ?? null,
    read: take => readAll(body, take),
    discard: () => void body.destroy(),
  }
}

/** By events: an async iterator costs a promise for each chunk, and watches the stream's end besides. */
function readAll(body: Readable, take: (bytes: Uint8Array) => boolean): Promise<void> {
  return new Promise((resolve, reject) => {
    const closed = () => {
      // It comes behind every end as well, where an error would be made for nothing.
      if (!body.readableEnded) reject(new Error('the body ended before its end'))
    }
    if (body.destroyed) return closed()
    body.on('data', (bytes: Uint8Array) => {
      try {
        if (!take(bytes)) return
        resolve()
      } catch (error) {
        reject(error)
      }
      body.destroy()
    })
    body.on('end', resolve)
    body.on('error', reject)
    body.on('close', closed)
  })
}

// A map: the name comes from the other side, and `constructor` is a property of every object.
const DECODERS: ReadonlyMap<string, () => NodeJS.ReadWriteStream> = new Map([
  ['gzip', createGunzip],
  ['x-gzip', createGunzip],
  ['deflate', createInflate],
  ['br', createBrotliDecompress],
])

/** The body as it was before the other side compressed it, which some do unasked. */
function decoded(answer: IncomingMessage): Readable {
  const decoder = DECODERS.get(answer.headers['content-encoding']?.trim().toLowerCase() ?? '')?.()
  if (decoder === undefined) return answer
  // A failure of either destroys both, and whoever reads the decoder hears of it.
  return pipeline(answer, decoder, () => {}) as unknown as Readable
}
