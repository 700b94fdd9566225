// Which critic a request means, and what its scores say. Knows no route.
import type { Critic } from '../critic/types.ts'
import type { components } from './api.d.ts'
import type { Critics } from './deps.ts'

type Verdict = components['schemas']['Verdict']

/** The critic of that version; the serving one for `default` or nothing. @throws {AppError} UNKNOWN_CRITIC, NOT_READY */
export function chooseCritic(critics: Pick<Critics, 'current' | 'get'>, version: string | undefined): Critic {
  return version === undefined || version === 'default' ? critics.current() : critics.get(version)
}

/** A score in [0, 1] against the critic's τ; null is unscored, never wrong. */
export function verdictOf(score: number | null, threshold: number): Verdict {
  if (score === null) return 'unscored'
  return score >= threshold ? 'right' : 'wrong'
}
