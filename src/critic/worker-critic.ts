// A critic that lives in a worker thread: a queue with permits, batches formed while the worker is busy. Knows no session.
import { Worker } from 'node:worker_threads'
import { AppError } from '../errors.ts'
import type { Device } from './scorer.ts'
import type { Critic, Critique, CritiqueItem } from './types.ts'
import type { Answer, Ask, WorkerStart } from './worker.ts'

export interface WorkerCriticOptions {
  readonly devices: readonly Device[]
  readonly threads: number
  /** Items that may wait; one more is refused with OVERLOADED. */
  readonly maxWaiting?: number
  /** Characters sent to the worker in one message, about. */
  readonly batchChars?: number
  /** Called after every batch, for metrics. */
  readonly onBatch?: (batch: { items: number; inferMs: number }) => void
}

/** A loaded critic with a lifetime. `close` lets waiting requests finish first. */
export interface WorkerCritic extends Critic {
  readonly device: Device
  /** True when the worker ended, so that no request can be answered any more. */
  dead(): boolean
  close(): Promise<void>
}

interface Waiting {
  readonly items: readonly CritiqueItem[]
  readonly chars: number
  readonly resolve: (results: Critique[]) => void
  readonly reject: (error: unknown) => void
}

const MAX_WAITING = 2048
const BATCH_CHARS = 24_000

const charsOf = (items: readonly CritiqueItem[]): number =>
  items.reduce(
    (sum, item) => sum + item.problem.length + item.steps.reduce((n, step) => n + step.length, 0),
    0,
  )

/** Starts a worker for the critic in `dir` and waits until it has scored a warm-up. @throws {AppError} CRITIC_INVALID, CRITIC_FAILED */
export async function startWorkerCritic(dir: string, options: WorkerCriticOptions): Promise<WorkerCritic> {
  const workerData: WorkerStart = { dir, devices: options.devices, threads: options.threads }
  const worker = new Worker(new URL('./worker.ts', import.meta.url), { workerData })
  const ready = await new Promise<Extract<Answer, { kind: 'ready' }>>((resolve, reject) => {
    worker.once('error', reject)
    worker.once('exit', code =>
      reject(new AppError('CRITIC_FAILED', `the critic’s worker ended with code ${code}`)),
    )
    worker.once('message', (answer: Answer) => {
      if (answer.kind === 'ready') resolve(answer)
      else if (answer.kind === 'failed') reject(new AppError(answer.code, answer.message))
    })
  }).catch(async error => {
    await worker.terminate()
    throw error
  })

  let waiting: Waiting[] = []
  let running: { readonly id: number; readonly entries: readonly Waiting[] } | null = null
  let waitingItems = 0
  let nextId = 1
  let dead: AppError | null = null
  let onIdle: (() => void) | null = null
  let closing: Promise<void> | null = null

  /** Forms a batch of whatever waits, up to the character budget. */
  function sendNext(): void {
    if (running || dead) return
    const entries: Waiting[] = []
    let chars = 0
    while (
      waiting.length > 0 &&
      (entries.length === 0 || chars + waiting[0]!.chars <= (options.batchChars ?? BATCH_CHARS))
    ) {
      const entry = waiting.shift()!
      waitingItems -= entry.items.length
      entries.push(entry)
      chars += entry.chars
    }
    if (entries.length === 0) {
      onIdle?.()
      return
    }
    running = { id: nextId++, entries }
    const ask: Ask = { id: running.id, items: entries.flatMap(entry => entry.items) }
    worker.postMessage(ask)
  }

  worker.on('message', (answer: Answer) => {
    if (!running || (answer.kind !== 'scored' && answer.kind !== 'unscored')) return
    const { entries } = running
    running = null
    if (answer.kind === 'scored') {
      options.onBatch?.({ items: answer.results.length, inferMs: answer.inferMs })
      let from = 0
      for (const entry of entries) {
        entry.resolve(answer.results.slice(from, from + entry.items.length))
        from += entry.items.length
      }
    } else if (entries.length > 1) {
      // Requests that were batched together must not fail for one another: each is tried once more, alone.
      waiting = [...entries.map(entry => ({ ...entry, chars: Number.POSITIVE_INFINITY })), ...waiting]
      waitingItems += entries.reduce((sum, entry) => sum + entry.items.length, 0)
    } else entries[0]!.reject(new AppError('CRITIC_FAILED', answer.message))
    sendNext()
  })

  function die(cause: unknown): void {
    dead ??= new AppError('CRITIC_FAILED', 'the critic’s worker ended unexpectedly', { cause })
    for (const entry of [...(running?.entries ?? []), ...waiting]) entry.reject(dead)
    running = null
    waiting = []
    waitingItems = 0
    onIdle?.()
  }
  worker.on('error', die)
  worker.on('exit', code => die(new Error(`exit code ${code}`)))

  /** Ending a worker while ONNX Runtime computes in it aborts the whole process: it is ended when idle only. */
  async function drain(): Promise<void> {
    if (!dead && running) await new Promise<void>(resolve => (onIdle = resolve))
    dead ??= new AppError('CRITIC_FAILED', 'this critic was closed')
    await worker.terminate()
  }

  return {
    version: ready.version,
    threshold: ready.threshold,
    device: ready.device,
    dead: () => dead !== null,
    judge(items, signal) {
      if (dead) return Promise.reject(dead)
      if (signal?.aborted) return Promise.reject(signal.reason)
      if (waitingItems + items.length > (options.maxWaiting ?? MAX_WAITING)) {
        const message = `the critic’s queue is full (${options.maxWaiting ?? MAX_WAITING} solutions waiting)`
        return Promise.reject(new AppError('OVERLOADED', message, { retryAfterS: 1 }))
      }
      return new Promise<Critique[]>((resolve, reject) => {
        // A departed client gives its place in the queue back at once; in a running batch its result is dropped.
        const leave = () => {
          if (waiting.includes(entry)) waitingItems -= items.length
          waiting = waiting.filter(other => other !== entry)
          reject(signal!.reason)
        }
        const finish =
          <T>(done: (value: T) => void) =>
          (value: T) => {
            signal?.removeEventListener('abort', leave)
            done(value)
          }
        const entry = { items, chars: charsOf(items), resolve: finish(resolve), reject: finish(reject) }
        signal?.addEventListener('abort', leave, { once: true })
        waiting.push(entry)
        waitingItems += items.length
        sendNext()
      })
    },
    close() {
      closing ??= drain()
      return closing
    },
  }
}
