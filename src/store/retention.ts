// Forgets old traffic now and then. Knows the port, no adapter.
import { setTimeout as sleep } from 'node:timers/promises'
import type { Store, StoreLog } from './types.ts'

export interface RetentionOptions {
  /** Records older than this go. */
  readonly ageMs: number
  /** Of the rest the newest stay, at most so many. */
  readonly records: number
  /** Unix milliseconds. */
  readonly now: () => number
  readonly log?: StoreLog
  /** An hour when left out. */
  readonly everyMs?: number
  /** After a try that failed; a minute when left out. */
  readonly retryMs?: number
}

const HOUR_MS = 3_600_000
/** A store that was away, as one may be that is started together with this process, is tried again after so long. */
const RETRY_MS = 60_000

/** Starts at once, then goes on every hour, or sooner where the store was away. Returns what stops it. */
export function startRetention(
  store: Pick<Store, 'pruneTraffic'>,
  { ageMs, records, now, log, everyMs = HOUR_MS, retryMs = Math.min(RETRY_MS, everyMs) }: RetentionOptions,
): () => Promise<void> {
  const stopping = new AbortController()
  const working = work()

  async function work(): Promise<void> {
    let isAway = false
    while (!stopping.signal.aborted) {
      try {
        await store.pruneTraffic({ olderThan: now() - ageMs, keep: records })
        isAway = false
      } catch (error) {
        if (!isAway) log?.warn({ error }, 'old traffic could not be forgotten; trying again later')
        isAway = true
      }
      const wait = isAway ? retryMs : everyMs
      await sleep(wait, undefined, { signal: stopping.signal, ref: false }).catch(() => {})
    }
  }

  return async () => {
    stopping.abort()
    await working
  }
}
