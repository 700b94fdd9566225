// Remembers searches for a while: those that run without their client, and what was found. Knows no HTTP and no search.
import { AppError } from '../errors.ts'
import type { components } from './api.d.ts'
import type { SearchLimits } from './deps.ts'
import type { Found } from './serve-search.ts'

type Problem = components['schemas']['Problem']

const DEFAULT_LIMITS: SearchLimits = { running: 100, ended: 1000, ageMs: 3_600_000, bytes: 64 * 2 ** 20 }

/** A client's promise that requests under one key are one request. */
export interface Claim {
  readonly key: string
  /** Differs when what is asked differs. */
  readonly print: string
}

interface Begun {
  readonly id: string
  readonly claim?: Claim | undefined
  /** Unix milliseconds. */
  readonly createdAt: number
}

export type KeptSearch = Begun &
  (
    | { readonly state: 'running'; readonly cancel?: (() => void) | undefined }
    | { readonly state: 'done'; readonly endedAt: number; readonly bytes: number; readonly found: Found }
    | { readonly state: 'failed'; readonly endedAt: number; readonly bytes: 0; readonly problem: Problem }
  )

export type Searches = ReturnType<typeof createSearches>

/** The memory of one process; `now` in Unix milliseconds. */
export function createSearches(now: () => number, given: Partial<SearchLimits> = {}) {
  const limits = { ...DEFAULT_LIMITS, ...given }
  // In the order in which they ended, those that run among them: the oldest first.
  const kept = new Map<string, KeptSearch>()
  const claims = new Map<string, string>()

  function forget({ id, claim }: KeptSearch): void {
    kept.delete(id)
    if (claim !== undefined) claims.delete(claim.key)
  }

  function put(search: KeptSearch): void {
    kept.delete(search.id)
    kept.set(search.id, search)
    if (search.claim !== undefined) claims.set(search.claim.key, search.id)
    prune()
  }

  function prune(): void {
    const ended = [...kept.values()].filter(search => search.state !== 'running')
    let bytes = ended.reduce((sum, search) => sum + search.bytes, 0)
    for (const [i, search] of ended.entries()) {
      const isOld = now() - search.endedAt > limits.ageMs
      if (!isOld && ended.length - i <= limits.ended && bytes <= limits.bytes) return
      bytes -= search.bytes
      forget(search)
    }
  }

  function find(id: string): KeptSearch {
    prune()
    const search = kept.get(id)
    if (search === undefined)
      throw new AppError('UNKNOWN_SEARCH', 'GET /search/{id} says how long one is known.')
    return search
  }

  return {
    /** @throws {AppError} UNKNOWN_SEARCH */
    find,

    /** The search that was asked for under this claim before, if any. @throws {AppError} IDEMPOTENCY_MISMATCH */
    claimed({ key, print }: Claim): KeptSearch | undefined {
      prune()
      const search = kept.get(claims.get(key) ?? '')
      if (search !== undefined && search.claim?.print !== print)
        throw new AppError('IDEMPOTENCY_MISMATCH', 'Send another key with another request.')
      return search
    },

    /** Takes up a search that begins. @throws {AppError} OVERLOADED */
    begin(id: string, { cancel, claim }: { cancel?: () => void; claim?: Claim | undefined }): KeptSearch {
      const running = [...kept.values()].filter(search => search.state === 'running').length
      if (running >= limits.running)
        throw new AppError('OVERLOADED', `${running} searches are running.`, {
          retryAfterS: 1,
          limit: 'searches',
        })
      const search = { id, claim, createdAt: now(), state: 'running', cancel } as const
      put(search)
      return search
    },

    /** Keeps what a search found, whether it was taken up or not. */
    keep(found: Found): void {
      const { id } = found.answer
      const { claim, createdAt = found.startedAt } = kept.get(id) ?? {}
      const bytes = JSON.stringify(found).length
      put({ id, claim, createdAt, state: 'done', endedAt: now(), bytes, found })
    },

    /** Keeps why a search failed that was taken up and not forgotten since. */
    fail(id: string, problem: Problem): void {
      const search = kept.get(id)
      if (search === undefined) return
      const { claim, createdAt } = search
      put({ id, claim, createdAt, state: 'failed', endedAt: now(), bytes: 0, problem })
    },

    /** Ends a search that runs and forgets it. @throws {AppError} UNKNOWN_SEARCH */
    remove(id: string): void {
      const search = find(id)
      forget(search)
      if (search.state === 'running') search.cancel?.()
    },

    /** Forgets a search that was taken up and will have no result; its claim is free again. */
    release(id: string): void {
      const search = kept.get(id)
      if (search !== undefined) forget(search)
    },
  }
}
