// Scores the rows of many requests together: a batch from whoever waits, packed into runs, answered as each run ends.
// Knows no thread and no session; there is no timer: the first request that comes is scored at once.
import { setImmediate as afterInput } from 'node:timers/promises'
import type { Job, Planned } from './plan.ts'
import type { Prepared, Scorer } from './scorer.ts'
import { Turns } from './turns.ts'
import type { Critique, CritiqueItem, Timing } from './types.ts'

/** What one run did; no row of it needed the session where `tokens` is 0. */
export interface Ran {
  readonly rows: number
  /** Of the rows, those that ran, without padding. */
  readonly tokens: number
  /** Of the rows, those that the prefix cache knew. */
  readonly cachedTokens: number
  /** Requests that have all their scores now. */
  readonly scored: readonly Scored[]
}

export interface Scored {
  readonly id: number
  readonly results: readonly Critique[]
  readonly timing: Pick<Timing, 'tokenise' | 'infer'>
}

export interface BatcherOptions {
  readonly scorer: Pick<Scorer, 'prepare' | 'plan' | 'run'>
  /** Tokens taken from the requests at a time; between two such batches every request has its turn. */
  readonly batchTokens: number
  readonly onRan: (ran: Ran) => void
  readonly onFailed: (id: number, error: unknown) => void
}

export interface Batcher {
  /** `id` is new. */
  add(id: number, items: readonly CritiqueItem[]): void
  /** Its client has gone: what was not run yet never is, and nothing is told. */
  leave(id: number): void
  /** Resolves when nothing is left to do. */
  idle(): Promise<void>
}

interface Waiting {
  readonly id: number
  readonly prepared: Prepared[]
  /** Items that were not read yet, and rows that were not run yet. */
  left: number
  tokenise: number
  infer: number
}

/** A job with the request that it is a part of. */
interface Part extends Job {
  readonly request: Waiting
}

export function createBatcher({ scorer, batchTokens, onRan, onFailed }: BatcherOptions): Batcher {
  const turns = new Turns<Part>()
  const open = new Map<number, Waiting>()
  let working: Promise<void> | null = null

  function finish(request: Waiting): Scored {
    const { id, prepared, tokenise, infer } = request
    close(id)
    return { id, results: prepared.map(item => item.critique()), timing: { tokenise, infer } }
  }

  function fail({ id }: Waiting, error: unknown): void {
    close(id)
    onFailed(id, error)
  }

  function close(id: number): void {
    open.delete(id)
    turns.remove(id)
  }

  /** Reads an item when its first row is taken: the text of a long request does not hold up the others. */
  function* rowsOf(request: Waiting, items: readonly CritiqueItem[]): Generator<Part, void> {
    try {
      for (const item of items) {
        const start = performance.now()
        const prepared = scorer.prepare(item)
        request.tokenise += performance.now() - start
        request.prepared.push(prepared)
        request.left += prepared.jobs.length - 1
        for (const job of prepared.jobs) yield { ...job, request }
      }
      // Items without steps have no rows, so that no run finishes a request of nothing else.
      if (request.left === 0 && open.has(request.id))
        onRan({ rows: 0, tokens: 0, cachedTokens: 0, scored: [finish(request)] })
    } catch (error) {
      fail(request, error)
    }
  }

  const isOpen = ({ job: { request } }: Planned<Part>): boolean => open.get(request.id) === request

  async function run(rows: readonly Planned<Part>[]): Promise<void> {
    const start = performance.now()
    try {
      await scorer.run(rows)
    } catch (error) {
      if (rows.length === 1) fail(rows[0]!.job.request, error)
      // Requests that were run together must not fail for one another: each row is tried once more, alone.
      else for (const row of rows) if (isOpen(row)) await run([row])
      return
    }
    const ms = performance.now() - start
    const requests = rows.map(({ job }) => job.request)
    for (const request of requests) request.left--
    for (const request of new Set(requests)) request.infer += ms
    const done = new Set(
      rows.filter(row => isOpen(row) && row.job.request.left === 0).map(row => row.job.request),
    )
    const sum = (of: 'length' | 'past') => rows.reduce((total, row) => total + row[of], 0)
    onRan({
      rows: rows.length,
      tokens: sum('length'),
      cachedTokens: sum('past'),
      scored: [...done].map(finish),
    })
  }

  async function work(): Promise<void> {
    while (!turns.empty) {
      await afterInput() // whatever has come meanwhile takes part
      const batch = turns.take(batchTokens, ({ row }) => row.tokens.length)
      for (const rows of scorer.plan(batch)) {
        const wanted = rows.filter(isOpen)
        if (wanted.length > 0) await run(wanted)
      }
    }
    working = null
  }

  return {
    add(id, items) {
      const request: Waiting = { id, prepared: [], left: items.length, tokenise: 0, infer: 0 }
      open.set(id, request)
      turns.add(id, rowsOf(request, items))
      working ??= work()
    },
    leave: close,
    async idle() {
      await working
    },
  }
}
