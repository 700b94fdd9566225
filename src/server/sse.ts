// Server-sent events (WHATWG HTML §9.2) on an Express response. Knows no event's meaning.
import type { Response } from 'express'

export interface EventStream {
  /** Writes one event; `data` is sent as JSON. Does nothing once the client has gone. */
  send(event: string, data: unknown): void
  close(): void
}

/** Begins a stream, with a comment every `heartbeatMs` so that proxies keep it open. Ends by `close` or by the client. */
export function openEventStream(res: Response, heartbeatMs: number): EventStream {
  res.status(200)
  res.set({ 'Content-Type': 'text/event-stream', 'Cache-Control': 'no-cache', 'X-Accel-Buffering': 'no' })
  res.flushHeaders()
  const write = (text: string) => {
    if (!res.writableEnded && !res.destroyed) res.write(text)
  }
  const heartbeat = setInterval(() => write(': still here\n\n'), heartbeatMs)
  const stop = () => clearInterval(heartbeat)
  res.on('close', stop)
  return {
    send(event, data) {
      // A line break would let the name smuggle in a field of its own.
      if (/[\r\n]/.test(event)) throw new Error('an event name must be one line')
      write(`event: ${event}\ndata: ${JSON.stringify(data)}\n\n`)
    },
    close() {
      stop()
      if (!res.writableEnded) res.end()
    },
  }
}
