// The error of a call that broke off while the model wrote. Knows no HTTP.
import { AppError } from '../errors.ts'
import type { LlmUsage } from './types.ts'

/** As the error that ended the call, with what had been written by then: it is spent, though nothing came of it. */
export class SpentError extends AppError {
  readonly usage: LlmUsage
  constructor({ code, message, retryAfterS }: AppError, usage: LlmUsage) {
    super(code, message, retryAfterS === undefined ? {} : { retryAfterS })
    this.usage = usage
  }
}
