// When rounds start by themselves: after so many new records of traffic, or at times of a cron pattern. Knows no HTTP and no round.

import { Cron } from 'croner'
import { AppError } from './errors.ts'
import { type Log, outageOf } from './log.ts'
import { repeat } from './repeat.ts'
import type { Store } from './store/types.ts'

/** What an operator sets; without items and without a pattern nothing starts. */
export interface ScheduleWish {
  /** New records of traffic since the last start. */
  readonly after_items: number | null
  /** Five or six fields, in UTC. */
  readonly cron: string | null
  /** Of each round. */
  readonly minutes: number
  readonly paused: boolean
}

export interface Schedule extends ScheduleWish {
  /** Records there were, and when, in Unix milliseconds, at the last start or when it was set first. */
  readonly last_count: number
  readonly last_at: number
}

type ScheduleStore = Pick<Store, 'countTraffic' | 'getNote' | 'putNote'>

const KEY = 'schedule'

/** Reads and sets the schedule that all servers of a store share. `now` in Unix milliseconds. */
export function openSchedule(store: ScheduleStore, now: () => number) {
  async function put(make: (before: Schedule | null) => Promise<Schedule | null>): Promise<Schedule | null> {
    for (;;) {
      const note = await store.getNote(KEY)
      const next = await make((note?.value as Schedule | undefined) ?? null)
      if (await store.putNote(KEY, next, note?.revision ?? 0)) return next
    }
  }
  return {
    show: async () => ((await store.getNote(KEY))?.value as Schedule | undefined) ?? null,

    /** Replaces it. Set again, or resumed, it counts on from the last start. @throws {AppError} INVALID_REQUEST for a pattern that is none */
    async set(wish: ScheduleWish): Promise<Schedule> {
      if (wish.cron !== null) nextTime(wish.cron, now())
      const count = await store.countTraffic()
      return (await put(async before => ({
        ...wish,
        last_count: before?.last_count ?? count,
        last_at: before?.last_at ?? now(),
      })))!
    },

    clear: () => put(async () => null),

    /** Notes that a round was started. */
    started: (count: number) =>
      put(async before => before && { ...before, last_count: count, last_at: now() }),
  }
}

/** When a pattern comes next after a time, both in Unix milliseconds; null for never. @throws {AppError} INVALID_REQUEST */
export function nextTime(pattern: string, after: number): number | null {
  try {
    return new Cron(pattern, { timezone: 'UTC' }).nextRun(new Date(after))?.getTime() ?? null
  } catch {
    throw new AppError('INVALID_REQUEST', '`cron` must be a cron pattern of five or six fields.')
  }
}

/** Whether a round is to start, where so many records came since the last start. */
export function isDue({ after_items, cron, paused, last_at }: Schedule, fresh: number, now: number): boolean {
  if (paused) return false
  if (after_items !== null && fresh >= after_items) return true
  const next = cron === null ? null : nextTime(cron, last_at)
  return next !== null && next <= now
}

export interface SchedulerOptions {
  readonly store: ScheduleStore
  /** Starts a round; false when there is one that has not ended. */
  readonly start: (params: { readonly minutes: number }) => Promise<boolean>
  /** Unix milliseconds. */
  readonly now: () => number
  readonly log: Pick<Log, 'info' | 'warn'>
  /** Five seconds when left out. */
  readonly everyMs?: number
}

/** Looks every few seconds; of several servers one starts each round. Returns what stops it. */
export function startScheduler({
  store,
  start,
  now,
  log,
  everyMs = 5000,
}: SchedulerOptions): () => Promise<void> {
  const schedule = openSchedule(store, now)
  async function look(): Promise<void> {
    const set = await schedule.show()
    if (set === null || set.paused) return
    // Not by the whole count: that stays where it is once as much is forgotten as comes.
    const fresh = await store.countTraffic(set.last_at)
    if (!isDue(set, fresh, now()) || !(await start({ minutes: set.minutes }))) return
    await schedule.started(await store.countTraffic())
    log.info({ records: fresh }, 'round started by the schedule')
  }
  return repeat(look, everyMs, outageOf(log, 'the schedule cannot be looked at'))
}
