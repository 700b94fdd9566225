// Server-sent events (WHATWG HTML §9.2) on an Express response. Knows no event's meaning.
import type { Response } from 'express'

const HEARTBEAT_MS = 15_000
const STALL_MS = 30_000
const COMMENT = ': still here\n\n'

export interface EventStream {
  /** Writes one `frame`; resolves once the client has room for more. Does nothing once the client has gone. */
  send(frame: string): Promise<void>
  /** Writes one last frame, where there is one, and ends the stream. */
  close(last?: string): void
}

export interface EventStreamOptions {
  /** Silence after which a sign of life is sent; 15,000 when left out. */
  readonly heartbeatMs?: number | undefined
  /** After so long without room for more the client is taken for gone; 30,000 when left out. */
  readonly stallMs?: number | undefined
  /** The sign of life, as a frame; a comment when left out. */
  readonly beat?: () => string
}

/** One event as it goes over the wire; `data` is sent as JSON. */
export function frame(event: string, data: unknown): string {
  // A line break would let the name smuggle in a field of its own.
  if (/[\r\n]/.test(event)) throw new Error('an event name must be one line')
  return `event: ${event}\n${dataFrame(JSON.stringify(data))}`
}

/** One event without a name; `data` is sent as it is, and is one line. */
export function dataFrame(data: string): string {
  return `data: ${data}\n\n`
}

/**
 * A stream that begins with its first event or sign of life; until then the response can still be any other. Ends by `close` or
 * by the client.
 */
export function openEventStream(res: Response, options: EventStreamOptions = {}): EventStream {
  const { heartbeatMs = HEARTBEAT_MS, stallMs = STALL_MS, beat = () => COMMENT } = options
  /** False when the client should read before more is written. */
  const write = (text: string): boolean => {
    if (res.writableEnded || res.destroyed) return true
    if (!res.headersSent) begin(res)
    heartbeat.refresh()
    return res.write(text)
  }
  const heartbeat = setInterval(() => {
    // Signs of life must not pile up before a client that reads nothing.
    if (!res.writableNeedDrain) write(beat())
  }, heartbeatMs)
  const stop = () => clearInterval(heartbeat)
  if (res.closed) stop()
  res.on('close', stop)
  return {
    async send(frame) {
      if (!write(frame)) await room(res, stallMs)
    },
    close(last) {
      if (last !== undefined) write(last)
      stop()
      if (!res.writableEnded) res.end()
    },
  }
}

function begin(res: Response): void {
  res.status(200)
  res.set({ 'Content-Type': 'text/event-stream', 'Cache-Control': 'no-cache', 'X-Accel-Buffering': 'no' })
}

/** Resolves when the client has read what was written or has gone; hangs up on one that does neither. */
function room(res: Response, stallMs: number): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>()
  const timer = setTimeout(() => res.destroy(), stallMs)
  const settle = () => {
    clearTimeout(timer)
    res.off('drain', settle).off('close', settle)
    resolve()
  }
  res.on('drain', settle).on('close', settle)
  return promise
}
