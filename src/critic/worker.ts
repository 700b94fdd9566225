// The worker thread of one critic: one session, one message at a time. Knows no HTTP and no other version.
import { parentPort, workerData } from 'node:worker_threads'
import { AppError, type ErrorCode } from '../errors.ts'
import { type Device, openScorer, type Scorer } from './scorer.ts'
import type { Critique, CritiqueItem } from './types.ts'

export interface WorkerStart {
  readonly dir: string
  /** Tried in order; the first that opens is used. */
  readonly devices: readonly Device[]
  readonly threads: number
}

export interface Ask {
  readonly id: number
  readonly items: readonly CritiqueItem[]
}

export type Answer =
  | { readonly kind: 'ready'; readonly device: Device; readonly threshold: number; readonly version: string }
  | { readonly kind: 'failed'; readonly code: ErrorCode; readonly message: string }
  | {
      readonly kind: 'scored'
      readonly id: number
      readonly results: readonly Critique[]
      readonly inferMs: number
    }
  /** The error is for the log, which drops its message: that may quote a step. */
  | { readonly kind: 'unscored'; readonly id: number; readonly error: unknown }

const WARM_UP: CritiqueItem = { problem: 'What is 2 + 3?', steps: ['2 + 3 = 5.', 'The answer is 5.'] }

async function open({ dir, devices, threads }: WorkerStart): Promise<{ scorer: Scorer; device: Device }> {
  const reasons: string[] = []
  for (const device of devices) {
    try {
      const scorer = await openScorer(dir, { device, threads })
      await scorer.judge([WARM_UP])
      return { scorer, device }
    } catch (error) {
      if (error instanceof AppError) throw error
      reasons.push(`${device}: ${(error as Error).message.split('\n')[0]}`)
    }
  }
  throw new AppError('CRITIC_FAILED', `no device could run the critic (${reasons.join('; ')})`)
}

const port = parentPort!
const send = (answer: Answer): void => port.postMessage(answer)

try {
  const { scorer, device } = await open(workerData as WorkerStart)
  const { version, reading } = scorer.artifact.manifest
  port.on('message', async ({ id, items }: Ask) => {
    const start = performance.now()
    try {
      const results = await scorer.judge(items)
      send({ kind: 'scored', id, results, inferMs: performance.now() - start })
    } catch (error) {
      send({ kind: 'unscored', id, error })
    }
  })
  send({ kind: 'ready', device, threshold: reading!.threshold, version })
} catch (error) {
  const code = error instanceof AppError ? error.code : 'CRITIC_INVALID'
  send({ kind: 'failed', code, message: (error as Error).message.split('\n')[0]! })
}
