// The admin routes of a candidate that is tried out: look, go on, end. Knows nothing of how it is tried out.
import { AppError } from '../../errors.ts'
import type { components } from '../api.d.ts'
import type { Deps } from '../deps.ts'
import type { Operation } from '../operations.ts'

export const getRollout =
  (deps: Deps): Operation<'getRollout'> =>
  async (_req, res) => {
    res.json(await word(deps))
  }

export const skipRollout =
  (deps: Deps): Operation<'skipRollout'> =>
  async (_req, res) => {
    await wish(deps, 'skip')
    res.json(await word(deps))
  }

export const abortRollout =
  (deps: Deps): Operation<'abortRollout'> =>
  async (_req, res) => {
    await wish(deps, 'abort')
    res.json(await word(deps))
  }

/** @throws {AppError} NO_ROLLOUT */
async function wish({ rollout }: Deps, wanted: 'skip' | 'abort'): Promise<void> {
  if (!(await rollout.wish(wanted)))
    throw new AppError('NO_ROLLOUT', 'A candidate is tried out when it has passed the gate of its round.')
}

async function word({ rollout }: Deps): Promise<components['schemas']['RolloutState']> {
  const shown = await rollout.show()
  if (shown === null) return { rollout: null }
  const { id: job, candidate, parent, stage, share, figures } = shown
  const [since, until] = [shown.since, shown.until].map(at => new Date(at).toISOString()) as [string, string]
  return { rollout: { job, candidate, parent, stage, since, until, share, figures: { ...figures } } }
}
