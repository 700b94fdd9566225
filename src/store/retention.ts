// Forgets old traffic now and then. Knows the port, no adapter.
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
}

const HOUR_MS = 3_600_000

/** Starts at once, then goes on every hour; a store that is away is tried again the next time. Returns what stops it. */
export function startRetention(
  store: Pick<Store, 'pruneTraffic'>,
  { ageMs, records, now, log, everyMs = HOUR_MS }: RetentionOptions,
): () => Promise<void> {
  const prune = async (): Promise<void> => {
    try {
      await store.pruneTraffic({ olderThan: now() - ageMs, keep: records })
    } catch (error) {
      log?.warn({ error }, 'old traffic could not be forgotten; trying again later')
    }
  }
  let working = prune()
  const timer = setInterval(() => {
    working = working.then(prune)
  }, everyMs)
  timer.unref()
  return async () => {
    clearInterval(timer)
    await working
  }
}
