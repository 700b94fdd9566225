// For whom a search runs: a client that waits for its answer, or one that comes back for it. Knows no route.
import type { Request, Response } from 'express'
import { clientOf } from './client.ts'
import type { Deps } from './deps.ts'
import { whileWanted } from './gone.ts'
import type { Locals } from './operations.ts'
import type { Searches } from './searches.ts'
import type { Asker } from './serve-search.ts'
import { isUnlogged, ofClient, recordAnswer } from './traffic.ts'

/**
 * A client that waits for `res`: the search is wanted as long as it does. What is found is remembered, unless the client opted
 * out of the log; under a `claim` it is in any case.
 */
export function waitingAsker(deps: Deps, searches: Searches, res: Response, isClaimed = false): Asker {
  return {
    ...identify(res),
    signal: whileWanted(res, deps.closing),
    found(found, makeRecords) {
      if (isClaimed || !isUnlogged(res.req, deps.config)) searches.keep(found)
      recordAnswer(res, deps, makeRecords)
    },
  }
}

/** A client that has its answer already: what is found is remembered for it, unless the search was removed meanwhile. */
export function absentAsker(deps: Deps, searches: Searches, res: Response, cancelled: AbortSignal): Asker {
  const unlogged = isUnlogged(res.req, deps.config)
  const signal = deps.closing === undefined ? cancelled : AbortSignal.any([cancelled, deps.closing])
  return {
    ...identify(res),
    signal,
    found(found, makeRecords) {
      if (cancelled.aborted) return
      searches.keep(found)
      if (unlogged) return
      for (const record of makeRecords()) deps.recorder.record(ofClient(res.req, record))
    },
  }
}

function identify(res: Response): Pick<Asker, 'requestId' | 'apiKey' | 'client'> {
  const { requestId } = res.locals as Locals
  return { requestId, apiKey: keyOf(res.req), client: clientOf(res.req) }
}

/** The key for the LLM that a request brings along. */
export function keyOf(req: Pick<Request, 'get'>): string | undefined {
  return req.get('x-llm-api-key') || undefined
}
