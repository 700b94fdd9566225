// The worker thread of one critic: one session, and the requests that wait for it. Knows no HTTP and no other version.
import { parentPort, workerData } from 'node:worker_threads'
import { AppError, type ErrorCode } from '../errors.ts'
import { createBatcher, type Ran } from './batcher.ts'
import type { Precision, PrecisionChoice } from './precision.ts'
import { type Device, openScorer, type Scorer } from './scorer.ts'
import type { CritiqueItem } from './types.ts'

export interface WorkerStart {
  readonly dir: string
  /** Tried in order; the first that opens is used. */
  readonly devices: readonly Device[]
  readonly threads: number
  readonly batchTokens: number
  readonly prefixCacheBytes: number
  readonly precision: PrecisionChoice
}

export type Ask =
  | { readonly kind: 'judge'; readonly id: number; readonly items: readonly CritiqueItem[] }
  /** The client of that request has gone. */
  | { readonly kind: 'leave'; readonly id: number }
  /** Nothing more will be asked: the thread ends when it computes nothing. */
  | { readonly kind: 'end' }

export type Answer =
  | {
      readonly kind: 'ready'
      readonly device: Device
      readonly precision: Precision
      readonly threshold: number
      readonly version: string
    }
  | { readonly kind: 'failed'; readonly code: ErrorCode; readonly message: string }
  | ({ readonly kind: 'ran'; readonly cacheBytes: number } & Ran)
  /** The error is for the log, which drops its message: that may quote a step. */
  | { readonly kind: 'unscored'; readonly id: number; readonly error: unknown }

const WARM_UP: CritiqueItem = { problem: 'What is 2 + 3?', steps: ['2 + 3 = 5.', 'The answer is 5.'] }

async function open({
  dir,
  devices,
  threads,
  prefixCacheBytes,
  precision,
}: WorkerStart): Promise<{ scorer: Scorer; device: Device }> {
  const reasons: string[] = []
  for (const device of devices) {
    try {
      const scorer = await openScorer(dir, { device, threads, prefixCacheBytes, precision })
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
  const start = workerData as WorkerStart
  const { scorer, device } = await open(start)
  const { version, reading } = scorer.artifact.manifest
  const batcher = createBatcher({
    scorer,
    batchTokens: start.batchTokens,
    onRan: ran => send({ kind: 'ran', cacheBytes: scorer.cacheBytes(), ...ran }),
    onFailed: (id, error) => send({ kind: 'unscored', id, error }),
  })
  port.on('message', async (ask: Ask) => {
    if (ask.kind === 'judge') batcher.add(ask.id, ask.items)
    else if (ask.kind === 'leave') batcher.leave(ask.id)
    else {
      await batcher.idle()
      port.close()
    }
  })
  send({ kind: 'ready', device, precision: scorer.precision, threshold: reading!.threshold, version })
} catch (error) {
  const code = error instanceof AppError ? error.code : 'CRITIC_INVALID'
  send({ kind: 'failed', code, message: (error as Error).message.split('\n')[0]! })
}
