// Gives each request its name. Knows nothing else of the request.
import type { RequestHandler } from 'express'
import type { Deps } from '../deps.ts'

// Safe to echo in a header and to print in a log line.
const USABLE = /^[A-Za-z0-9._:-]{1,128}$/

/** Takes the client's `X-Request-Id` when it is usable, else makes one; echoes it and keeps it in `res.locals`. */
export function requestId({ newId }: Pick<Deps, 'newId'>): RequestHandler {
  return function requestId(req, res, next) {
    const given = req.get('x-request-id')
    const id = given !== undefined && USABLE.test(given) ? given : newId('req')
    res.locals.requestId = id
    res.set('X-Request-Id', id)
    next()
  }
}
