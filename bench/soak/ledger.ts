// What the clients of a soak were told, and what of it was wrong, failed or refused. Knows no service.

/** A candidate that a critic scored. */
export interface Scored {
  readonly problem: string
  readonly steps: readonly string[]
  readonly scores: readonly (number | null)[]
}

/** What the traffic log must hold of an answer. */
interface Promised {
  readonly critic: string
  readonly scores: readonly (number | null)[]
}

/** The same input in another batch: float32 sums in another order. */
const TOLERANCE = 1e-4

export interface Ledger {
  requests: number
  broken: number
  /** Milliseconds of every answered request, broken first tries included. */
  readonly ms: number[]
  /** Why, and how often. */
  readonly wrong: Map<string, number>
  readonly failed: Map<string, number>
  readonly refused: Map<string, number>
  /** By the id to give feedback on: what was answered with 200. */
  readonly promised: Map<string, Promised>
  /** Accepted feedback: whether the answer was said to be right. */
  readonly feedback: Map<string, boolean>
  /** Ids whose feedback was counted as unknown, to be said again. */
  readonly unknown: Map<string, boolean>
  /** By version and input, the first scores answered. */
  readonly first: Map<string, Map<string, Scored>>
  /** Notes what the log must hold; wrong when the id was given before. */
  promise(id: string, promised: Promised): void
  /** Notes an answer; wrong, too, when its scores differ from earlier ones of the same version and input. */
  answered(id: string, critic: string, scored: Scored): void
}

export const tally = (counts: Map<string, number>, what: string): void =>
  void counts.set(what, (counts.get(what) ?? 0) + 1)

export const total = (counts: ReadonlyMap<string, number>): number =>
  [...counts.values()].reduce((sum, n) => sum + n, 0)

/** Whether two critics' words on the same steps are the same. */
export const agree = (a: Scored['scores'], b: Scored['scores']): boolean =>
  a.length === b.length &&
  a.every((score, i) => {
    const other = b[i]!
    return score === null || other === null ? score === other : Math.abs(score - other) <= TOLERANCE
  })

export function createLedger(): Ledger {
  const ledger: Ledger = {
    requests: 0,
    broken: 0,
    ms: [],
    wrong: new Map(),
    failed: new Map(),
    refused: new Map(),
    promised: new Map(),
    feedback: new Map(),
    unknown: new Map(),
    first: new Map(),
    promise(id, promised) {
      if (ledger.promised.has(id)) tally(ledger.wrong, 'an id came twice')
      ledger.promised.set(id, promised)
    },
    answered(id, critic, scored) {
      ledger.promise(id, { critic, scores: scored.scores })
      const known = ledger.first.get(critic) ?? new Map<string, Scored>()
      ledger.first.set(critic, known)
      const input = JSON.stringify([scored.problem, scored.steps])
      const before = known.get(input)
      if (before === undefined) known.set(input, scored)
      else if (!agree(before.scores, scored.scores))
        tally(ledger.wrong, `${critic} gave other scores than before`)
    },
  }
  return ledger
}
