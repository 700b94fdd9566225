// Which critic a request means, and what its scores say. Knows no route.
import type { components } from './api.d.ts'
import type { Critics, Routed } from './deps.ts'

type Verdict = components['schemas']['Verdict']

/**
 * The critic of that version; for `default` or nothing the one for this client: what serves, or a candidate that is tried out.
 * @throws {AppError} UNKNOWN_CRITIC, NOT_READY
 */
export function chooseCritic(
  critics: Pick<Critics, 'criticFor' | 'get'>,
  version: string | undefined,
  client: string,
): Routed {
  return version === undefined || version === 'default'
    ? critics.criticFor(client)
    : { critic: critics.get(version), fallback: null }
}

/** A score in [0, 1] against the critic's τ; null is unscored, never wrong. */
export function verdictOf(score: number | null, threshold: number): Verdict {
  if (score === null) return 'unscored'
  return score >= threshold ? 'right' : 'wrong'
}
