// The worker thread of one critic: one session, and the requests that wait for it. Knows no HTTP and no other version.
import { parentPort, workerData } from 'node:worker_threads'
import { AppError, type ErrorCode } from '../errors.ts'
import { createBatcher, type Ran } from './batcher.ts'
import type { Device } from './device.ts'
import { type DeviceOptions, endingWithDevice, openOnDevice } from './open-on-device.ts'
import type { Precision } from './precision.ts'
import type { CritiqueItem } from './types.ts'

export interface WorkerStart extends Required<DeviceOptions> {
  readonly batchTokens: number
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
      /** Why not the devices that were to be tried before it, a sentence each. */
      readonly passedOver: readonly string[]
      readonly precision: Precision
      readonly threshold: number
      readonly version: string
    }
  | { readonly kind: 'failed'; readonly code: ErrorCode; readonly message: string }
  | ({ readonly kind: 'ran'; readonly cacheBytes: number } & Ran)
  /** The error is for the log, which drops its message: that may quote a step. */
  | { readonly kind: 'unscored'; readonly id: number; readonly error: unknown }
  /** The device failed, and this worker with it: whatever waits may be asked of another. */
  | { readonly kind: 'broken'; readonly error: unknown }

const port = parentPort!
const send = (answer: Answer): void => port.postMessage(answer)

try {
  const { batchTokens, ...options } = workerData as WorkerStart
  const opened = await openOnDevice(options)
  const { device, passedOver } = opened
  const scorer = endingWithDevice(opened, error => {
    send({ kind: 'broken', error })
    port.close()
  })
  const { version, reading } = scorer.artifact.manifest
  const { precision } = scorer
  const batcher = createBatcher({
    scorer,
    batchTokens,
    onRan: ran => send({ kind: 'ran', cacheBytes: scorer.cacheBytes(), ...ran }),
    onFailed: (id, error) => send({ kind: 'unscored', id, error }),
  })
  port.on('message', async (ask: Ask) => {
    if (ask.kind === 'judge') batcher.add(ask.id, ask.items)
    else if (ask.kind === 'leave') batcher.leave(ask.id)
    else {
      await batcher.idle()
      await scorer.release() // in its turn, which the end of the thread would not wait for
      port.close()
    }
  })
  send({ kind: 'ready', device, passedOver, precision, threshold: reading!.threshold, version })
} catch (error) {
  const code = error instanceof AppError ? error.code : 'CRITIC_INVALID'
  send({ kind: 'failed', code, message: (error as Error).message.split('\n')[0]! })
}
