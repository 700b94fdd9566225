// Runs retraining jobs: claims one from the store, starts a round in a process of its own, tells how it goes, swaps the
// winner in. Knows no HTTP and nothing of how a round works.
import { type ChildProcess, fork } from 'node:child_process'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import type { Registry } from './critic/registry.ts'
import { AppError } from './errors.ts'
import type { Log } from './log.ts'
import type { Job, JobChange, Store } from './store/types.ts'
import type { RoundNews, RoundOrder, SparringSettings } from './train/round/messages.ts'

export interface TrainerOptions {
  readonly store: Store
  /** What the round's process opens: `redis://…` or the path of the SQLite file. */
  readonly storeAddress: string
  readonly registry: Pick<Registry, 'current' | 'dirOf' | 'list' | 'succeed'>
  readonly trainedDir: string
  readonly log: Log
  /** Unix milliseconds. */
  readonly now: () => number
  /** Name of this process among those that share the store. */
  readonly owner: string
  readonly threads: number
  /** What the operator says of rounds. */
  readonly sparring?: SparringSettings
  readonly pollMs?: number
  /** Program of the round's process; the tests have shorter ones. */
  readonly roundProcess?: string
}

export interface Trainer {
  /** Stops a round in progress; its job is taken up again by the next trainer that finds its lease run out. */
  close(): Promise<void>
}

const LEASE_MS = 30_000
const ROUND_PROCESS = fileURLToPath(new URL('./train/round-process.ts', import.meta.url))

/** Starts looking for jobs. */
export function startTrainer(options: TrainerOptions): Trainer {
  const { store, log, now, owner } = options
  const closing = new AbortController()

  async function work(): Promise<void> {
    while (!closing.signal.aborted) {
      try {
        const job = await store.claimJob(owner, LEASE_MS, now())
        if (job) await runJob(job)
      } catch (error) {
        log.error({ error }, 'the trainer could not look after its job')
      }
      await sleep(options.pollMs ?? 500, undefined, { signal: closing.signal }).catch(() => {})
    }
  }

  async function runJob(job: Job): Promise<void> {
    const lost = new AbortController() // aborted when the job was cancelled, or taken over by another trainer
    const change = async (fields: JobChange): Promise<void> => {
      const updated = await store.updateJob(
        job.id,
        { ...fields, updated_at: now() },
        { owner, states: ['running'] },
      )
      if (updated === null) lost.abort()
    }
    const renewal = setInterval(async () => {
      const held = await store.renewLease(job.id, owner, LEASE_MS, now()).catch(() => true)
      if (!held) lost.abort()
    }, LEASE_MS / 3)
    try {
      const outcome = await round(job, change, AbortSignal.any([closing.signal, lost.signal]))
      if (closing.signal.aborted || lost.signal.aborted) return
      if (outcome.kind === 'done') {
        const { decision, reason } = await carryOut(job, outcome)
        await change({ state: decision, stage: 'done', percent: 100, figures: outcome.figures, reason })
        log.info({ job: job.id, decision }, 'round ended')
      } else {
        log.error({ job: job.id }, 'round failed; its job has the reason')
        await change({ state: 'failed', reason: outcome.message })
      }
    } catch (error) {
      log.error({ job: job.id, error }, 'round failed')
      const message = error instanceof AppError ? error.message : 'The log of this server has the error.'
      await change({ state: 'failed', reason: `The round broke off. ${message}` })
    } finally {
      clearInterval(renewal)
    }
  }

  /** Lets a winner serve, unless another critic was put in its parent's place meanwhile: the winner was never compared with that. */
  async function carryOut(
    job: Job,
    { decision, reason }: Decided,
  ): Promise<Pick<Decided, 'decision' | 'reason'>> {
    if (decision === 'rejected') return { decision, reason }
    const version = versionOf(job)
    const parent = options.registry.list().find(critic => critic.version === version)?.parent
    if (parent && (await options.registry.succeed(parent, version))) return { decision, reason }
    return {
      decision: 'rejected',
      reason: `Not worse than ${parent}, but by the end of the round another critic served. Promote ${version} by hand to use it.`,
    }
  }

  /** Starts the round's process and passes on its news until it ends. */
  async function round(job: Job, change: (fields: JobChange) => Promise<void>, signal: AbortSignal) {
    const order: RoundOrder = {
      store: options.storeAddress,
      servingDir: options.registry.dirOf(options.registry.current().version),
      outDir: options.trainedDir,
      version: versionOf(job),
      minutes: Number(job.params['minutes'] ?? 5),
      seed: Number(job.params['seed'] ?? 1),
      threads: options.threads,
      ...(options.sparring && { sparring: options.sparring }),
    }
    const child = fork(options.roundProcess ?? ROUND_PROCESS, { stdio: ['ignore', 'ignore', 'pipe', 'ipc'] })
    const stop = () => child.kill('SIGTERM')
    signal.addEventListener('abort', stop, { once: true })
    try {
      return await conversation(child, order, news =>
        // Minutes of work must not be lost because the store was away for a moment: the next news tells it all again.
        change({ stage: news.stage, percent: news.percent, figures: news.figures }).catch(error =>
          log.warn({ job: job.id, error }, 'progress of a round could not be told'),
        ),
      )
    } finally {
      signal.removeEventListener('abort', stop)
      child.kill('SIGKILL')
    }
  }

  const working = work()
  return {
    async close() {
      closing.abort()
      await working
    },
  }
}

/** Version of the critic a job would make: unique, and the same when the job is run again. */
const versionOf = (job: Job): string => `trained-${job.id.replace(/^job_/, '')}`

type Outcome = Exclude<RoundNews, { kind: 'progress' }>
type Decided = Extract<RoundNews, { kind: 'done' }>

function conversation(
  child: ChildProcess,
  order: RoundOrder,
  onProgress: (news: Extract<RoundNews, { kind: 'progress' }>) => Promise<void>,
): Promise<Outcome> {
  return new Promise((resolve, reject) => {
    let errors = ''
    let told: Promise<void> = Promise.resolve() // progress is written in order, before the outcome
    child.stderr?.on('data', chunk => {
      errors = (errors + String(chunk)).slice(-2000)
    })
    child.on('message', (news: RoundNews) => {
      if (news.kind === 'progress') told = told.then(() => onProgress(news)).catch(reject)
      else void told.then(() => resolve(news))
    })
    child.once('error', reject)
    child.once('exit', code => void told.then(() => reject(brokenOff(code, errors))))
    child.send(order)
  })
}

/** Of what the process said last only the stack is kept: the rest may quote traffic. */
function brokenOff(code: number | null, errors: string): AppError {
  const said = new Error('the last stack of the round’s process')
  said.stack = errors
  return new AppError('INTERNAL', `Its process ended with code ${code}.`, { cause: said })
}
