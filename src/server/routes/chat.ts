// The routes for clients of OpenAI's API: a search as a chat completion, and the names it can be asked under. Knows no method.
import type { components } from '../api.d.ts'
import { waitingAsker } from '../asker.ts'
import { wordChunks, wordCompletion } from '../chat-answer.ts'
import { toChatError } from '../chat-error.ts'
import { SPAR_MODEL, toSearch } from '../chat-request.ts'
import { type Contract, maxProblemLength } from '../contract.ts'
import type { Deps } from '../deps.ts'
import type { Operation } from '../operations.ts'
import type { Searches } from '../searches.ts'
import { prepareSearch } from '../serve-search.ts'
import { dataFrame, openEventStream } from '../sse.ts'
import { InvalidRequest } from '../validate.ts'

type Schemas = components['schemas']

export const chatCompletions = (
  deps: Deps,
  searches: Searches,
  contract: Contract,
): Operation<'chatCompletions'> => {
  const maxProblem = maxProblemLength(contract)
  return async (req, res) => {
    const { body } = req
    const ask = toSearch(body, { upstreams: deps.llms.names, maxProblem })
    const head = { model: body.model, created: Math.floor(deps.now() / 1000) }
    const { run } = prepare(() => prepareSearch(deps, ask, waitingAsker(deps, searches, res)))
    if (!body.stream) return void res.json(wordCompletion((await run()).answer, head))
    const stream = openEventStream(res, deps.config)
    res.locals.endWith = error => stream.close(frameOf(toChatError(error)))
    const { answer } = await run()
    for (const chunk of wordChunks(answer, head, body.stream_options?.include_usage === true))
      await stream.send(frameOf(chunk))
    stream.close(dataFrame('[DONE]'))
  }
}

/** A search's fields stand under `spar` here. */
function prepare<T>(search: () => T): T {
  try {
    return search()
  } catch (error) {
    if (!(error instanceof InvalidRequest)) throw error
    throw new InvalidRequest(error.errors.map(({ path, message }) => ({ path: `spar.${path}`, message })))
  }
}

export const listModels = ({ llms, now }: Pick<Deps, 'llms' | 'now'>): Operation<'listModels'> => {
  const created = Math.floor(now() / 1000)
  return (_req, res) => {
    const ids = [...new Set([SPAR_MODEL, ...llms.names])]
    const data = ids.map(id => ({ id, object: 'model', created, owned_by: 'spar' }) as const)
    res.json({ object: 'list', data })
  }
}

function frameOf(data: Schemas['ChatChunk'] | Schemas['ChatError']): string {
  return dataFrame(JSON.stringify(data))
}
