// Opens a critic on the first of its devices that runs it, and keeps to its turns there. Knows no port and no queue.
import { threadId } from 'node:worker_threads'
import { AppError } from '../errors.ts'
import { type Device, whyNot } from './device.ts'
import { openScorer, type Scorer, type ScorerOptions } from './scorer.ts'
import { inTurn, type TurnsOnDevice } from './turns-on-device.ts'
import type { CritiqueItem } from './types.ts'

export interface DeviceOptions extends Omit<ScorerOptions, 'device' | 'runTokens'> {
  readonly dir: string
  /** Tried in order; the first that opens is used. */
  readonly devices: readonly Device[]
  /** Of all threads of this process, on WebGPU. */
  readonly webgpuTurns: TurnsOnDevice
}

/** What of a scorer is used from outside its turns. */
type TurnedScorer = Pick<
  Scorer,
  'artifact' | 'precision' | 'prepare' | 'plan' | 'run' | 'cacheBytes' | 'release'
>

export interface OnDevice {
  readonly scorer: TurnedScorer
  readonly device: Device
  /** Why not the devices that were tried before, a sentence each. */
  readonly passedOver: readonly string[]
}

const WARM_UP: CritiqueItem = { problem: 'What is 2 + 3?', steps: ['2 + 3 = 5.', 'The answer is 5.'] }

/** Opens the critic and lets it score a warm-up. @throws {AppError} CRITIC_INVALID; CRITIC_FAILED when no device runs it, saying why */
export async function openOnDevice(options: DeviceOptions): Promise<OnDevice> {
  const passedOver: string[] = []
  for (const device of options.devices) {
    try {
      return { scorer: await openOn(device, options), device, passedOver }
    } catch (error) {
      if (error instanceof AppError) throw error
      passedOver.push(`${device}: ${whyNot(device, error)}`)
    }
  }
  throw new AppError('CRITIC_FAILED', `no device could run the critic (${passedOver.join('; ')})`)
}

async function openOn(
  device: Device,
  { dir, webgpuTurns, devices: _, ...options }: DeviceOptions,
): Promise<TurnedScorer> {
  const alone = <T>(task: () => Promise<T>): Promise<T> =>
    device === 'webgpu' ? inTurn(webgpuTurns, threadId, task) : task()
  const scorer = await alone(async () => {
    const opened = await openScorer(dir, { ...options, device })
    try {
      await opened.judge([WARM_UP])
      return opened
    } catch (error) {
      await opened.release()
      throw error
    }
  })
  return { ...scorer, run: rows => alone(() => scorer.run(rows)), release: () => alone(scorer.release) }
}

/**
 * Ends a scorer with its device. A run that fails on a CPU fails for what is in its rows; one on a GPU does so because the device is
 * lost, or out of memory, and what was opened on it may never work again. The first such run releases the scorer, so that WebGPU,
 * which the last to leave closes, can be opened anew, and then tells `onBroken`; no run is tried after it.
 */
export function endingWithDevice(
  { scorer, device }: Pick<OnDevice, 'scorer' | 'device'>,
  onBroken: (error: unknown) => void,
): TurnedScorer {
  if (device === 'cpu') return scorer
  let isBroken = false
  return {
    ...scorer,
    async run(rows) {
      if (isBroken) throw new Error('the device has failed')
      try {
        await scorer.run(rows)
      } catch (error) {
        isBroken = true
        await scorer.release().catch(() => {}) // it may be beyond that
        onBroken(error)
        throw error
      }
    },
  }
}
