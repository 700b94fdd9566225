// Which critic a request means, and what its scores say. Knows no route.
import type { Critic, JudgedExample } from '../critic/types.ts'
import type { components } from './api.d.ts'
import type { Critics, Routed } from './deps.ts'
import { InvalidRequest } from './validate.ts'

type Verdict = components['schemas']['Verdict']

/**
 * The critic of that version or name; for `default` or nothing the one for this client.
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

/** The critic with the examples of a request in its prompt, where there are any. @throws {InvalidRequest} when it takes none */
export function showExamples(critic: Critic, examples: readonly JudgedExample[] | undefined): Critic {
  if (examples === undefined || examples.length === 0) return critic
  if (critic.withExamples === undefined)
    throw new InvalidRequest([{ path: 'examples', message: `mean nothing to the critic ${critic.version}` }])
  return critic.withExamples(examples)
}

/** A score in [0, 1] against the critic's τ; null is unscored, never wrong. */
export function verdictOf(score: number | null, threshold: number): Verdict {
  if (score === null) return 'unscored'
  return score >= threshold ? 'right' : 'wrong'
}
