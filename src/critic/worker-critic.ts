// A critic that lives in a worker thread: admits requests, hands them over, and answers each with its own scores.
// Knows no session and no batch; those are the worker's.
import './quiet-runtime.ts'

import { Worker } from 'node:worker_threads'
import { AppError } from '../errors.ts'
import type { Device } from './device.ts'
import { createPermits, type Limits } from './permits.ts'
import type { Precision, PrecisionChoice } from './precision.ts'
import { createTurns, endTurn } from './turns-on-device.ts'
import type { Critic, Critique, Timing } from './types.ts'
import type { Answer, Ask, WorkerStart } from './worker.ts'

export interface WorkerCriticOptions extends Partial<Limits> {
  /** Tried in order; the first that runs the critic is used. */
  readonly devices: readonly Device[]
  readonly threads: number
  /** Tokens taken from the requests at a time, about, see `BatcherOptions`. */
  readonly batchTokens?: number
  /** Memory for keys and values of prefixes that were scored, in bytes; 0, no cache, when absent. */
  readonly prefixCacheBytes?: number
  /** float32 when absent. */
  readonly precision?: PrecisionChoice
  /** Called after every run, for metrics. */
  readonly onRun?: (run: ServedRun) => void
  /** Called after every request that was scored, for metrics. */
  readonly onAnswer?: (answer: ServedAnswer) => void
  /** Called when the worker has ended, and its cache with it; `failure` is null where it was closed. */
  readonly onEnd?: (by: ServedBy & { readonly failure: AppError | null }) => void
}

interface ServedBy {
  readonly critic: string
  readonly device: Device
}

interface ServedRun extends ServedBy {
  readonly rows: number
  /** Tokens the session read, without padding; 0 when the cache knew all. */
  readonly tokens: number
  /** Tokens that the prefix cache knew. */
  readonly cachedTokens: number
  /** Size of the prefix cache after the run. */
  readonly cacheBytes: number
}

interface ServedAnswer extends ServedBy {
  readonly timing: Timing
}

/** A loaded critic with a lifetime. `close` lets waiting requests finish first. */
export interface WorkerCritic extends Critic {
  readonly device: Device
  /** Why not the devices that were to be tried before it, a sentence each. */
  readonly passedOver: readonly string[]
  readonly precision: Precision
  /** True when the worker ended, so that no request can be answered any more. */
  dead(): boolean
  close(): Promise<void>
}

interface Waiting {
  readonly startedAt: number
  readonly onTiming: ((timing: Timing) => void) | undefined
  readonly resolve: (results: Critique[]) => void
  readonly reject: (error: unknown) => void
}

/** Of all workers of this process. */
const webgpuTurns = createTurns()

const MAX_ITEMS = 2048
/** A few runs on a CPU, so that rows of like lengths find each other, and one on a GPU. */
const BATCH_TOKENS = 4096
/** About what the largest body holds: half a minute of one core's work. */
const MAX_CHARS = 2 ** 20

/** Starts a worker for the critic in `dir` and waits until it has scored a warm-up. @throws {AppError} CRITIC_INVALID, CRITIC_FAILED */
export async function startWorkerCritic(dir: string, options: WorkerCriticOptions): Promise<WorkerCritic> {
  const {
    devices,
    threads,
    batchTokens = BATCH_TOKENS,
    prefixCacheBytes = 0,
    precision = 'float32',
  } = options
  const { maxItems = MAX_ITEMS, maxChars = MAX_CHARS } = options
  const start = { dir, devices, threads, batchTokens, prefixCacheBytes, precision }
  const workerData: WorkerStart = { ...start, webgpuTurns }
  const worker = new Worker(new URL('./worker.ts', import.meta.url), { workerData })
  const { threadId } = worker // an ended thread has none
  worker.once('exit', () => endTurn(webgpuTurns, threadId))
  const ready = await firstAnswer(worker).catch(async error => {
    await worker.terminate()
    throw error
  })

  const { version, device, threshold } = ready
  const permits = createPermits({ maxItems, maxChars })
  const waiting = new Map<number, Waiting>()
  const exited = new Promise(resolve => worker.once('exit', resolve))
  let nextId = 1
  let dead: AppError | null = null
  /** Why it is dead, unless it was closed. */
  let failure: AppError | null = null
  let onIdle: (() => void) | null = null
  let closing: Promise<void> | null = null

  const tell = (ask: Ask): void => worker.postMessage(ask)

  worker.on('message', (answer: Answer) => {
    if (answer.kind === 'ran') {
      const { rows, tokens, cachedTokens, cacheBytes, scored } = answer
      if (rows > 0) options.onRun?.({ critic: version, device, rows, tokens, cachedTokens, cacheBytes })
      for (const { id, results, timing } of scored) {
        const request = waiting.get(id)
        if (request === undefined) continue // its client left while it ran
        const total = performance.now() - request.startedAt
        const whole = { ...timing, queue: Math.max(0, total - timing.tokenise - timing.infer), total }
        options.onAnswer?.({ critic: version, device, timing: whole })
        request.onTiming?.(whole)
        request.resolve([...results])
      }
    } else if (answer.kind === 'unscored')
      waiting
        .get(answer.id)
        ?.reject(new AppError('CRITIC_FAILED', 'The critic failed on this request.', { cause: answer.error }))
    else if (answer.kind === 'broken') die(answer.error, 'the critic’s device failed')
  })

  function die(cause: unknown, what = 'the critic’s worker ended unexpectedly'): void {
    if (dead === null) {
      failure = new AppError('CRITIC_FAILED', what, { cause })
      dead = failure
    }
    for (const { reject } of waiting.values()) reject(dead)
  }
  worker.on('error', cause => die(cause))
  worker.on('exit', code => {
    die(new Error(`exit code ${code}`))
    options.onEnd?.({ critic: version, device, failure })
  })

  /** Ending a worker while ONNX Runtime computes in it aborts the whole process: it ends itself, when nothing runs. */
  async function drain(): Promise<void> {
    await new Promise<void>(resolve => {
      onIdle = resolve
      if (waiting.size === 0) resolve()
    })
    dead ??= new AppError('CRITIC_FAILED', 'this critic was closed')
    tell({ kind: 'end' })
    await exited
  }

  return {
    version,
    threshold,
    device,
    passedOver: ready.passedOver,
    precision: ready.precision,
    dead: () => dead !== null,
    async judge(items, signal, onTiming) {
      if (dead) throw dead
      signal?.throwIfAborted()
      const giveBack = permits.take(items)
      const id = nextId++
      // A departed client gives its place back at once; rows of it that run already are dropped when they are done.
      const leave = () => {
        tell({ kind: 'leave', id })
        waiting.get(id)?.reject(signal!.reason)
      }
      signal?.addEventListener('abort', leave, { once: true })
      try {
        return await new Promise<Critique[]>((resolve, reject) => {
          waiting.set(id, { startedAt: performance.now(), onTiming, resolve, reject })
          tell({ kind: 'judge', id, items })
        })
      } finally {
        signal?.removeEventListener('abort', leave)
        waiting.delete(id)
        giveBack()
        if (waiting.size === 0) onIdle?.()
      }
    },
    close() {
      closing ??= drain()
      return closing
    },
  }
}

/** What the worker says about its start. Rejects when it says that it failed, or ends without a word. */
function firstAnswer(worker: Worker): Promise<Extract<Answer, { kind: 'ready' }>> {
  return new Promise((resolve, reject) => {
    worker.once('error', reject)
    worker.once('exit', code =>
      reject(new AppError('CRITIC_FAILED', `the critic’s worker ended with code ${code}`)),
    )
    worker.once('message', (answer: Answer) => {
      if (answer.kind === 'ready') resolve(answer)
      else if (answer.kind === 'failed') reject(new AppError(answer.code, answer.message))
    })
  })
}
