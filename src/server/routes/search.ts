// POST /search: one search, answered when it ends or event by event. Knows no method.
import type { Response } from 'express'
import type { Deps } from '../deps.ts'
import type { Locals, Operation } from '../operations.ts'
import { toProblem } from '../problem.ts'
import type { WordedEvent } from '../search-words.ts'
import { type SearchAsk, serveSearch } from '../serve-search.ts'
import { frame, openEventStream } from '../sse.ts'

/** These alone do not begin a stream: a search that gets nothing out of its LLM is an ordinary problem. */
const NO_NEWS: ReadonlySet<WordedEvent['event']> = new Set(['failure', 'usage', 'prune'])

export const search =
  (deps: Deps): Operation<'search'> =>
  async (req, res) => {
    const { stream, ...ask } = req.body
    if (stream) await streamSearch(deps, res, ask)
    else res.json(await serveSearch(deps, res, ask))
  }

async function streamSearch(deps: Deps, res: Response, ask: SearchAsk): Promise<void> {
  const startedAt = performance.now()
  const beat = () =>
    word({ event: 'heartbeat', data: { elapsed_ms: Math.round(performance.now() - startedAt) } })
  const stream = openEventStream(res, { ...deps.config, beat })
  const locals = res.locals as Locals
  locals.endWith = error => stream.close(word({ event: 'error', data: toProblem(error, locals.requestId) }))
  let held = ''
  const answer = await serveSearch(deps, res, ask, async event => {
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
