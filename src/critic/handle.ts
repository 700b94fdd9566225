// A critic whose worker comes and goes: started when asked, checked against its canaries, started again when it died, stopped when
// idle. Knows no registry.
import { checkCanaries } from './canary.ts'
import type { Manifest } from './manifest.ts'
import type { Critic } from './types.ts'
import type { WorkerCritic } from './worker-critic.ts'

/** What the last worker of a critic runs, or ran, on. */
export type RunsOn = Pick<WorkerCritic, 'device' | 'precision'>

/** A critic whose worker is started when needed and may be stopped when idle: a search may hold on to it for as long as it likes. */
export class Handle implements Critic {
  readonly version: string
  readonly threshold: number
  readonly #start: () => Promise<WorkerCritic>
  #worker: Promise<WorkerCritic> | null = null
  #runsOn: RunsOn | null = null
  #inUse = 0
  #lastUse = 0

  constructor(manifest: Manifest, start: () => Promise<WorkerCritic>) {
    this.version = manifest.version
    this.threshold = manifest.reading!.threshold
    this.#start = async () => {
      const worker = await start()
      try {
        await checkCanaries(worker, manifest)
        this.#runsOn = { device: worker.device, precision: worker.precision }
        return worker
      } catch (error) {
        await worker.close()
        throw error
      }
    }
  }

  /** Null before the first worker. A worker that replaces another may have found another device. */
  get runsOn(): RunsOn | null {
    return this.#runsOn
  }

  /** The worker, started when there is none. @throws {AppError} CRITIC_INVALID, CRITIC_FAILED */
  worker(): Promise<WorkerCritic> {
    this.#lastUse = performance.now()
    this.#worker ??= this.#warmUp()
    return this.#worker
  }

  async #warmUp(): Promise<WorkerCritic> {
    this.#inUse++ // or the sweep would stop a worker that takes long to start
    try {
      return await this.#start()
    } catch (error) {
      this.#worker = null
      throw error
    } finally {
      this.#inUse--
      this.#lastUse = performance.now()
    }
  }

  async judge(...call: Parameters<Critic['judge']>) {
    this.#inUse++
    try {
      const started = this.worker()
      const worker = await started
      return await worker.judge(...call).catch(async error => {
        if (!worker.dead()) throw error
        // A worker that died is replaced, once for all its requests, and they are tried once more.
        if (this.#worker === started) this.#worker = null
        return (await this.worker()).judge(...call)
      })
    } finally {
      this.#inUse--
      this.#lastUse = performance.now()
    }
  }

  /** Starts the worker and keeps it from being stopped as idle, until the function returned is called. */
  async hold(): Promise<() => void> {
    this.#inUse++
    let isHeld = true
    const release = () => {
      if (isHeld) this.#inUse--
      isHeld = false
      this.#lastUse = performance.now()
    }
    await this.worker().catch(error => {
      release()
      throw error
    })
    return release
  }

  /** Milliseconds since its worker was last asked; 0 while it is asked or held, and without a worker. */
  idleFor(): number {
    return this.#worker === null || this.#inUse > 0 ? 0 : performance.now() - this.#lastUse
  }

  /** Ends the worker; the next call starts another. */
  async stop(): Promise<void> {
    const worker = this.#worker
    this.#worker = null
    await (await worker?.catch(() => undefined))?.close()
  }
}
