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
  if (hasLeft(res)) leave()
  if (closing?.aborted) stop()
  closing?.addEventListener('abort', stop)
  res.on('close', () => {
    closing?.removeEventListener('abort', stop)
    leave()
  })
  return gone.signal
}

/** Whether the client has left before its answer. */
export const hasLeft = (res: Response): boolean => res.closed || res.socket?.destroyed === true
