// Runs retraining jobs: claims one from the store, lets a round run, tells how it goes, swaps the winner in. Knows no HTTP and nothing of how
// a round works.
import { setTimeout as sleep } from 'node:timers/promises'
import { carryOut, type SuccessionOptions } from './carry-out.ts'
import type { Registry } from './critic/registry.ts'
import { AppError, isAway } from './errors.ts'
import { type Log, outageOf } from './log.ts'
import { retireCritics } from './retire.ts'
import { endRollout } from './rollout/run.ts'
import { readRollout } from './rollout/state.ts'
import { type Outcome, runRoundChild } from './round-child.ts'
import type { Job, JobChange, JobState, Store } from './store/types.ts'
import type { RoundOrder, SparringSettings } from './train/round/messages.ts'
import { dropRound, roundsLeft } from './train/round/work.ts'

export interface TrainerOptions extends SuccessionOptions {
  readonly store: Store
  /** What the round's process opens: `redis://…` or the path of the SQLite file. */
  readonly storeAddress: string
  readonly registry: SuccessionOptions['registry'] & Pick<Registry, 'dirOf'>
  readonly trainedDir: string
  readonly log: Log
  /** Name of this process among those that share the store. */
  readonly owner: string
  readonly threads: number
  /** Whose traffic may teach, and how much. */
  readonly admit?: RoundOrder['admit']
  /** Told how a round ended, and its figures. */
  readonly onEnded?: (decision: 'promoted' | 'rejected' | 'failed', figures: Job['figures']) => void
  /** What the operator says of rounds. */
  readonly sparring?: SparringSettings
  /** How long a store that is away is let be. */
  readonly retryMs?: number
  /** Program of the round's process; the tests have shorter ones. */
  readonly roundProcess?: string
}

export interface Trainer {
  /** Stops a round in progress and puts its job back: the next trainer that looks goes on with it. */
  close(): Promise<void>
}

const LEASE_MS = 30_000
/** A job that was paused, cancelled or taken over is let go of after so long. */
const HOLD_MS = 1000
const ENDED: readonly JobState[] = ['promoted', 'rejected', 'failed', 'cancelled']

/** Starts looking for jobs. */
export function startTrainer(options: TrainerOptions): Trainer {
  const { store, log, now, owner } = options
  const closing = new AbortController()
  const outage = outageOf(log, 'the trainer cannot look after jobs')

  async function work(): Promise<void> {
    while (!closing.signal.aborted) {
      try {
        const job = await store.claimJob(owner, LEASE_MS, now())
        if (job) await runJob(job)
        else await tidy()
        outage.worked()
      } catch (error) {
        outage.failed(error)
      }
      await sleep(options.pollMs ?? 500, undefined, { signal: closing.signal }).catch(() => {})
    }
  }

  async function runJob(job: Job): Promise<void> {
    const lost = new AbortController() // aborted when the job was paused or cancelled, or taken over by another trainer
    const change = async (fields: JobChange): Promise<void> => {
      const updated = await store.updateJob(
        job.id,
        { ...fields, updated_at: now() },
        { owner, states: ['running'] },
      )
      if (updated === null) lost.abort()
    }
    const stopping = AbortSignal.any([closing.signal, lost.signal])
    const renewal = setInterval(async () => {
      const held = await store.renewLease(job.id, owner, LEASE_MS, now()).catch(() => true)
      if (!held) lost.abort()
    }, HOLD_MS)
    try {
      const outcome = await round(job, change, stopping)
      if (closing.signal.aborted || lost.signal.aborted) return
      if (outcome.kind === 'done') {
        const candidate = { job: job.id, version: versionOf(job), decided: outcome }
        const { decision, figures } = await whenThere(async () => {
          const carried = await carryOut(options, candidate, change, stopping)
          const { decision: state, ...facts } = carried
          await change({ state, stage: 'done', percent: 100, ...facts })
          return carried
        }, stopping)
        if (stopping.aborted) return
        options.onEnded?.(decision, figures)
        log.info({ job: job.id, decision }, 'round ended')
      } else {
        log.error({ job: job.id }, 'round failed; its job has the reason')
        options.onEnded?.('failed', {})
        await whenThere(() => change({ state: 'failed', reason: outcome.message }), stopping)
      }
    } catch (error) {
      if (stopping.aborted) return
      options.onEnded?.('failed', {})
      log.error({ job: job.id, error }, 'round failed')
      const message = error instanceof AppError ? error.message : 'The log of this server has the error.'
      await whenThere(async () => {
        await endRollout(store, job.id)
        await change({ state: 'failed', reason: `The round broke off. ${message}` })
      }, stopping)
    } finally {
      clearInterval(renewal)
      // Whoever shares the store need not wait for the lease to run out.
      if (closing.signal.aborted && !lost.signal.aborted) await change({ state: 'queued' }).catch(() => {})
      await tidy()
        .then(retire)
        .catch(error => log.warn({ error }, 'what is left of rounds could not be looked at'))
    }
  }

  /** Tries again as long as the store is away: what a round has found must not be lost by that. @throws the signal's reason */
  async function whenThere<T>(task: () => Promise<T>, signal: AbortSignal): Promise<T> {
    for (;;) {
      try {
        const done = await task()
        outage.worked()
        return done
      } catch (error) {
        if (!isAway(error)) throw error
        outage.failed(error)
      }
      await sleep(options.retryMs ?? HOLD_MS, undefined, { signal })
    }
  }

  /**
   * Removes what jobs left that nobody goes on with: the work of rounds of ended jobs, and a trial of a job that is paused or has ended
   * (whoever takes a running one up goes on with it, and nobody may answer by a candidate that no trainer looks after).
   */
  async function tidy(): Promise<void> {
    for (const version of roundsLeft(options.trainedDir)) {
      const state = (await store.getJob(jobOf(version)))?.state
      if (state === undefined || ENDED.includes(state)) dropRound(options.trainedDir, version)
    }
    const trial = (await readRollout(store))?.rollout
    if (trial === undefined || trial.stage === 'watch') return
    const state = (await store.getJob(trial.id))?.state
    if (state === 'paused' || (state && ENDED.includes(state))) await endRollout(store, trial.id)
  }

  /** Removes what rounds made that nobody needs any more. */
  async function retire(): Promise<void> {
    const isUnderWay = async (version: string) => {
      const job = await store.getJob(jobOf(version))
      return job !== null && !ENDED.includes(job.state)
    }
    const gone = await retireCritics({ store, trainedDir: options.trainedDir, isUnderWay })
    if (gone.length > 0) log.info({ critics: gone }, 'critics that nobody needs any more were removed')
  }

  /** Lets the round run, and passes on its news. */
  function round(job: Job, change: Change, signal: AbortSignal): Promise<Outcome> {
    const order: RoundOrder = {
      store: options.storeAddress,
      servingDir: options.registry.dirOf(options.registry.current().version),
      outDir: options.trainedDir,
      version: versionOf(job),
      minutes: Number(job.params['minutes'] ?? 5),
      seed: Number(job.params['seed'] ?? 1),
      threads: options.threads,
      ...(options.admit && { admit: options.admit }),
      ...(options.sparring && { sparring: options.sparring }),
    }
    const telling = outageOf(log, 'progress of a round cannot be told', { job: job.id })
    return runRoundChild({
      order,
      signal,
      ...(options.roundProcess !== undefined && { program: options.roundProcess }),
      onKilled: by =>
        log.warn({ job: job.id, by }, 'the process of a round was killed; it goes on in another'),
      onProgress: news =>
        // Minutes of work must not be lost because the store was away for a moment: the next news tells it all again.
        change({ stage: news.stage, percent: news.percent, figures: news.figures }).then(
          telling.worked,
          telling.failed,
        ),
    })
  }

  const working = work()
  return {
    async close() {
      closing.abort()
      await working
    },
  }
}

type Change = (fields: JobChange) => Promise<void>
/** Version of the critic a job would make: unique, and the same when the job is run again. */
const versionOf = (job: Job): string => `trained-${job.id.replace(/^job_/, '')}`

/** The job that makes a version. */
const jobOf = (version: string): string => version.replace(/^trained-/, 'job_')
