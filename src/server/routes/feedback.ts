// POST /feedback: words on earlier answers, into the store. Knows not what is learned from them.
import { AppError } from '../../errors.ts'
import type { Feedback } from '../../store/types.ts'
import type { components } from '../api.d.ts'
import { clientOf } from '../client.ts'
import type { Deps } from '../deps.ts'
import type { Operation } from '../operations.ts'

type Schemas = components['schemas']
type Item = Schemas['FeedbackOnRequest'] | Schemas['FeedbackOnSearch']

export const feedback =
  (deps: Deps): Operation<'feedback'> =>
  async (req, res) => {
    const given = 'items' in req.body ? req.body.items : [req.body]
    const at = deps.now()
    // The record it speaks of may have been handed over a moment ago.
    if (!(await deps.recorder.flush()))
      throw new AppError('NOT_READY', 'The traffic log cannot be written at the moment.', { retryAfterS: 5 })
    const client = clientOf(req)
    const by = client === undefined ? {} : { client }
    const known = await deps.store.addFeedback(given.map(item => ({ ...readFeedback(item, at), ...by })))
    const accepted = known.filter(Boolean).length
    res.json({ accepted, unknown: known.length - accepted, request_id: res.locals.requestId })
  }

function readFeedback(item: Item, at: number): Feedback {
  return {
    id: 'search_id' in item ? item.search_id : item.request_id,
    at,
    ...(item.answer_correct !== undefined && { answer_correct: item.answer_correct }),
    ...(item.step_labels !== undefined && { step_labels: item.step_labels }),
  }
}
