// Counts each request and writes its one log line when it ends. Never looks at a body, a header or a query.
import type { RequestHandler } from 'express'
import type { Deps } from '../deps.ts'

/** Asked every few seconds by machines: their answers are worth a line only when somebody looks closely. */
const PROBES: ReadonlySet<string> = new Set(['/healthz', '/readyz', '/metrics'])

/** One metric and one log line a request; 5xx is logged as an error, a probe as debug, all else as info. */
export function observe({ log, metrics }: Pick<Deps, 'log' | 'metrics'>): RequestHandler {
  return function observe(req, res, next) {
    const startedAt = performance.now()
    const ended = metrics.requestStarted()
    // `close` comes once for every request, `finish` only when the whole answer was handed over.
    res.on('close', () => {
      const route: string = res.locals.route ?? 'unmatched'
      const gone = !res.writableFinished
      ended({ method: req.method, route, status: gone ? 'gone' : res.statusCode })
      const fields = {
        request_id: res.locals.requestId,
        method: req.method,
        route,
        ...(gone ? { client_gone: true } : { status: res.statusCode }),
        ...(res.locals.code !== undefined && { code: res.locals.code }),
        ms: Math.round((performance.now() - startedAt) * 10) / 10,
      }
      if (PROBES.has(route)) log.debug(fields, 'request')
      else if (!gone && res.statusCode >= 500) log.error(fields, 'request')
      else log.info(fields, 'request')
    })
    next()
  }
}
