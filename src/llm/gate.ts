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
   * Makes one call, its retries included, once there is a slot for it. While the breaker is open the outcome is LLM_UNREACHABLE at once,
   * also for calls that stand in line. An abort ends the wait for a slot with the signal's reason.
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

  /** What a call is told that may not go; null when it may. */
  function refuse(): Outcome | null {
    const leftMs = openUntil === null ? 0 : openUntil - now()
    return leftMs > 0 ? refusal(name, failures, leftMs) : null
  }

  function open(): void {
    openUntil = now() + OPEN_MS
    slots.sendAway()
  }

  function learn(outcome: Outcome): void {
    if (outcome.ok || !FAILURES.has(outcome.error.code)) {
      failures = 0
      openUntil = null
    } else if (++failures >= FAILURES_TO_OPEN) open()
  }

  /** Null once there is a slot; else what the call is told that may not go. Nobody stands in line for what is shut. */
  async function enter(signal: AbortSignal): Promise<Outcome | null> {
    for (;;) {
      const before = refuse()
      if (before !== null) return before
      const isTaken = await slots.take(signal)
      const refused = refuse()
      if (isTaken && refused !== null) slots.give()
      // One call in each period tries whether the upstream is back; the others do not wait for what becomes of it.
      if (isTaken && refused === null && openUntil !== null) open()
      if (isTaken || refused !== null) return refused
    }
  }

  return {
    async pass(call, signal) {
      signal.throwIfAborted()
      const refused = await enter(signal)
      if (refused !== null) return refused
      try {
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
  const waiting = new Set<(isTaken: boolean) => void>()
  let free = count
  return {
    /** True once there is a turn; false for one that was sent away. */
    async take(signal: AbortSignal): Promise<boolean> {
      signal.throwIfAborted()
      if (free > 0) {
        free--
        return true
      }
      const { promise, resolve, reject } = Promise.withResolvers<boolean>()
      const onAbort = () => {
        waiting.delete(resolve)
        reject(signal.reason)
      }
      waiting.add(resolve)
      signal.addEventListener('abort', onAbort, { once: true })
      return promise.finally(() => signal.removeEventListener('abort', onAbort))
    },
    give(): void {
      const [next] = waiting
      if (next === undefined) free++
      else {
        waiting.delete(next)
        next(true)
      }
    },
    /** Sends away all that wait. */
    sendAway(): void {
      for (const next of waiting) next(false)
      waiting.clear()
    },
  }
}
