// Holds the worker of the computer algebra library: started at the first question, killed when it computes for too long, started
// anew at the next one. Knows no algebra.
import { Worker } from 'node:worker_threads'
import type { SymbolicAnswer, SymbolicAsk } from './symbolic-worker.ts'

export interface SymbolicThread {
  /** The library's verdict, or null when none came within the deadline or before `signal` aborted. Never rejects. */
  ask(a: string, b: string, signal?: AbortSignal): Promise<boolean | null>
  /** Ends the worker; what is asked from then on, or was not answered yet, is null. */
  close(): Promise<void>
}

interface Question {
  readonly ask: SymbolicAsk
  /** Answers who asked; only the first call counts. */
  readonly answer: (same: boolean | null) => void
}

/** A worker and whether it can answer yet. What a question waits for it, in line or while it loads, does not count against it. */
interface Running {
  readonly worker: Worker
  ready: boolean
  asked: Question | null
  /** Runs out when it has computed over `asked` for too long. */
  timer?: NodeJS.Timeout
}

/** For one comparison of two answers, wherever answers are compared. */
export const SYMBOLIC_MS = 500

/** Questions that wait at most; one more is answered null at once. */
const MAX_WAITING = 64
const MEMORY_MB = 192

/** A thread that answers each question within `deadlineMs`, waiting in line and loading included, or says null. */
export function createSymbolicThread({ deadlineMs }: { readonly deadlineMs: number }): SymbolicThread {
  let running: Running | null = null
  let closed = false
  let nextId = 1
  const waiting: Question[] = []

  /** The worker is done with its question, or gone. */
  function free(self: Running, same: boolean | null): void {
    clearTimeout(self.timer)
    self.asked?.answer(same)
    self.asked = null
  }

  function start(): Running {
    const worker = new Worker(new URL('./symbolic-worker.ts', import.meta.url), {
      resourceLimits: { maxOldGenerationSizeMb: MEMORY_MB },
    })
    const self: Running = { worker, ready: false, asked: null }
    worker.on('message', (answer: SymbolicAnswer) => {
      if (answer.kind === 'ready') self.ready = true
      else if (answer.id === self.asked?.ask.id) free(self, answer.same)
      sendNext()
    })
    worker.on('error', () => drop(self)) // It ran out of memory, or could not be loaded.
    worker.on('exit', () => drop(self))
    worker.unref() // After the listeners: a listener for messages takes the reference again.
    return self
  }

  /** Forgets a worker that is gone; its question is answered null, and those that wait get another one. */
  function drop(gone: Running): void {
    if (running !== gone) return
    running = null
    free(gone, null)
    // One that never was ready would not be the next time either: who waits is told so rather than kept in a loop.
    if (!gone.ready) for (const question of waiting.splice(0)) question.answer(null)
    sendNext()
  }

  function sendNext(): void {
    if (closed || waiting.length === 0) return
    running ??= start()
    if (!running.ready || running.asked !== null) return
    const question = waiting.shift()!
    running.asked = question
    running.timer = setTimeout(giveUp, deadlineMs, running)
    running.worker.postMessage(question.ask)
  }

  function giveUp(stuck: Running): void {
    void stuck.worker.terminate()
    drop(stuck)
  }

  /** Who asked is gone. A worker that already computes is given its time: starting another one costs more. */
  function leave(question: Question): void {
    const at = waiting.indexOf(question)
    if (at >= 0) waiting.splice(at, 1)
    question.answer(null)
  }

  return {
    ask(a, b, signal) {
      if (closed || signal?.aborted || waiting.length >= MAX_WAITING) return Promise.resolve(null)
      return new Promise(resolve => {
        const onEnd = () => leave(question)
        const timer = setTimeout(onEnd, deadlineMs)
        signal?.addEventListener('abort', onEnd, { once: true })
        const question: Question = {
          ask: { id: nextId++, a, b },
          answer(same) {
            clearTimeout(timer)
            signal?.removeEventListener('abort', onEnd)
            resolve(same)
          },
        }
        waiting.push(question)
        sendNext()
      })
    },
    async close() {
      closed = true
      for (const question of waiting.splice(0)) question.answer(null)
      const last = running
      running = null
      if (last !== null) free(last, null)
      await last?.worker.terminate()
    },
  }
}
