// The error of a call that has cost tokens all the same: it broke off while the model wrote, or came after one that gave nothing of use.
// Knows no HTTP.
import { AppError } from '../errors.ts'
import { addUsage } from './completion.ts'
import type { LlmUsage } from './types.ts'

/** As the error that ended the call, with what had been written by then: it is spent, though nothing came of it. */
export class SpentError extends AppError {
  readonly usage: LlmUsage
  constructor({ code, message, retryAfterS }: AppError, usage: LlmUsage) {
    super(code, message, retryAfterS === undefined ? {} : { retryAfterS })
    this.usage = usage
  }
}

/** An error of the port as it is told where `usage` was spent before it; any other as it is. */
export function spentBefore(error: unknown, usage: LlmUsage): unknown {
  if (!(error instanceof AppError)) return error
  return new SpentError(error, error instanceof SpentError ? addUsage(usage, error.usage) : usage)
}

/** The error as it is told to one who spent nothing. */
export function unspent(error: Error): Error {
  if (!(error instanceof SpentError)) return error
  const { code, message, retryAfterS } = error
  return new AppError(code, message, retryAfterS === undefined ? {} : { retryAfterS })
}
