// The critics there are and which of them serves: shipped and trained folders, lazy workers, promotion and rollback.
// Knows no HTTP and no database; the serving pointer is kept by whoever opens it.
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { AppError } from '../errors.ts'
import { type Manifest, openArtifact, readManifest } from './manifest.ts'
import type { Critic } from './types.ts'
import type { WorkerCritic } from './worker-critic.ts'

/** Which version serves and what served before, most recent first. */
export interface Pointer {
  readonly version: string
  readonly history: readonly string[]
}

export interface RegistryOptions {
  /** Read-only folder of shipped critics, one folder a version. */
  readonly shippedDir: string
  /** Folder of critics trained here. */
  readonly trainedDir: string
  readonly pointer: { load(): Promise<Pointer | null>; save(pointer: Pointer): Promise<void> }
  /** Starts a worker for a folder and warms it up. */
  readonly start: (dir: string) => Promise<WorkerCritic>
  /** Milliseconds a worker that does not serve stays up without being asked. */
  readonly idleMs?: number
  readonly onServing?: (version: string) => void
  /** The version that served before is gone or could not be loaded; the newest shipped one serves instead, until a restart. */
  readonly onDamaged?: (version: string, error: unknown) => void
}

interface CriticEntry {
  readonly version: string
  readonly serving: boolean
  readonly source: 'shipped' | 'trained'
  readonly parent: string | null
  readonly created_at: string | null
  readonly metrics: Readonly<Record<string, unknown>>
}

export interface Registry {
  /** The one that serves. @throws {AppError} NOT_READY until `open` has resolved. */
  current(): Critic
  /** Any critic by version; its worker starts when first asked. @throws {AppError} UNKNOWN_CRITIC */
  get(version: string): Critic
  list(): CriticEntry[]
  /** Warms the version up, then switches. Requests in flight finish on the old one. @throws {AppError} UNKNOWN_CRITIC, CRITIC_INVALID */
  promote(version: string): Promise<{ serving: string; previous: string | null }>
  /**
   * Promotes what was trained from `parent`, but only while `parent` serves; false when another critic does by now, which the
   * candidate was never compared with.
   */
  succeed(parent: string, version: string): Promise<boolean>
  /** Back to what served before. @throws {AppError} NO_PARENT, CRITIC_INVALID */
  rollback(): Promise<{ serving: string; previous: string | null }>
  /** Device of the serving critic and the precision of its matrices; null before there is one. */
  runsOn(): { readonly device: string; readonly precision: string } | null
  /** Folder of a version. @throws {AppError} UNKNOWN_CRITIC */
  dirOf(version: string): string
  close(): Promise<void>
}

const HISTORY = 20
const IDLE_MS = 60_000
/** Workers that may idle: many swaps in a row must not keep as many models in memory. */
const MOST_IDLE = 2

interface Found {
  readonly dir: string
  readonly source: 'shipped' | 'trained'
  readonly manifest: Manifest
}

/** A critic whose worker is started when needed and may be stopped when idle: a search may hold on to it for as long as it likes. */
class Handle implements Critic {
  readonly version: string
  readonly threshold: number
  readonly #start: () => Promise<WorkerCritic>
  #worker: Promise<WorkerCritic> | null = null
  #inUse = 0
  #lastUse = 0

  constructor({ dir, manifest }: Found, start: RegistryOptions['start']) {
    this.version = manifest.version
    this.threshold = manifest.reading!.threshold
    this.#start = () => start(dir)
  }

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

  idleFor(): number {
    return this.#worker === null || this.#inUse > 0 ? 0 : performance.now() - this.#lastUse
  }

  async stop(): Promise<void> {
    const worker = this.#worker
    this.#worker = null
    await (await worker?.catch(() => undefined))?.close()
  }
}

/** Finds the critics, loads the one that serves and resolves when it answers. @throws {AppError} CRITIC_INVALID, NOT_READY when there is none. */
export async function openRegistry(options: RegistryOptions): Promise<Registry> {
  const { shippedDir, trainedDir, pointer, start, idleMs = IDLE_MS } = options
  const handles = new Map<string, Handle>()
  let serving: { pointer: Pointer; handle: Handle; device: string; precision: string } | null = null
  let queue: Promise<unknown> = Promise.resolve()

  function scan(): Map<string, Found> {
    const found = new Map<string, Found>()
    for (const [root, source] of [
      [trainedDir, 'trained'],
      [shippedDir, 'shipped'],
    ] as const) {
      for (const dir of foldersOf(root)) {
        const manifest = readManifest(dir)
        if (manifest?.kind === 'critic' && manifest.reading)
          found.set(manifest.version, { dir, source, manifest })
      }
    }
    return found
  }

  function find(version: string): Found {
    const found = scan().get(version)
    if (!found) throw new AppError('UNKNOWN_CRITIC', 'GET /admin/critics lists the critics there are.')
    return found
  }

  function handleOf(version: string): Handle {
    let handle = handles.get(version)
    if (!handle) {
      handle = new Handle(find(version), start)
      handles.set(version, handle)
    }
    return handle
  }

  /** Stops workers that do not serve: those idle for long, and all but the two last used. */
  function sweep(): void {
    // A handle stays: a search that holds it may wake its worker again, and `close` must find that one too.
    const idle = [...handles.values()].filter(handle => handle !== serving?.handle && handle.idleFor() > 0)
    const longestFirst = idle.toSorted((a, b) => b.idleFor() - a.idleFor())
    for (const [i, handle] of longestFirst.entries())
      if (handle.idleFor() >= idleMs || i < idle.length - MOST_IDLE) void handle.stop()
  }

  async function serve(next: Pointer, keep: 'keep' | 'for now' = 'keep'): Promise<void> {
    openArtifact(find(next.version).dir) // hashes are checked before every switch
    const handle = handleOf(next.version)
    const { device, precision } = await handle.worker()
    if (keep === 'keep')
      await pointer.save(next).catch(async error => {
        if (serving === null) await handle.stop() // nobody would: the registry does not open
        throw error
      })
    serving = { pointer: next, handle, device, precision }
    options.onServing?.(next.version)
    sweep()
  }

  /** Switches happen one at a time. */
  function alone<T>(task: () => Promise<T>): Promise<T> {
    const result = queue.then(task)
    queue = result.catch(() => {})
    return result
  }

  const saved = await pointer.load()
  const byVersion = new Intl.Collator('en', { numeric: true })
  const newest = [...scan().values()]
    .filter(f => f.source === 'shipped')
    .map(f => f.manifest.version)
    .toSorted(byVersion.compare)
    .at(-1)
  // What served before comes first; a trained critic that was damaged since must not keep the service down. The pointer stays
  // as it is then: the critic may be repaired, or be there on the other machines that share the pointer.
  let resumed = false
  if (saved !== null) {
    try {
      await serve(saved, 'for now')
      resumed = true
    } catch (error) {
      options.onDamaged?.(saved.version, error)
    }
  }
  if (!resumed && newest !== undefined) {
    const history = (saved?.history ?? []).filter(version => version !== newest)
    await serve({ version: newest, history }, saved === null ? 'keep' : 'for now')
  } else if (!resumed) throw new AppError('NOT_READY', `there is no critic in ${shippedDir}`)

  const sweeping = setInterval(sweep, Math.min(idleMs, 10_000))
  sweeping.unref()

  const now = (): NonNullable<typeof serving> => serving!

  async function promote(version: string): Promise<{ serving: string; previous: string | null }> {
    const before = now().pointer
    if (version === before.version) return { serving: version, previous: before.history[0] ?? null }
    await serve({ version, history: [before.version, ...before.history].slice(0, HISTORY) })
    return { serving: version, previous: before.version }
  }

  return {
    current: () => now().handle,
    get: version => handleOf(version),
    runsOn: () => serving && { device: serving.device, precision: serving.precision },
    dirOf: version => find(version).dir,
    list: () =>
      [...scan().values()].map(({ source, manifest }) => ({
        version: manifest.version,
        serving: manifest.version === serving?.pointer.version,
        source,
        parent: manifest.parent,
        created_at: manifest.created_at,
        metrics: manifest.metrics,
      })),
    promote: version => alone(() => promote(version)),
    succeed: (parent, version) =>
      alone(async () => {
        if (now().pointer.version !== parent && now().pointer.version !== version) return false
        await promote(version)
        return true
      }),
    rollback: () =>
      alone(async () => {
        const before = now().pointer
        const [back, ...history] = before.history
        if (back === undefined) throw new AppError('NO_PARENT', 'Nothing served before this critic.')
        await serve({ version: back, history })
        return { serving: back, previous: before.version }
      }),
    async close() {
      clearInterval(sweeping)
      await Promise.all([...handles.values()].map(handle => handle.stop()))
    },
  }
}

function foldersOf(root: string): string[] {
  try {
    return readdirSync(root, { withFileTypes: true })
      .filter(entry => entry.isDirectory())
      .map(entry => join(root, entry.name))
  } catch {
    return []
  }
}
