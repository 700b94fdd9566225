// Which critic serves: lazy workers, promotion and rollback.
// Knows no HTTP and no database; the serving pointer is kept, with the reason of each change, by whoever opens it.
import { AppError } from '../errors.ts'
import { Handle, type RunsOn } from './handle.ts'
import { openArtifact } from './manifest.ts'
import { back, forward, type Pointer, type Why } from './pointer.ts'
import { type Origin, openShelf } from './shelf.ts'
import type { Critic } from './types.ts'
import type { WorkerCritic } from './worker-critic.ts'

export interface RegistryOptions {
  /** Read-only folder of shipped critics, one folder a version. */
  readonly shippedDir: string
  /** Folder of critics trained here. */
  readonly trainedDir: string
  readonly pointer: {
    load(): Promise<Pointer | null>
    /** Only where there is none. */
    save(pointer: Pointer): Promise<void>
    /** Moves it away from the version `from`; false when it is at another by now. */
    move(from: string, to: Pointer, why: Why): Promise<boolean>
  }
  /** Starts a worker for a folder and warms it up. */
  readonly start: (dir: string) => Promise<WorkerCritic>
  /** Milliseconds a worker that does not serve stays up without being asked. */
  readonly idleMs?: number
  readonly onServing?: (version: string) => void
  /** The version that served before is gone or could not be loaded; the newest shipped one serves instead, until a restart. */
  readonly onDamaged?: (version: string, error: unknown) => void
}

/** Which version serves and which served before. */
interface Switched {
  readonly serving: string
  readonly previous: string | null
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
  promote(version: string, why: Why): Promise<Switched>
  /**
   * Promotes what was trained from `parent`, but only while `parent` serves; false when another critic does by now, which the
   * candidate was never compared with.
   */
  succeed(parent: string, version: string, why: Why): Promise<boolean>
  /** Back to what served before. @throws {AppError} NO_PARENT, CRITIC_INVALID */
  rollback(why: Why): Promise<Switched>
  /** Back to what served before `version`, but only while `version` serves; null when another critic does by now. */
  withdraw(version: string, why: Why): Promise<Switched | null>
  /** Serves what the pointer says by now, which another process may have moved. @throws {AppError} UNKNOWN_CRITIC, CRITIC_INVALID */
  follow(): Promise<void>
  /** Starts a critic's worker and keeps it up until the function returned is called. @throws {AppError} UNKNOWN_CRITIC, CRITIC_FAILED */
  hold(version: string): Promise<() => void>
  /** @throws {AppError} UNKNOWN_CRITIC */
  originOf(version: string): Origin
  /** Device of the serving critic and the precision of its matrices; null before there is one. */
  runsOn(): RunsOn | null
  /** Folder of a version. @throws {AppError} UNKNOWN_CRITIC */
  dirOf(version: string): string
  close(): Promise<void>
}

const IDLE_MS = 60_000
/** Workers that may idle: many swaps in a row must not keep as many models in memory. */
const MOST_IDLE = 2

/** Finds the critics, loads the one that serves and resolves when it answers. @throws {AppError} CRITIC_INVALID, NOT_READY when there is none. */
export async function openRegistry(options: RegistryOptions): Promise<Registry> {
  const { shippedDir, trainedDir, pointer, start, idleMs = IDLE_MS } = options
  const shelf = openShelf(shippedDir, trainedDir)
  const handles = new Map<string, Handle>()
  let serving: { pointer: Pointer; handle: Handle } | null = null
  let queue: Promise<unknown> = Promise.resolve()

  function handleOf(version: string): Handle {
    let handle = handles.get(version)
    if (!handle) {
      const { dir, manifest } = shelf.find(version)
      handle = new Handle(manifest, () => start(dir))
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

  /** Warms a version up, then switches to it, unless `commit` says no. */
  async function serve(next: Pointer, commit: () => Promise<boolean> = async () => true): Promise<boolean> {
    openArtifact(shelf.find(next.version).dir) // hashes are checked before every switch
    const handle = handleOf(next.version)
    await handle.worker()
    const isAgreed = await commit().catch(async error => {
      if (serving === null) await handle.stop() // nobody would: the registry does not open
      throw error
    })
    if (!isAgreed) return false
    serving = { pointer: next, handle }
    options.onServing?.(next.version)
    sweep()
    return true
  }

  /** Switches happen one at a time. */
  function alone<T>(task: () => Promise<T>): Promise<T> {
    const result = queue.then(task)
    queue = result.catch(() => {})
    return result
  }

  const saved = await pointer.load()
  const newest = shelf.newestShipped()
  // What served before comes first; a trained critic that was damaged since must not keep the service down. The pointer stays
  // as it is then: the critic may be repaired, or be there on the other machines that share the pointer.
  let resumed = false
  if (saved !== null) {
    try {
      resumed = await serve(saved)
    } catch (error) {
      options.onDamaged?.(saved.version, error)
    }
  }
  if (!resumed && newest !== undefined) {
    const history = (saved?.history ?? []).filter(version => version !== newest)
    const first = { version: newest, history }
    await serve(first, async () => {
      if (saved === null) await pointer.save(first)
      return true
    })
  } else if (!resumed) throw new AppError('NOT_READY', `there is no critic in ${shippedDir}`)

  const sweeping = setInterval(sweep, Math.min(idleMs, 10_000))
  sweeping.unref()

  const now = (): NonNullable<typeof serving> => serving!

  /** What the pointer says now; processes share it. */
  const pointed = async (): Promise<Pointer> => (await pointer.load()) ?? now().pointer

  /** Moves to where `plan` says from what the pointer says, trying again when others move it meanwhile; null when `plan` is. */
  async function move(plan: (before: Pointer) => Pointer | null, why: Why): Promise<Switched | null> {
    for (let tries = 0; tries < 5; tries++) {
      const before = await pointed()
      const next = plan(before)
      if (next === null) return null
      const isStill = next.version === before.version
      if (isStill && now().pointer.version === next.version)
        return { serving: next.version, previous: before.history[0] ?? null }
      if (await serve(next, async () => isStill || pointer.move(before.version, next, why)))
        return { serving: next.version, previous: isStill ? (next.history[0] ?? null) : before.version }
    }
    throw new AppError('NOT_READY', 'Other servers are switching critics at the moment.', { retryAfterS: 1 })
  }

  return {
    current: () => now().handle,
    get: version => handleOf(version),
    runsOn: () => serving?.handle.runsOn ?? null,
    dirOf: version => shelf.find(version).dir,
    list: () =>
      shelf.list().map(({ source, manifest }) => ({
        version: manifest.version,
        serving: manifest.version === serving?.pointer.version,
        source,
        parent: manifest.parent,
        created_at: manifest.created_at,
        metrics: manifest.metrics,
      })),
    promote: (version, why) => alone(async () => (await move(before => forward(before, version), why))!),
    succeed: (parent, version, why) =>
      alone(async () => {
        const plan = (before: Pointer) =>
          [parent, version].includes(before.version) ? forward(before, version) : null
        return (await move(plan, why)) !== null
      }),
    rollback: why => alone(async () => (await move(back, why))!),
    withdraw: (version, why) =>
      alone(() => move(before => (before.version === version ? back(before) : null), why)),
    follow: () =>
      alone(async () => {
        const wanted = await pointed()
        if (wanted.version === now().pointer.version) serving = { ...now(), pointer: wanted }
        else await serve(wanted)
      }),
    hold: version => handleOf(version).hold(),
    originOf: shelf.originOf,
    async close() {
      clearInterval(sweeping)
      await Promise.all([...handles.values()].map(handle => handle.stop()))
    },
  }
}
