// POST /search: one search, answered when it ends, event by event, or at once with its address. Knows no method.
import type { Request, Response } from 'express'
import { AppError } from '../../errors.ts'
import { absentAsker, waitingAsker } from '../asker.ts'
import { readClaim } from '../claim.ts'
import type { Deps } from '../deps.ts'
import type { Locals, Operation } from '../operations.ts'
import { readError, toProblem } from '../problem.ts'
import type { WordedEvent } from '../search-words.ts'
import type { Claim, KeptSearch, Searches } from '../searches.ts'
import { type PreparedSearch, prepareSearch, type SearchAsk } from '../serve-search.ts'
import { frame, openEventStream } from '../sse.ts'
import { wordKept } from './searches.ts'

type Way = 'whole' | 'stream' | 'async'

/** These alone do not begin a stream: a search that gets nothing out of its LLM is an ordinary problem. */
const NO_NEWS: ReadonlySet<WordedEvent['event']> = new Set(['failure', 'usage', 'prune', 'plan'])

export const search =
  (deps: Deps, searches: Searches): Operation<'search'> =>
  async (req, res) => {
    const { stream, ...ask } = req.body
    const way: Way = stream ? 'stream' : prefersAsync(req) ? 'async' : 'whole'
    const claim = readClaim(req, way)
    const earlier = claim && searches.claimed(claim)
    if (earlier !== undefined) return void answerAgain(res, way, earlier)
    if (way === 'async') return void sendKept(res, startAlone(deps, searches, res, ask, claim))
    const prepared = prepareSearch(deps, ask, waitingAsker(deps, searches, res, claim !== undefined))
    if (claim !== undefined) searches.begin(prepared.id, { claim })
    try {
      if (way === 'stream') await streamEvents(deps, res, prepared)
      else res.json((await prepared.run()).answer)
    } catch (error) {
      if (claim !== undefined) searches.release(prepared.id)
      throw error
    }
  }

async function streamEvents(deps: Deps, res: Response, prepared: PreparedSearch): Promise<void> {
  const startedAt = performance.now()
  const beat = () =>
    word({ event: 'heartbeat', data: { elapsed_ms: Math.round(performance.now() - startedAt) } })
  const stream = openEventStream(res, { ...deps.config, beat })
  const locals = res.locals as Locals
  locals.endWith = error => stream.close(word({ event: 'error', data: toProblem(error, locals.requestId) }))
  let held = ''
  const { answer } = await prepared.run(async event => {
    held += word(event)
    if (!res.headersSent && NO_NEWS.has(event.event)) return
    const ready = held
    held = ''
    await stream.send(ready)
  })
  await stream.send(word({ event: 'done', data: answer }))
  stream.close()
}

/** Every event passes here, so that none leaves that the contract does not have. */
function word({ event, data }: WordedEvent): string {
  return frame(event, data)
}

/** Begins a search that goes on without its client. */
function startAlone(
  deps: Deps,
  searches: Searches,
  res: Response,
  ask: SearchAsk,
  claim: Claim | undefined,
): KeptSearch {
  const locals = res.locals as Locals
  const cancelled = new AbortController()
  const { id, run } = prepareSearch(deps, ask, absentAsker(deps, searches, res, cancelled.signal))
  const kept = searches.begin(id, { claim, cancel: () => cancelled.abort() })
  run().catch((error: unknown) => {
    if (!cancelled.signal.aborted)
      searches.fail(id, toProblem(readError(error, deps.log, locals), locals.requestId))
  })
  return kept
}

/** The answer to a request that was sent before. @throws {AppError} IDEMPOTENCY_IN_USE */
function answerAgain(res: Response, way: Way, earlier: KeptSearch): void {
  if (way === 'async') {
    sendKept(res, earlier)
    return
  }
  if (earlier.state !== 'done')
    throw new AppError('IDEMPOTENCY_IN_USE', 'Send it again when the first has ended.', { retryAfterS: 1 })
  const { answer } = earlier.found
  if (way === 'stream') openEventStream(res).close(word({ event: 'done', data: answer }))
  else res.json(answer)
}

function sendKept(res: Response, kept: KeptSearch): void {
  res.status(202).location(`/search/${kept.id}`).set('Preference-Applied', 'respond-async')
  res.json(wordKept(kept))
}

// RFC 7240 §2: a list of preferences, each of which may have a value and parameters.
function prefersAsync(req: Pick<Request, 'get'>): boolean {
  return /(^|,)\s*respond-async\s*(,|;|$)/i.test(req.get('prefer') ?? '')
}
