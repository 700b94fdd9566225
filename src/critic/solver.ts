// The built-in solver as the service sees it: requests for the same prompt are sampled together in a worker thread.
// Fits llm's `Sampler` by shape; knows no session and no search.
import './quiet-runtime.ts'

import { Worker } from 'node:worker_threads'
import { AppError } from '../errors.ts'
import type { Sample, SampleRequest } from './solver-model.ts'
import type { SolverAnswer, SolverAsk, SolverCancel } from './solver-worker.ts'

export interface SolverRequest extends SampleRequest {
  readonly problem: string
  readonly steps: readonly string[]
}

export interface Solver {
  readonly version: string
  /** @throws {AppError} LLM_ERROR when sampling fails; an abort rejects with the signal's reason. */
  sample(request: SolverRequest, signal: AbortSignal): Promise<Sample>
  /** True when its worker ended, so that it can sample no more. */
  dead(): boolean
  close(): Promise<void>
}

const CLOSED = 'The local language model was closed.'

/** What samples in a worker of its own. */
interface Sampling<Request, Reply> {
  sample(request: Request, signal: AbortSignal): Promise<Reply>
  dead(): boolean
  close(): Promise<void>
}

/** How long closing waits for a start that is under way: a large model loads for minutes. */
const START_GRACE_MS = 5000

/**
 * A solver that starts with its first request, and again after its worker died or its start failed, until it is closed. One that is
 * still starting then is waited for only a while, and closed as soon as it has started.
 */
export function lazySolver<Request, Reply>(
  start: () => Promise<Sampling<Request, Reply>>,
  startGraceMs: number = START_GRACE_MS,
): Pick<Sampling<Request, Reply>, 'sample' | 'close'> {
  let solver: Promise<Sampling<Request, Reply>> | null = null
  let closed = false
  async function up(): Promise<Sampling<Request, Reply>> {
    if (closed) throw new AppError('LLM_ERROR', CLOSED)
    solver ??= start().catch(error => {
      solver = null
      throw error
    })
    const asked = solver
    const found = await asked
    if (!found.dead()) return found
    if (solver === asked) solver = null
    return up()
  }
  return {
    // A large model takes its time to load; a search that is over does not wait for it.
    sample: async (request, signal) => (await orAborted(up(), signal)).sample(request, signal),
    async close() {
      closed = true
      if (solver === null) return
      const started = solver.catch(() => null)
      const ended = started.then(found => found?.close())
      ended.catch(() => {})
      // What has started may take its time to end: native code must not be cut off in the middle.
      if (await settlesWithin(started, startGraceMs)) await ended
    },
  }
}

async function settlesWithin(promise: Promise<unknown>, ms: number): Promise<boolean> {
  const { promise: over, resolve } = Promise.withResolvers<boolean>()
  const timer = setTimeout(() => resolve(false), ms)
  try {
    return await Promise.race([promise.then(() => true), over])
  } finally {
    clearTimeout(timer)
  }
}

/** What `promise` gives; rejects with the signal's reason as soon as that aborts. */
async function orAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  const { promise: aborted, reject } = Promise.withResolvers<never>()
  const onAbort = () => reject(signal.reason)
  if (signal.aborted) onAbort()
  signal.addEventListener('abort', onAbort, { once: true })
  try {
    return await Promise.race([aborted, promise])
  } finally {
    signal.removeEventListener('abort', onAbort)
  }
}

const MAX_BATCH = 16

interface Waiting {
  readonly id: number
  readonly request: SolverRequest
  readonly key: string
  readonly signal: AbortSignal
  readonly resolve: (sample: Sample) => void
  readonly reject: (error: unknown) => void
}

/** Starts the solver's worker. @throws {AppError} CRITIC_INVALID when the base's folder is not valid. */
export async function startSolver(dir: string, options: { readonly threads: number }): Promise<Solver> {
  const worker = new Worker(new URL('./solver-worker.ts', import.meta.url), {
    workerData: { dir, threads: options.threads },
  })
  const version = await new Promise<string>((resolve, reject) => {
    worker.once('error', reject)
    worker.once('exit', code =>
      reject(new AppError('LLM_ERROR', `the solver’s worker ended with code ${code}`)),
    )
    worker.once('message', (answer: SolverAnswer) => {
      if (answer.kind === 'ready') resolve(answer.version)
      else if (answer.kind === 'failed') reject(new AppError('CRITIC_INVALID', answer.message))
    })
  }).catch(async error => {
    await worker.terminate()
    throw error
  })

  let waiting: Waiting[] = []
  let running: Waiting[] = []
  let nextId = 1
  let dead: AppError | null = null
  let closing: Promise<void> | null = null
  let onIdle: (() => void) | null = null

  function sendNext(): void {
    if (running.length > 0 || dead) return
    waiting = waiting.filter(entry => !entry.signal.aborted)
    const first = waiting[0]
    if (!first) return
    running = waiting.filter(entry => entry.key === first.key).slice(0, MAX_BATCH)
    waiting = waiting.filter(entry => !running.includes(entry))
    const { problem, steps } = first.request
    const ask: SolverAsk = {
      kind: 'sample',
      problem,
      steps,
      requests: running.map(({ id, request }) => ({ ...request, id })),
    }
    worker.postMessage(ask)
  }

  const cancel = (id: number): void => worker.postMessage({ kind: 'cancel', id } satisfies SolverCancel)

  function settle(finish: (entry: Waiting, i: number) => void): void {
    const entries = running
    running = []
    entries.forEach(finish)
    sendNext()
    onIdle?.()
  }

  worker.on('message', (answer: SolverAnswer) => {
    if (answer.kind === 'samples') settle((entry, i) => entry.resolve(answer.samples[i]!))
    else if (answer.kind === 'unsampled')
      settle(entry =>
        entry.reject(
          new AppError('LLM_ERROR', 'The built-in solver failed on this request.', { cause: answer.error }),
        ),
      )
  })
  function die(cause: unknown): void {
    dead ??= new AppError('LLM_ERROR', 'the built-in solver’s worker ended', { cause })
    for (const entry of [...running, ...waiting]) entry.reject(dead)
    running = []
    waiting = []
    onIdle?.()
  }
  worker.on('error', die)
  worker.on('exit', code => die(new Error(`exit code ${code}`)))

  /** Ends what is under way, then the worker: ending a worker while ONNX Runtime computes in it aborts the whole process. */
  async function stop(): Promise<void> {
    dead ??= new AppError('LLM_ERROR', CLOSED)
    for (const entry of [...running, ...waiting]) entry.reject(dead)
    waiting = []
    for (const { id } of running) cancel(id)
    if (running.length > 0) await new Promise<void>(resolve => (onIdle = resolve))
    await worker.terminate()
  }

  return {
    version,
    dead: () => dead !== null,
    sample(request, signal) {
      if (dead) return Promise.reject(dead)
      if (signal.aborted) return Promise.reject(signal.reason)
      return new Promise<Sample>((resolve, reject) => {
        const id = nextId++
        const onAbort = () => {
          if (running.some(entry => entry.id === id)) cancel(id)
          reject(signal.reason)
        }
        signal.addEventListener('abort', onAbort, { once: true })
        const finish =
          <T>(done: (value: T) => void) =>
          (value: T) => {
            signal.removeEventListener('abort', onAbort)
            done(value)
          }
        const key = JSON.stringify([request.problem, request.steps])
        waiting.push({ id, request, key, signal, resolve: finish(resolve), reject: finish(reject) })
        queueMicrotask(sendNext) // requests made together go out together
      })
    },
    close() {
      closing ??= stop()
      return closing
    },
  }
}
