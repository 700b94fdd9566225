// The only retry layer towards an endpoint: which outcomes are tried again, and after how long. Knows no HTTP client.
import { setTimeout as delay } from 'node:timers/promises'
import type { ErrorCode } from '../errors.ts'
import type { Outcome } from './post.ts'

export interface RetryPolicy {
  /** Further calls after the first. */
  readonly maxRetries: number
  /** The first wait is between half of this and all of it; each further one doubles. */
  readonly baseDelayMs: number
  /** A `Retry-After` longer than this is not waited for: the caller gets the error, with the time in it. */
  readonly maxDelayMs: number
  /** Uniform in [0, 1). */
  readonly rng: () => number
  /** Rejects with the signal's reason when aborted. */
  readonly sleep: (ms: number, signal: AbortSignal) => Promise<void>
}

export const DEFAULT_RETRY: RetryPolicy = {
  maxRetries: 2,
  baseDelayMs: 250,
  maxDelayMs: 10_000,
  rng: Math.random,
  sleep: async (ms, signal) => {
    try {
      await delay(ms, undefined, { signal })
    } catch {
      throw signal.reason
    }
  },
}

// A timeout is not tried again: the endpoint is slow, and another minute of waiting helps nobody.
const RETRIED: ReadonlySet<ErrorCode> = new Set(['LLM_UNREACHABLE', 'LLM_ERROR', 'LLM_RATE_LIMITED'])

/**
 * Calls until an outcome is good, final, or the retries are used up; gives the last outcome. Ends with the signal.
 * @param takeRetry takes one retry from what all calls to the upstream share; false when there is none left
 */
export async function withRetries(
  call: () => Promise<Outcome>,
  policy: RetryPolicy,
  signal: AbortSignal,
  takeRetry: () => boolean = () => true,
): Promise<Outcome> {
  for (let attempt = 0; ; attempt++) {
    const outcome = await call()
    if (outcome.ok || attempt >= policy.maxRetries || !RETRIED.has(outcome.error.code)) return outcome
    const waitMs = waitBefore(attempt, outcome.error.retryAfterS, policy)
    if (waitMs === null || !takeRetry()) return outcome
    await policy.sleep(waitMs, signal)
    signal.throwIfAborted()
  }
}

function waitBefore(attempt: number, retryAfterS: number | undefined, policy: RetryPolicy): number | null {
  // Jitter also on top of Retry-After: a fleet told the same second must not return in the same millisecond.
  if (retryAfterS !== undefined) {
    const askedMs = retryAfterS * 1000
    return askedMs > policy.maxDelayMs ? null : askedMs + policy.rng() * policy.baseDelayMs
  }
  return Math.min(policy.maxDelayMs, policy.baseDelayMs * 2 ** attempt * (0.5 + policy.rng() / 2))
}
