// The routes of searches that are remembered: look at one, end or forget one. Knows no search.
import type { components } from '../api.d.ts'
import type { Operation } from '../operations.ts'
import type { KeptSearch, Searches } from '../searches.ts'

export const getSearch =
  (searches: Searches): Operation<'getSearch'> =>
  (req, res) => {
    res.json(wordKept(searches.find(req.params.id)))
  }

export const deleteSearch =
  (searches: Searches): Operation<'deleteSearch'> =>
  (req, res) => {
    searches.remove(req.params.id)
    res.status(204).end()
  }

/** Times leave as RFC 3339, not as numbers. */
export function wordKept(search: KeptSearch): components['schemas']['KeptSearch'] {
  const { id, state, createdAt } = search
  return {
    id,
    state,
    result: state === 'done' ? search.found.answer : null,
    tree: state === 'done' ? search.found.tree : null,
    problem: state === 'failed' ? search.problem : null,
    created_at: new Date(createdAt).toISOString(),
    ended_at: state === 'running' ? null : new Date(search.endedAt).toISOString(),
  }
}
