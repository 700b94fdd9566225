// Runs retraining jobs: claims one from the store, starts a round in a process of its own, tells how it goes, swaps the
// winner in. Knows no HTTP and nothing of how a round works.
import { type ChildProcess, fork } from 'node:child_process'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import type { Registry } from './critic/registry.ts'
import { refusalFacts } from './decision-facts.ts'
import { AppError } from './errors.ts'
import type { Log } from './log.ts'
import { endRollout, type RolloutPlan, startWatch, tryOut } from './rollout/run.ts'
import type { Job, JobChange, Store } from './store/types.ts'
import type { RoundNews, RoundOrder, SparringSettings } from './train/round/messages.ts'

export interface TrainerOptions {
  readonly store: Store
  /** What the round's process opens: `redis://…` or the path of the SQLite file. */
  readonly storeAddress: string
  readonly registry: Pick<Registry, 'current' | 'dirOf' | 'list' | 'originOf' | 'succeed'>
  readonly trainedDir: string
  readonly log: Log
  /** Unix milliseconds. */
  readonly now: () => number
  /** Name of this process among those that share the store. */
  readonly owner: string
  readonly threads: number
  /** How a winner is tried out before it serves; at once when left out. */
  readonly rollout?: RolloutPlan
  /** Whose traffic may teach, and how much. */
  readonly admit?: RoundOrder['admit']
  /** Told how a round ended, and its figures. */
  readonly onEnded?: (decision: 'promoted' | 'rejected' | 'failed', figures: Job['figures']) => void
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
/** A round that takes more memory than there is would be killed for ever. */
const MOST_STARTS = 4
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
    const stopping = AbortSignal.any([closing.signal, lost.signal])
    const renewal = setInterval(async () => {
      const held = await store.renewLease(job.id, owner, LEASE_MS, now()).catch(() => true)
      if (!held) lost.abort()
    }, LEASE_MS / 3)
    try {
      const outcome = await round(job, change, stopping)
      if (closing.signal.aborted || lost.signal.aborted) return
      if (outcome.kind === 'done') {
        const { decision, reason, figures } = await carryOut(job, outcome, change, stopping)
        await change({ state: decision, stage: 'done', percent: 100, figures, reason })
        options.onEnded?.(decision, figures)
        log.info({ job: job.id, decision }, 'round ended')
      } else {
        log.error({ job: job.id }, 'round failed; its job has the reason')
        options.onEnded?.('failed', {})
        await change({ state: 'failed', reason: outcome.message })
      }
    } catch (error) {
      if (stopping.aborted) return
      options.onEnded?.('failed', {})
      log.error({ job: job.id, error }, 'round failed')
      const message = error instanceof AppError ? error.message : 'The log of this server has the error.'
      await endRollout(store, job.id)
      await change({ state: 'failed', reason: `The round broke off. ${message}` })
    } finally {
      clearInterval(renewal)
      // Whoever takes the job up goes on with what is tried out; a cancelled one nobody takes up.
      if (lost.signal.aborted && (await store.getJob(job.id))?.state === 'cancelled')
        await endRollout(store, job.id)
    }
  }

  /**
   * Tries a winner out and lets it serve, unless another critic was put in its parent's place meanwhile: the winner was never compared
   * with that. @throws the signal's reason
   */
  async function carryOut(
    job: Job,
    outcome: Decided,
    change: Change,
    signal: AbortSignal,
  ): Promise<CarriedOut> {
    const { decision, reason } = outcome
    if (decision === 'rejected') return refuse(job, outcome)
    const version = versionOf(job)
    const parent = options.registry.list().find(critic => critic.version === version)?.parent ?? ''
    const others = `Not worse than ${parent}, but by the end of the round another critic served. Promote ${version} by hand to use it.`
    if (![parent, version].includes(options.registry.current().version))
      return refuse(job, { ...outcome, reason: others })
    if (options.registry.current().version === version) return outcome // by an earlier run of this job
    const trial = { store, plan: options.rollout ?? AT_ONCE, id: job.id, candidate: version, parent, now }
    const tried = await tryOut({
      ...trial,
      signal,
      report: (stage, rollout) => change({ stage, percent: 99, figures: { ...outcome.figures, rollout } }),
    })
    const isTried = Object.keys(tried.figures).length > 0
    const figures = { ...outcome.figures, ...(isTried && { rollout: tried.figures }) }
    if (tried.kind === 'refused') return refuse(job, { figures, reason: tried.reason }, tried.by)
    const why = {
      kind: 'promotion',
      by: 'gate',
      reason,
      figures: gateFigures(figures),
      id: `${job.id}:gate`,
    } as const
    if (!(await options.registry.succeed(parent, version, why))) {
      await endRollout(store, job.id)
      return refuse(job, { figures, reason: others })
    }
    await startWatch(trial, tried.figures)
    return { decision, reason, figures }
  }

  /** Records that a candidate does not come to serve. */
  async function refuse(
    job: Job,
    { reason, figures }: Pick<Decided, 'reason' | 'figures'>,
    by = 'gate',
  ): Promise<CarriedOut> {
    const why = { by, reason, figures: gateFigures(figures) }
    const happening = { at: now(), id: `${job.id}:gate` }
    const serving = options.registry.current().version
    await store.appendDecision(
      refusalFacts(versionOf(job), serving, why, options.registry.originOf, happening),
    )
    return { decision: 'rejected', reason, figures }
  }

  /** Runs the round in a process, and again in another when that is killed: it was not the round that failed. */
  async function round(job: Job, change: Change, signal: AbortSignal): Promise<Outcome> {
    for (let starts = 1; ; starts++) {
      const outcome = await runProcess(job, change, signal)
      if (outcome.kind !== 'killed') return outcome
      signal.throwIfAborted()
      if (starts === MOST_STARTS) throw new AppError('INTERNAL', `Its process was killed ${starts} times.`)
      log.warn({ job: job.id, by: outcome.by }, 'the process of a round was killed; starting it again')
    }
  }

  /** Starts the round's process and passes on its news until it ends. */
  async function runProcess(job: Job, change: Change, signal: AbortSignal): Promise<Outcome | Killed> {
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

type Change = (fields: JobChange) => Promise<void>
type CarriedOut = Pick<Decided, 'decision' | 'reason' | 'figures'>

const AT_ONCE: RolloutPlan = {
  shadow: { minutes: 0, share: 0 },
  canary: { minutes: 0, share: 0 },
  watch: { minutes: 0 },
}

/** What of a round's figures belongs to the decision. */
const gateFigures = ({
  gate,
  serving,
  candidate,
  data_hash,
  seed,
}: Decided['figures']): Decided['figures'] => ({
  gate,
  serving,
  candidate,
  data_hash,
  seed,
})

/** Version of the critic a job would make: unique, and the same when the job is run again. */
const versionOf = (job: Job): string => `trained-${job.id.replace(/^job_/, '')}`

type Outcome = Exclude<RoundNews, { kind: 'progress' }>
interface Killed {
  readonly kind: 'killed'
  readonly by: NodeJS.Signals
}
type Decided = Extract<RoundNews, { kind: 'done' }>

function conversation(
  child: ChildProcess,
  order: RoundOrder,
  onProgress: (news: Extract<RoundNews, { kind: 'progress' }>) => Promise<void>,
): Promise<Outcome | Killed> {
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
    child.once('exit', (code, by) => {
      void told.then(() => (by === null ? reject(brokenOff(code, errors)) : resolve({ kind: 'killed', by })))
    })
    child.send(order)
  })
}

/** Of what the process said last only the stack is kept: the rest may quote traffic. */
function brokenOff(code: number | null, errors: string): AppError {
  const said = new Error('the last stack of the round’s process')
  said.stack = errors
  return new AppError('INTERNAL', `Its process ended with code ${code}.`, { cause: said })
}
