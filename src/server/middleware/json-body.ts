// Reads a JSON body under a limit and checks it against the contract. Knows no operation.
import express, { type Request, type RequestHandler } from 'express'
import { AppError } from '../../errors.ts'
import { type CheckBody, InvalidRequest } from '../validate.ts'

export interface JsonBodyOptions {
  readonly limitBytes: number
  /** Without a body an optional one is `{}`. */
  readonly required: boolean
  readonly check: CheckBody
}

/**
 * Sets `req.body` to a checked body with the contract's defaults.
 * @throws {AppError} BAD_JSON, BODY_TOO_LARGE, UNSUPPORTED_MEDIA_TYPE, INVALID_REQUEST
 */
export function jsonBody({ limitBytes, required, check }: JsonBodyOptions): RequestHandler {
  // Not `strict`: a body such as `null` is JSON, and the check says better what is wrong with it.
  const parse = express.json({ limit: limitBytes, strict: false, type: () => true })
  return function jsonBody(req, res, next) {
    if (!hasBody(req)) {
      if (required) throw new InvalidRequest([{ path: '', message: 'is missing; send JSON' }])
      req.body = {}
      check(req.body)
      return next()
    }
    if (!req.is('application/json'))
      throw new AppError('UNSUPPORTED_MEDIA_TYPE', 'Send the body with "Content-Type: application/json".')
    parse(req, res, (error?: unknown) => {
      if (error !== undefined) return next(readBodyError(error, limitBytes))
      try {
        check(req.body)
      } catch (invalid) {
        return next(invalid)
      }
      next()
    })
  }
}

// RFC 9112 §6.3: a request has a body exactly when it says how long it is.
function hasBody(req: Request): boolean {
  return req.headers['transfer-encoding'] !== undefined || Number(req.headers['content-length'] ?? 0) > 0
}

/** body-parser's errors by their documented `type`; what is not of the client's making stays as it is. */
function readBodyError(error: unknown, limitBytes: number): unknown {
  if (!(error instanceof Error)) return error
  const { type, status } = error as { type?: string; status?: number }
  switch (type) {
    case 'entity.parse.failed':
      return new AppError('BAD_JSON', `The body is not valid JSON${placeOf(error)}.`)
    case 'entity.too.large':
      return new AppError(
        'BODY_TOO_LARGE',
        `A body may have at most ${limitBytes.toLocaleString('en-US')} bytes.`,
      )
    case 'encoding.unsupported':
    case 'charset.unsupported':
      return new AppError(
        'UNSUPPORTED_MEDIA_TYPE',
        'Send UTF-8, plain or compressed with gzip, deflate or br.',
      )
    default:
      return status === 400 ? new AppError('BAD_JSON', 'The body could not be read to its end.') : error
  }
}

// Only the position: the rest of the parser's message quotes the body.
function placeOf(error: Error): string {
  const place = /at position (\d+)/.exec(error.message)?.[1]
  return place === undefined ? '' : ` at position ${place}`
}
