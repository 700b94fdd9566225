// The recorder: takes traffic off the request path and appends it in batches. Knows the port, no adapter and no HTTP.
import { setTimeout as sleep } from 'node:timers/promises'
import { AppError, ERRORS } from '../errors.ts'
import type { Journal } from './journal.ts'
import { createSpool, type SpoolEntry } from './spool.ts'
import type { Store, StoreLog, TrafficRecord } from './types.ts'

/** Counts since the start, but `pending` is the number waiting or being written now. */
interface RecorderStats {
  readonly pending: number
  readonly written: number
  /** Never written: room was needed for newer ones, the store refused them, or it was away at `close`. */
  readonly dropped: number
  /** Appends that failed; almost all are tried again. */
  readonly failures: number
}

export interface Recorder {
  /** Hands a record in; with a journal it is on disk when this returns. Never throws. */
  record(record: TrafficRecord): void
  /**
   * Waits for every record handed in before the call. true: all are durable (or were dropped, and counted);
   * false: the store is failing or `signal` fired, and they wait for a later try.
   */
  flush(signal?: AbortSignal): Promise<boolean>
  stats(): RecorderStats
  /** Writes what is pending, giving up after a few failures (the journal keeps it, else it is counted); later records are dropped. */
  close(): Promise<void>
}

export interface RecorderOptions {
  readonly log?: StoreLog
  /** Holds records until they are delivered, beyond the end of this process too; closed by `close`. None when left out. */
  readonly journal?: Journal
  /** How often it is asked for what processes that ended have left. Default 10,000. */
  readonly adoptEveryMs?: number
  /** Records kept in memory at most; the oldest makes room for a newer one, and waits in the journal or is dropped. Default 10,000. */
  readonly maxPending?: number
  /** Characters of text kept in memory at most, for traffic with long texts. Default 64 Mi. */
  readonly maxPendingChars?: number
  /** First wait after a failed append; doubles with each failure in a row up to 50 times this. Default 100. */
  readonly backoffMs?: number
}

const MAX_BATCH_RECORDS = 256
const MAX_BATCH_CHARS = 4 * 2 ** 20
// A record that fails alone this often, with an error that time does not cure, would block all behind it.
const REFUSALS_BEFORE_DROP = 3
const LAST_TRIES = 3

/** Starts a recorder on `store`, which stays the caller's to close, after the recorder. */
export function createRecorder(store: Store, options: RecorderOptions = {}): Recorder {
  const { log, journal, adoptEveryMs = 10_000 } = options
  const { maxPending = 10_000, maxPendingChars = 64 * 2 ** 20, backoffMs = 100 } = options
  const spool = createSpool(maxPending, maxPendingChars)
  const closing = new AbortController()
  const flushes = new Set<{ readonly upTo: number; readonly settle: (done: boolean) => void }>()
  let writing: readonly SpoolEntry[] = []
  let loop: Promise<void> | undefined
  let batchRecords = MAX_BATCH_RECORDS
  let isPausing = false
  let lastSeq = 0
  let failuresInRow = 0
  let refusals = 0
  let written = 0
  let dropped = 0
  let failures = 0

  async function writeAll(): Promise<void> {
    while ((spool.size() > 0 || adopt()) && !(closing.signal.aborted && failuresInRow >= LAST_TRIES)) {
      writing = spool.take(batchRecords, MAX_BATCH_CHARS)
      try {
        await store.appendTraffic(writing.map(entry => entry.record))
        written += writing.length
        settle(writing)
        writing = []
        failuresInRow = refusals = 0
        batchRecords = Math.min(batchRecords * 2, MAX_BATCH_RECORDS)
        settleFlushes()
      } catch (error) {
        onFailure(error)
        isPausing = true
        await pause()
        isPausing = false
      }
    }
    loop = undefined
    settleFlushes()
  }

  function onFailure(error: unknown): void {
    failures++
    if (++failuresInRow === 1)
      log?.warn({ error, records: writing.length }, 'traffic could not be appended; trying again')
    if (writing.length === 1 && !isRetryable(error) && ++refusals >= REFUSALS_BEFORE_DROP) {
      refusals = 0
      settle(writing)
      drop(1, 'the store refuses them')
    } else {
      spool.putBack(writing)
      makeRoom()
    }
    writing = []
    // Halving finds a record that the store refuses without losing the good ones around it.
    batchRecords = Math.max(1, Math.floor(batchRecords / 2))
    for (const flush of flushes) flush.settle(false)
  }

  async function pause(): Promise<void> {
    const waitMs = Math.min(backoffMs * 2 ** (failuresInRow - 1), backoffMs * 50)
    if (closing.signal.aborted) await sleep(waitMs)
    // Waiting for a store that is away must not keep the process alive; `close` cuts it short.
    else await sleep(waitMs, undefined, { signal: closing.signal, ref: false }).catch(() => undefined)
  }

  /** Puts into the line what waits in the journal alone; false when nothing does. */
  function adopt(): boolean {
    if (closing.signal.aborted) return false // the next process will
    const found = journal?.adopt() ?? null
    for (const record of found?.records ?? []) lastSeq = spool.push(record, found!.page)
    return found !== null
  }

  function settle(entries: readonly SpoolEntry[]): void {
    for (const { page } of entries) if (page !== null) journal?.settle(page)
  }

  /** Lets go of the oldest records beyond the bounds. */
  function makeRoom(): void {
    const surplus = spool.trim()
    for (const { page } of surplus) if (page !== null) journal?.park(page)
    drop(surplus.filter(({ page }) => page === null).length, 'the store does not keep up')
  }

  function drop(count: number, reason: string): void {
    // Logged whenever the count reaches a new power of two, or an outage under load would fill the log.
    const before = Math.floor(Math.log2(dropped + 1))
    dropped += count
    if (Math.floor(Math.log2(dropped + 1)) > before)
      log?.warn({ dropped, reason }, 'traffic records were dropped')
  }

  function settleFlushes(): void {
    const oldest = writing[0]?.seq ?? spool.firstSeq()
    for (const flush of flushes) if (flush.upTo < oldest) flush.settle(true)
  }

  // On the next turn of the event loop, so that all records of this turn go into one append.
  const wake = () => {
    loop ??= new Promise<void>(resolve => setImmediate(resolve)).then(writeAll)
  }
  const adopting = journal && setInterval(wake, adoptEveryMs)
  adopting?.unref()
  if (journal) wake()

  return {
    record(record) {
      if (closing.signal.aborted) return drop(1, 'the recorder is closed')
      lastSeq = spool.push(record, journal?.append(record) ?? null)
      makeRoom()
      wake()
    },

    async flush(signal) {
      if (loop === undefined) return true
      if (journal?.isBehind()) return false
      if (isPausing || signal?.aborted) return false
      return new Promise<boolean>(resolve => {
        const onAbort = () => flush.settle(false)
        const flush = {
          upTo: lastSeq,
          settle(done: boolean) {
            flushes.delete(flush)
            signal?.removeEventListener('abort', onAbort)
            resolve(done)
          },
        }
        flushes.add(flush)
        signal?.addEventListener('abort', onAbort)
      })
    },

    stats: () => ({ pending: writing.length + spool.size(), written, dropped, failures }),

    async close() {
      if (!closing.signal.aborted) failuresInRow = 0
      closing.abort()
      clearInterval(adopting)
      await loop
      const left = spool.take(Infinity, Infinity).filter(({ page }) => page === null)
      drop(left.length, 'the store was away when the recorder closed')
      journal?.close()
    },
  }
}

function isRetryable(error: unknown): boolean {
  return error instanceof AppError && ERRORS[error.code].retryable
}
