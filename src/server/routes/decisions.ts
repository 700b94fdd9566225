// GET /admin/decisions: what was decided about critics, and whether the record is as it was written. Decides nothing.
import { checkChain, readDecision } from '../../store/decisions.ts'
import type { Deps } from '../deps.ts'
import type { Operation } from '../operations.ts'

const LISTED = 100

export const listDecisions =
  (deps: Deps): Operation<'listDecisions'> =>
  async (req, res) => {
    const texts = await deps.store.readDecisions()
    res.vary('Accept')
    if (req.accepts(['application/json', 'application/x-ndjson']) === 'application/x-ndjson') {
      res.type('application/x-ndjson').send(texts.map(text => `${text}\n`).join(''))
      return
    }
    const newest = texts.slice(-LISTED).toReversed()
    res.json({
      decisions: newest.flatMap(text => {
        const entry = readDecision(text)
        if (entry === null) return []
        const { at, figures, parents, ...rest } = entry
        const isTime = Math.abs(at) <= 8.64e15 // a damaged entry may hold any number
        const words = {
          at: new Date(isTime ? at : 0).toISOString(),
          figures: { ...figures },
          parents: [...parents],
        }
        return [{ ...rest, ...words }]
      }),
      check: checkChain(texts),
    })
  }
