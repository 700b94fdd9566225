// Scores live critiques a second time with a candidate, off the request path: a short line, dropped when it is full. Knows no store.
import type { Critic, Critique, CritiqueItem } from '../critic/types.ts'
import { count, EMPTY_TALLY, MOST_PAIRS, type Tally } from './tally.ts'

/** A critique that was answered. */
export interface Answered {
  readonly items: readonly CritiqueItem[]
  readonly found: readonly Critique[]
  readonly threshold: number
  /** How long the serving critic took. */
  readonly ms: number
}

export interface Comparer {
  /** Takes a critique in, or drops it; returns at once and never throws. */
  offer(answered: Answered): void
  tally(): Tally
  /** Ends the call in progress; nothing is compared any more. */
  close(): Promise<void>
}

/** Critiques that wait. */
const MOST_WAITING = 4

/** Compares one critique after the other with `candidate`. `now` in milliseconds, monotonic. */
export function createComparer(candidate: Critic, now: () => number): Comparer {
  const waiting: Answered[] = []
  const closing = new AbortController()
  let tally = EMPTY_TALLY
  let working: Promise<void> | null = null

  async function work(): Promise<void> {
    for (let next = waiting.shift(); next && !closing.signal.aborted; next = waiting.shift()) {
      const start = now()
      try {
        const found = await candidate.judge(next.items, closing.signal)
        add(next, found, now() - start)
      } catch {
        if (!closing.signal.aborted) tally = { ...tally, candidate: count(tally.candidate, 'error') }
      }
    }
    working = null
  }

  function add({ items, found, threshold, ms }: Answered, again: readonly Critique[], msAgain: number): void {
    let { compared, flips } = tally
    const pairs: [number, number][] = []
    for (const [i] of items.entries())
      for (const [k, { score: was }] of found[i]!.steps.entries()) {
        const is = again[i]?.steps[k]?.score ?? null
        if (was === null || is === null) continue
        pairs.push([was, is])
        compared++
        if (was >= threshold !== is >= candidate.threshold) flips++
      }
    const tokens = (of: readonly Critique[]) => of.reduce((sum, critique) => sum + critique.tokens, 0)
    tally = {
      ...tally,
      serving: count(tally.serving, { ms, tokens: tokens(found), scores: pairs.map(([was]) => was) }),
      candidate: count(tally.candidate, {
        ms: msAgain,
        tokens: tokens(again),
        scores: pairs.map(([, is]) => is),
      }),
      pairs: [...tally.pairs, ...pairs].slice(-MOST_PAIRS),
      compared,
      flips,
    }
  }

  return {
    offer(answered) {
      if (closing.signal.aborted) return
      if (waiting.length >= MOST_WAITING) tally = { ...tally, dropped: tally.dropped + 1 }
      else waiting.push(answered)
      working ??= new Promise<void>(resolve => setImmediate(resolve)).then(work)
    },
    tally: () => tally,
    async close() {
      closing.abort(new DOMException('nothing is compared any more', 'AbortError'))
      await working
    },
  }
}
