// Turns errors into RFC 9457 problem documents, or into OpenAI's form for its clients: the one place where an error code becomes
// HTTP. Knows no route.
import type { ErrorRequestHandler, Request, RequestHandler, Response } from 'express'
import { AppError, ERRORS, type ErrorCode } from '../errors.ts'
import type { Log } from '../log.ts'
import type { components } from './api.d.ts'
import { isOpenAiPath, toChatError } from './chat-error.ts'
import type { Locals } from './operations.ts'
import { InvalidRequest } from './validate.ts'

type Problem = components['schemas']['Problem']

/** A URI that names the kind of problem for good, e.g. `urn:spar:error:bad-json`. */
export function problemType(code: ErrorCode): string {
  return `urn:spar:error:${code.toLowerCase().replaceAll('_', '-')}`
}

/** Ends every failed request: an `AppError` as the table says, anything else as INTERNAL without detail. */
export function problemHandler(log: Log): ErrorRequestHandler {
  return function answerWithProblem(error: unknown, req, res, _next) {
    const locals = res.locals as Locals
    const { requestId, route } = locals
    // A handler whose client leaves ends by its abort, which is no failure, and has nobody to answer.
    if (isGone(res)) {
      if (readExpected(error) === undefined && !isAbort(error))
        log.error({ request_id: requestId, route, error }, 'unexpected error')
      return
    }
    const shown = readError(error, log, { requestId, route })
    locals.code = shown.code
    // An answer that has begun cannot become a problem: where it has no words for one, it is cut off, so that it is not taken
    // for complete.
    if (res.headersSent) return locals.endWith === undefined ? void res.destroy() : locals.endWith(shown)
    send(res, shown, isOpenAiPath(req.path) ? wordForOpenAi(shown) : wordAsProblem(shown, requestId))
  }
}

/** What the client may know of an error; the log gets what the operator should. */
export function readError(
  error: unknown,
  log: Log,
  { requestId, route }: { requestId: string; route: string },
): AppError {
  const known = readExpected(error)
  if (known === undefined) log.error({ request_id: requestId, route, error }, 'unexpected error')
  else if (ERRORS[known.code].status >= 500)
    log.warn({ request_id: requestId, route, error }, 'request failed')
  return known ?? new AppError('INTERNAL', `Quote request_id ${requestId} to the operator.`)
}

/** For an address no operation has. @throws {AppError} NOT_FOUND */
export const notFound: RequestHandler = function notFound() {
  throw new AppError('NOT_FOUND', 'The contract, at /openapi.yaml, lists the addresses there are.')
}

/** For an address that takes other methods, e.g. `['GET']`. @throws {AppError} METHOD_NOT_ALLOWED */
export function methodNotAllowed(allowed: readonly string[]): RequestHandler {
  const list = [...(allowed.includes('GET') ? ['HEAD'] : []), ...allowed].sort().join(', ')
  return function methodNotAllowed(_req: Request, res: Response) {
    res.set('Allow', list)
    throw new AppError('METHOD_NOT_ALLOWED', `It takes ${list}.`)
  }
}

/** The problem document of an error. */
export function toProblem(error: AppError, requestId: string): Problem {
  const { status, title } = ERRORS[error.code]
  return {
    type: problemType(error.code),
    title,
    status,
    detail: error.message,
    code: error.code,
    ...(error.limit !== undefined && { limit: error.limit }),
    ...(error instanceof InvalidRequest && { errors: [...error.errors] }),
    request_id: requestId,
  }
}

interface Worded {
  readonly type: string
  readonly body: object
  readonly headers?: Readonly<Record<string, string>>
}

function wordAsProblem(error: AppError, requestId: string): Worded {
  return { type: 'application/problem+json', body: toProblem(error, requestId) }
}

/** Its clients try again by status, where the table knows better. */
function wordForOpenAi(error: AppError): Worded {
  const headers = { 'X-Should-Retry': String(ERRORS[error.code].retryable) }
  return { type: 'application/json', body: toChatError(error), headers }
}

function send(res: Response, error: AppError, { type, body, headers = {} }: Worded): void {
  const { status } = ERRORS[error.code]
  if (error.retryAfterS !== undefined) res.set('Retry-After', String(Math.ceil(error.retryAfterS)))
  // RFC 9110 §11.6.1: a 401 names a scheme.
  if (status === 401) res.set('WWW-Authenticate', 'Bearer realm="spar admin"')
  res.status(status).set(headers).type(type).send(JSON.stringify(body))
}

function readExpected(error: unknown): AppError | undefined {
  if (error instanceof AppError) return error.code === 'INTERNAL' ? undefined : error
  // The router throws this for an address such as `/admin/jobs/%ff`.
  const isBrokenPath = error instanceof URIError && 'status' in error && error.status === 400
  return isBrokenPath ? new AppError('NOT_FOUND', 'The address has a broken percent escape.') : undefined
}

function isGone(res: Response): boolean {
  return res.closed || res.destroyed || res.socket?.destroyed === true
}

function isAbort(error: unknown): boolean {
  return error instanceof Error && error.name === 'AbortError'
}
