// Jobs as the server sees them: queue one, look one up, follow one. The runner, which does them, is elsewhere and shares
// only the store. Knows no HTTP.
import { setTimeout as sleep } from 'node:timers/promises'
import { AppError } from '../errors.ts'
import type { Job, JobState } from '../store/types.ts'
import type { Deps } from './deps.ts'

const DEFAULT_POLL_MS = 250

const ENDED: readonly JobState[] = ['promoted', 'rejected', 'failed', 'cancelled']

/** Queues a job. @throws {AppError} JOB_RUNNING */
export async function startJob(
  { store, newId, now }: Pick<Deps, 'store' | 'newId' | 'now'>,
  params: Job['params'],
): Promise<Job> {
  const at = now()
  const job: Job = {
    id: newId('job'),
    state: 'queued',
    stage: 'queued',
    percent: 0,
    figures: {},
    params,
    reason: null,
    created_at: at,
    updated_at: at,
  }
  if (!(await store.createJob(job)))
    throw new AppError(
      'JOB_RUNNING',
      'Follow it at /admin/jobs and start the next when it has ended; a paused one can be resumed or cancelled.',
    )
  return job
}

/** @throws {AppError} UNKNOWN_JOB */
export async function findJob({ store }: Pick<Deps, 'store'>, id: string): Promise<Job> {
  const job = await store.getJob(id)
  if (job === null) throw new AppError('UNKNOWN_JOB', 'GET /admin/jobs lists the jobs there are.')
  return job
}

/** `job`, then the job after each change, the last time when it has ended; returns early when `signal` aborts. */
export async function* followJob(
  { store, config }: Pick<Deps, 'store' | 'config'>,
  job: Job,
  signal: AbortSignal,
): AsyncGenerator<Job, void> {
  let last = job
  yield last
  while (!hasEnded(last) && !signal.aborted) {
    await sleep(config.jobPollMs ?? DEFAULT_POLL_MS, undefined, { signal }).catch(() => {})
    if (signal.aborted) return
    const found = await store.getJob(job.id)
    if (found === null) return
    if (isSame(found, last)) continue
    last = found
    yield last
  }
}

/** True when a job will not change any more. */
export function hasEnded({ state }: Pick<Job, 'state'>): boolean {
  return ENDED.includes(state)
}

// `updated_at` alone will not do: two changes can fall into one millisecond.
function isSame(a: Job, b: Job): boolean {
  return JSON.stringify(a) === JSON.stringify(b)
}
