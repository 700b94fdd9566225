// What all calls to one upstream share: slots, a circuit breaker and a retry budget. Knows no HTTP and no request.
import { AppError, type ErrorCode } from '../errors.ts'
import type { Outcome } from './post.ts'

export interface GateOptions {
  /** For messages. */
  readonly name: string
  /** Calls at the same time; more wait their turn. Default 1000: an endpoint has its own queue, a process only so many sockets. */
  readonly concurrency?: number | undefined
  /** Milliseconds. Default: the clock. */
  readonly now?: (() => number) | undefined
}

export interface Gate {
  /**
   * Makes one call, its retries included, once there is a slot for it; while the breaker is open the outcome is LLM_UNREACHABLE at
   * once. An abort ends the wait for a slot with the signal's reason.
   */
  pass(call: () => Promise<Outcome>, signal: AbortSignal): Promise<Outcome>
  /** Takes one retry from the budget; false when it is used up. */
  takeRetry(): boolean
}

/** Calls in a row that fail before the breaker opens, and how long it stays so. */
const FAILURES_TO_OPEN = 5
const OPEN_MS = 5000
/** Retries may add this share to the calls, once the first few are used up (Finagle's retry budget). */
const RETRIES_PER_CALL = 0.2
const MOST_RETRIES_SAVED = 10

// A refusal, a rate limit and an unreadable answer come from an upstream that is there.
const FAILURES: ReadonlySet<ErrorCode> = new Set(['LLM_UNREACHABLE', 'LLM_TIMEOUT', 'LLM_ERROR'])

/** A gate for each upstream, by its name. */
export const gatesOf = (upstreams: ReadonlyMap<string, GateOptions>): Map<string, Gate> =>
  new Map([...upstreams].map(([name, options]) => [name, createGate(options)]))

/** A gate for one upstream. */
export function createGate({ name, concurrency = 1000, now = Date.now }: GateOptions): Gate {
  const slots = createTurns(concurrency)
  let failures = 0
  /** When the next call may try whether the upstream is back; null while the breaker is closed. */
  let openUntil: number | null = null
  let retries = MOST_RETRIES_SAVED

  /** Milliseconds to wait, or null when the call may go. With an open breaker one call in each period tries. */
  function refuseFor(): number | null {
    if (openUntil === null) return null
    const left = openUntil - now()
    if (left > 0) return left
    openUntil = now() + OPEN_MS
    return null
  }

  function learn(outcome: Outcome): void {
    if (outcome.ok || !FAILURES.has(outcome.error.code)) {
      failures = 0
      openUntil = null
    } else if (++failures >= FAILURES_TO_OPEN) openUntil = now() + OPEN_MS
  }

  return {
    async pass(call, signal) {
      await slots.take(signal)
      try {
        const waitMs = refuseFor()
        if (waitMs !== null) return refusal(name, failures, waitMs)
        retries = Math.min(MOST_RETRIES_SAVED, retries + RETRIES_PER_CALL)
        const outcome = await call()
        learn(outcome)
        return outcome
      } finally {
        slots.give()
      }
    },
    takeRetry() {
      if (retries < 1) return false
      retries -= 1
      return true
    },
  }
}

function refusal(name: string, failures: number, waitMs: number): Outcome {
  const retryAfterS = Math.ceil(waitMs / 1000)
  const message = `The LLM "${name}" failed ${failures} times in a row and is not asked again for ${retryAfterS} s.`
  return { ok: false, status: null, error: new AppError('LLM_UNREACHABLE', message, { retryAfterS }) }
}

/** Lends `count` turns, first come first served. */
function createTurns(count: number) {
  const waiting = new Set<() => void>()
  let free = count
  return {
    async take(signal: AbortSignal): Promise<void> {
      signal.throwIfAborted()
      if (free > 0) {
        free--
        return
      }
      const { promise, resolve, reject } = Promise.withResolvers<void>()
      const onAbort = () => {
        waiting.delete(resolve)
        reject(signal.reason)
      }
      waiting.add(resolve)
      signal.addEventListener('abort', onAbort, { once: true })
      await promise.finally(() => signal.removeEventListener('abort', onAbort))
    },
    give(): void {
      const [next] = waiting
      if (next === undefined) free++
      else {
        waiting.delete(next)
        next()
      }
    },
  }
}
