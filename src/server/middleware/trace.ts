// One span a request, which all others of it are below. Never looks at a body or a query.
import type { RequestHandler } from 'express'
import { startRequest } from '../../tracing.ts'

/** Asked every few seconds by machines: their spans would drown the others. */
const UNTRACED: ReadonlySet<string> = new Set(['/healthz', '/readyz', '/metrics'])

/** Begins the request's span and ends it with the answer. */
export const traceRequest: RequestHandler = function traceRequest(req, res, next) {
  if (UNTRACED.has(req.path)) return next()
  const span = startRequest(req.headers)
  res.on('close', () => {
    const route: string = res.locals.route ?? 'unmatched'
    const gone = !res.writableFinished
    const facts = {
      'http.request.method': req.method,
      'http.route': route,
      'spar.request_id': res.locals.requestId,
      ...(gone ? { 'spar.client_gone': true } : { 'http.response.status_code': res.statusCode }),
    }
    span.end(
      `${req.method} ${route}`,
      facts,
      res.statusCode >= 500 ? (res.locals.code ?? 'INTERNAL') : undefined,
    )
  })
  span.run(next)
}
