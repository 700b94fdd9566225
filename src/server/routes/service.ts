// The routes about the service itself: health, readiness, metrics and the contract. Knows no critic's insides.
import { AppError } from '../../errors.ts'
import type { Contract } from '../contract.ts'
import type { Deps } from '../deps.ts'
import type { Operation } from '../operations.ts'

export const healthz: Operation<'healthz'> = (_req, res) => {
  res.json({ status: 'ok' })
}

export const readyz =
  (deps: Deps): Operation<'readyz'> =>
  (_req, res) => {
    const state = deps.ready()
    if (!state.ready) throw new AppError('NOT_READY', state.reason, { retryAfterS: 1 })
    res.json({ ready: true, critic: state.critic, device: state.device, precision: state.precision })
  }

export const metrics =
  (deps: Deps): Operation<'metrics'> =>
  async (_req, res) => {
    const state = deps.ready()
    deps.metrics.serving(state.ready ? state : null)
    const { contentType, text } = await deps.metrics.render()
    res.set('Content-Type', contentType).send(text)
  }

/** RFC 9512 registers the media type. */
export const contract =
  ({ text }: Contract): Operation<'contract'> =>
  (_req, res) => {
    res.type('application/yaml').send(text)
  }
