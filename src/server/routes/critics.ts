// The critics that a request can name, and the admin routes of local versions: list, promote, roll back. Knows no artifact.
import type { Deps } from '../deps.ts'
import type { Operation } from '../operations.ts'

export const namedCritics =
  (deps: Deps): Operation<'namedCritics'> =>
  (_req, res) => {
    res.json({ critics: deps.critics.named() })
  }

export const listCritics =
  (deps: Deps): Operation<'listCritics'> =>
  async (_req, res) => {
    const critics = deps.critics.list().map(critic => ({ ...critic, metrics: { ...critic.metrics } }))
    res.json({ serving: critics.find(({ serving }) => serving)?.version ?? null, critics })
  }

export const promoteCritic =
  (deps: Deps): Operation<'promoteCritic'> =>
  async (req, res) => {
    const { serving, previous } = await deps.critics.promote(req.params.version, res.locals.requestId)
    deps.log.info({ request_id: res.locals.requestId, serving, previous }, 'critic promoted by hand')
    res.json({ serving, previous })
  }

export const rollbackCritic =
  (deps: Deps): Operation<'rollbackCritic'> =>
  async (_req, res) => {
    const { serving, previous } = await deps.critics.rollback(res.locals.requestId)
    deps.log.info({ request_id: res.locals.requestId, serving, previous }, 'critic rolled back by hand')
    res.json({ serving, previous })
  }
