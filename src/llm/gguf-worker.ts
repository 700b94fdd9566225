// The worker thread of a GGUF model: sampling takes its time here and not on the thread that serves HTTP. Knows no search.
import { parentPort, workerData } from 'node:worker_threads'
import { AppError, type ErrorCode } from '../errors.ts'
import { type GgufAsk, type GgufOptions, type GgufText, openGguf } from './gguf-model.ts'

export type GgufMessage =
  | { readonly kind: 'write'; readonly id: number; readonly ask: GgufAsk }
  /** Nobody waits for text `id` any more. */
  | { readonly kind: 'cancel'; readonly id: number }
  | { readonly kind: 'close' }

export type GgufAnswer =
  | { readonly kind: 'ready' }
  | { readonly kind: 'closed' }
  | { readonly kind: 'unopened'; readonly failure: GgufFailure }
  | { readonly kind: 'written'; readonly id: number; readonly text: GgufText }
  | { readonly kind: 'unwritten'; readonly id: number; readonly failure: GgufFailure }

/** An AppError's code and message; `code` is null for any other error, which is for the log. */
export interface GgufFailure {
  readonly code: ErrorCode | null
  readonly message: string
  readonly cause: unknown
}

const port = parentPort!
const send = (answer: GgufAnswer): void => port.postMessage(answer)

function failureOf(error: unknown): GgufFailure {
  if (error instanceof AppError)
    return { code: error.code, message: error.message, cause: sendable(error.cause) }
  return { code: null, message: 'The GGUF model failed on this request.', cause: sendable(error) }
}

/** What is thrown by a library may hold functions or native objects, which no message can: then its name and words are sent. */
function sendable(thrown: unknown): unknown {
  try {
    return structuredClone(thrown)
  } catch {
    const plain = new Error(thrown instanceof Error ? thrown.message : typeof thrown)
    return thrown instanceof Error
      ? Object.assign(plain, { name: String(thrown.name), stack: thrown.stack })
      : plain
  }
}

try {
  const model = await openGguf(workerData as GgufOptions)
  const gone = new Set<number>()
  const writing = new Map<number, Promise<void>>()
  const write = async (id: number, ask: GgufAsk): Promise<void> => {
    try {
      send({ kind: 'written', id, text: await model.write(ask, () => gone.has(id)) })
    } catch (error) {
      send({ kind: 'unwritten', id, failure: failureOf(error) })
    }
    gone.delete(id)
    writing.delete(id)
  }
  port.on('message', async (message: GgufMessage) => {
    if (message.kind === 'write') writing.set(message.id, write(message.id, message.ask))
    else if (message.kind === 'cancel') {
      if (writing.has(message.id)) gone.add(message.id)
    } else {
      for (const id of writing.keys()) gone.add(id)
      await Promise.all(writing.values())
      await model.close()
      send({ kind: 'closed' })
    }
  })
  send({ kind: 'ready' })
} catch (error) {
  send({ kind: 'unopened', failure: failureOf(error) })
}
