// The worker thread of the built-in solver: one session, one batch at a time. Knows no search.
import { parentPort, workerData } from 'node:worker_threads'
import { openSolver, type Sample, type SampleRequest } from './solver-model.ts'

export interface SolverAsk {
  readonly kind: 'sample'
  readonly problem: string
  readonly steps: readonly string[]
  readonly requests: readonly (SampleRequest & { readonly id: number })[]
}
/** The client of request `id` left. */
export interface SolverCancel {
  readonly kind: 'cancel'
  readonly id: number
}
export type SolverAnswer =
  | { readonly kind: 'ready'; readonly version: string }
  | { readonly kind: 'failed'; readonly message: string }
  /** The error is for the log, which drops its message: that may quote the problem. */
  | { readonly kind: 'unsampled'; readonly error: unknown }
  | { readonly kind: 'samples'; readonly samples: readonly Sample[] }

const port = parentPort!
const send = (answer: SolverAnswer): void => port.postMessage(answer)
const { dir, threads } = workerData as { dir: string; threads: number }

try {
  const solver = await openSolver(dir, { threads })
  const gone = new Set<number>()
  port.on('message', async (message: SolverAsk | SolverCancel) => {
    if (message.kind === 'cancel') {
      gone.add(message.id)
      return
    }
    const { problem, steps, requests } = message
    try {
      send({
        kind: 'samples',
        samples: await solver.sample(problem, steps, requests, i => gone.has(requests[i]!.id)),
      })
    } catch (error) {
      send({ kind: 'unsampled', error })
    }
    for (const { id } of requests) gone.delete(id)
  })
  send({ kind: 'ready', version: solver.artifact.manifest.version })
} catch (error) {
  send({ kind: 'failed', message: (error as Error).message })
}
