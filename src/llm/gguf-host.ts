// A GGUF model as the service sees it: texts are asked for here and written in a worker thread. Knows no model and no search.
import { Worker } from 'node:worker_threads'
import { AppError } from '../errors.ts'
import type { GgufAsk, GgufOptions, GgufText } from './gguf-model.ts'
import type { GgufAnswer, GgufFailure, GgufMessage } from './gguf-worker.ts'

export interface Gguf {
  /** @throws {AppError} LLM_ERROR when writing fails, LLM_REFUSED when the prompt is too long; an abort rejects with the signal's reason */
  sample(ask: GgufAsk, signal: AbortSignal): Promise<GgufText>
  /** True when its worker ended, so that it can write no more. */
  dead(): boolean
  close(): Promise<void>
}

interface Waiting {
  readonly resolve: (text: GgufText) => void
  readonly reject: (error: unknown) => void
}

const toError = ({ code, message, cause }: GgufFailure): AppError =>
  new AppError(code ?? 'LLM_ERROR', message, { cause })

/** Starts the model's worker. @throws {AppError} LLM_UNREACHABLE when the library or the file cannot be used */
export async function startGguf(options: GgufOptions): Promise<Gguf> {
  const worker = new Worker(new URL('./gguf-worker.ts', import.meta.url), { workerData: options })
  const tell = (message: GgufMessage): void => worker.postMessage(message)
  const waiting = new Map<number, Waiting>()
  let dead: AppError | null = null
  let closing: Promise<void> | null = null
  let nextId = 1

  const ended = new Promise<void>(resolve => worker.once('exit', () => resolve()))
  const opened = Promise.withResolvers<void>()
  const closed = Promise.withResolvers<void>()

  function die(cause: unknown): void {
    dead ??= new AppError('LLM_ERROR', 'The worker of the GGUF model ended.', { cause })
    for (const { reject } of waiting.values()) reject(dead)
    waiting.clear()
    opened.reject(dead)
    closed.resolve()
  }
  worker.on('error', die)
  worker.on('exit', code => die(new Error(`exit code ${code}`)))

  worker.on('message', (answer: GgufAnswer) => {
    if (answer.kind === 'ready') opened.resolve()
    else if (answer.kind === 'closed') closed.resolve()
    else if (answer.kind === 'unopened') opened.reject(toError(answer.failure))
    else {
      const entry = waiting.get(answer.id)
      waiting.delete(answer.id)
      if (answer.kind === 'written') entry?.resolve(answer.text)
      else entry?.reject(toError(answer.failure))
    }
  })

  /** Ends what is being written, then the model, then the worker: native code must not be cut off in the middle. */
  async function stop(): Promise<void> {
    dead ??= new AppError('LLM_ERROR', 'The GGUF model was closed.')
    for (const { reject } of waiting.values()) reject(dead)
    waiting.clear()
    tell({ kind: 'close' })
    await closed.promise
    await worker.terminate()
    await ended
  }

  try {
    await opened.promise
  } catch (error) {
    await worker.terminate()
    throw error
  }

  return {
    dead: () => dead !== null,
    sample(ask, signal) {
      if (dead) return Promise.reject(dead)
      if (signal.aborted) return Promise.reject(signal.reason)
      const { promise, resolve, reject } = Promise.withResolvers<GgufText>()
      const id = nextId++
      const onAbort = () => {
        waiting.delete(id)
        tell({ kind: 'cancel', id })
        reject(signal.reason)
      }
      signal.addEventListener('abort', onAbort, { once: true })
      waiting.set(id, { resolve, reject })
      tell({ kind: 'write', id, ask })
      return promise.finally(() => signal.removeEventListener('abort', onAbort))
    },
    close() {
      closing ??= stop()
      return closing
    },
  }
}
