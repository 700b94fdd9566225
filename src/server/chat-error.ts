// Words an error as OpenAI's API does, for its clients. Knows no route.
import { AppError, ERRORS, type ErrorCode } from '../errors.ts'
import type { components } from './api.d.ts'
import { InvalidRequest } from './validate.ts'

type ChatError = components['schemas']['ChatError']

/** A chat request that names a field which is to blame, as in `messages[0].content`. */
export class ChatRefusal extends AppError {
  readonly param: string
  constructor(code: ErrorCode, param: string, message: string) {
    super(code, message)
    this.param = param
  }
}

/** True for addresses at which OpenAI's clients ask. */
export function isOpenAiPath(path: string): boolean {
  return path.startsWith('/v1/')
}

export function toChatError(error: AppError): ChatError {
  const { status, title } = ERRORS[error.code]
  const message = `${title}: ${error.message}`
  return { error: { message, type: typeOf(status), code: error.code, param: paramOf(error) } }
}

function typeOf(status: number): ChatError['error']['type'] {
  if (status === 429) return 'rate_limit_error'
  return status >= 500 ? 'server_error' : 'invalid_request_error'
}

function paramOf(error: AppError): string | null {
  if (error instanceof ChatRefusal) return error.param
  return (error instanceof InvalidRequest && error.errors[0]?.path) || null
}
