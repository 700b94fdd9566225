// Tells a handler when nobody waits for its answer any more. Knows no operation.
import type { Response } from 'express'
import { AppError } from '../errors.ts'

/** Aborts when the client leaves before its answer is complete, or, with NOT_READY as the reason, when the service closes. */
export function whileWanted(res: Response, closing?: AbortSignal): AbortSignal {
  const gone = new AbortController()
  const leave = () => {
    if (!res.writableFinished) gone.abort(new DOMException('the client has gone', 'AbortError'))
  }
  const stop = () => gone.abort(new AppError('NOT_READY', 'The service is closing.', { retryAfterS: 1 }))
  if (res.closed || res.socket?.destroyed) leave()
  if (closing?.aborted) stop()
  closing?.addEventListener('abort', stop)
  res.on('close', () => {
    closing?.removeEventListener('abort', stop)
    leave()
  })
  return gone.signal
}

/** Runs `then` once the answer has been handed to the network in full; never when the client left before. */
export function onceSent(res: Response, then: () => void): void {
  res.on('finish', then)
}
