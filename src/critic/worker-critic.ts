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
  /** Characters that may wait (see `charsOf`); a request that comes when nothing waits is taken whatever its size. */
  readonly maxWaitingChars?: number
  /** Characters sent to the worker in one message, about. A longer request goes in parts, between which others get their turn. */
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

/** Items of one request that go to the worker together. */
interface Part {
  readonly items: readonly CritiqueItem[]
  readonly chars: number
}

interface Waiting {
  readonly part: Part
  /** Infinite for one that must be alone in its batch. */
  readonly chars: number
  readonly resolve: (results: Critique[]) => void
  readonly reject: (error: unknown) => void
}

const MAX_WAITING = 2048
/** About what the largest body holds: half a minute of one core's work. */
const MAX_WAITING_CHARS = 2 ** 20
const BATCH_CHARS = 24_000
/** What a step costs besides its text: its own token, and its part of the text that is read again in the item's next row. */
const CHARS_PER_STEP = 16

/** The work of an item, in characters. */
const charsOf = ({ problem, steps }: CritiqueItem): number =>
  steps.reduce((sum, step) => sum + step.length + CHARS_PER_STEP, problem.length)

/** Items in order, in parts of at most `most` characters, or of one item. */
function partsOf(items: readonly CritiqueItem[], most: number): Part[] {
  const parts: { items: CritiqueItem[]; chars: number }[] = []
  for (const item of items) {
    const chars = charsOf(item)
    const last = parts.at(-1)
    if (last !== undefined && last.chars + chars <= most) {
      last.items.push(item)
      last.chars += chars
    } else parts.push({ items: [item], chars })
  }
  return parts
}

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

  const { maxWaiting = MAX_WAITING, maxWaitingChars = MAX_WAITING_CHARS, batchChars = BATCH_CHARS } = options
  let waiting: Waiting[] = []
  let running: { readonly id: number; readonly entries: readonly Waiting[] } | null = null
  /** Parts of the open requests that were not sent yet: in `waiting`, or after one that is. */
  const unsent = new Set<Part>()
  let openRequests = 0
  let nextId = 1
  let dead: AppError | null = null
  let onIdle: (() => void) | null = null
  let closing: Promise<void> | null = null

  /** Forms a batch of whatever waits, up to the character budget. */
  function sendNext(): void {
    if (running || dead) return
    const entries: Waiting[] = []
    let chars = 0
    while (waiting.length > 0 && (entries.length === 0 || chars + waiting[0]!.chars <= batchChars)) {
      const entry = waiting.shift()!
      unsent.delete(entry.part)
      entries.push(entry)
      chars += entry.chars
    }
    if (entries.length === 0) {
      tellIdle()
      return
    }
    running = { id: nextId++, entries }
    const ask: Ask = { id: running.id, items: entries.flatMap(entry => entry.part.items) }
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
        const to = from + entry.part.items.length
        entry.resolve(answer.results.slice(from, to))
        from = to
      }
    } else if (entries.length > 1) {
      // Requests that were batched together must not fail for one another: each is tried once more, alone.
      waiting = [...entries.map(entry => ({ ...entry, chars: Number.POSITIVE_INFINITY })), ...waiting]
    } else
      entries[0]!.reject(
        new AppError('CRITIC_FAILED', 'The critic failed on this request.', { cause: answer.error }),
      )
    sendNext()
  })

  function die(cause: unknown): void {
    dead ??= new AppError('CRITIC_FAILED', 'the critic’s worker ended unexpectedly', { cause })
    for (const entry of [...(running?.entries ?? []), ...waiting]) entry.reject(dead)
    running = null
    waiting = []
    tellIdle()
  }
  worker.on('error', die)
  worker.on('exit', code => die(new Error(`exit code ${code}`)))

  function tellIdle(): void {
    if (!running && openRequests === 0) onIdle?.()
  }

  /** Ending a worker while ONNX Runtime computes in it aborts the whole process: it is ended when idle only. */
  async function drain(): Promise<void> {
    await new Promise<void>(resolve => {
      onIdle = () => {
        dead ??= new AppError('CRITIC_FAILED', 'this critic was closed')
        resolve()
      }
      tellIdle()
    })
    await worker.terminate()
  }

  function admit(parts: readonly Part[]): void {
    const total = { items: 0, chars: 0 }
    for (const part of [...unsent, ...parts]) {
      total.items += part.items.length
      total.chars += part.chars
    }
    if (total.items > maxWaiting || (unsent.size > 0 && total.chars > maxWaitingChars))
      throw new AppError('OVERLOADED', 'The critic’s queue is full.', { retryAfterS: 1 })
  }

  function enqueue(part: Part, signal: AbortSignal | undefined): Promise<Critique[]> {
    return new Promise((resolve, reject) => {
      if (dead) return reject(dead)
      // A departed client gives its place in the queue back at once; in a running batch its result is dropped.
      const leave = () => {
        waiting = waiting.filter(other => other.part !== part)
        unsent.delete(part)
        reject(signal!.reason)
      }
      const finish =
        <T>(done: (value: T) => void) =>
        (value: T) => {
          signal?.removeEventListener('abort', leave)
          done(value)
        }
      signal?.addEventListener('abort', leave, { once: true })
      waiting.push({ part, chars: part.chars, resolve: finish(resolve), reject: finish(reject) })
      sendNext()
    })
  }

  return {
    version: ready.version,
    threshold: ready.threshold,
    device: ready.device,
    dead: () => dead !== null,
    async judge(items, signal) {
      if (dead) throw dead
      signal?.throwIfAborted()
      const parts = partsOf(items, batchChars)
      admit(parts)
      openRequests++
      for (const part of parts) unsent.add(part)
      try {
        const results: Critique[] = []
        // One after the other: what came meanwhile is served before the next part of a long request.
        for (const part of parts) {
          signal?.throwIfAborted()
          results.push(...(await enqueue(part, signal)))
        }
        return results
      } finally {
        for (const part of parts) unsent.delete(part)
        openRequests--
        tellIdle()
      }
    },
    close() {
      closing ??= drain()
      return closing
    },
  }
}
