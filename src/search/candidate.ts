// A finished solution made ready for the choice, and the choice made ready for the result. Knows no method.
import { type Aggregation, aggregate, logAggregate } from './aggregate.ts'
import type { MethodContext } from './method.ts'
import type { Ballot, Choose } from './pick.ts'
import type { Candidate, SearchEvent, Selection } from './types.ts'

/** Joins steps that were sampled one by one. */
const STEP_SEPARATOR = '\n\n'

/** A candidate with the number its events carry and its ballot. */
export interface Entry extends Ballot {
  readonly branch: number
  readonly candidate: Candidate
}

export interface Draft {
  readonly branch: number
  /** The text as sampled; left out when it was sampled step by step. */
  readonly solution?: string
  readonly steps: readonly string[]
  /** length = steps.length */
  readonly scores: readonly (number | null)[]
  readonly ended: boolean
}

/** Reads the answer of a solution and aggregates its scores. An answer without any canonical form counts as none. */
export function toEntry(draft: Draft, { params, world }: Pick<MethodContext, 'params' | 'world'>): Entry {
  const { branch, steps, scores, ended } = draft
  const aggregation: Aggregation = params.aggregation
  const solution = draft.solution ?? steps.join(STEP_SEPARATOR)
  const written = world.extract(solution)
  const key = written === null ? '' : world.canon(written)
  const aggregates = aggregate(scores)
  const answer = key === '' ? null : written
  const candidate = { solution, steps, scores, aggregates, score: aggregates[aggregation], answer, ended }
  return {
    branch,
    candidate,
    key: key === '' ? null : key,
    logScore: logAggregate(scores, aggregation),
  }
}

/**
 * Entries with the times each was drawn, for methods that come to one solution more than once: counted once each, the many
 * poor ends that a search tries would outvote the good one it keeps coming back to. Where none was drawn they count once.
 */
export function drawn(entries: readonly Entry[], counts: readonly number[]): readonly Entry[] {
  if (counts.every(count => count === 0)) return entries
  return entries.map((entry, i) => ({ ...entry, count: counts[i]! }))
}

/** Makes the final choice; candidates keep their order and get their votes where there was a vote. */
export function select(entries: readonly Entry[], choose: Choose): Selection {
  const { winner, votes } = choose(entries)
  return {
    candidates: entries.map(({ candidate }, i) =>
      votes === null ? candidate : { ...candidate, votes: votes[i]! },
    ),
    chosen: winner,
  }
}

/** Yields `best` when the choice among the candidates so far is another than last time. */
export type BestWatch = (entries: readonly Entry[]) => Generator<SearchEvent>

/** Watches the choice as candidates come in. Give it every candidate so far. */
export function createBestWatch(choose: Choose): BestWatch {
  let last: Entry | null = null
  return function* bestSoFar(entries) {
    const { winner } = choose(entries)
    const entry = winner === null ? null : entries[winner]!
    if (entry === null || entry.branch === last?.branch) return
    last = entry
    const { answer, score } = entry.candidate
    yield { type: 'best', branch: entry.branch, answer, score }
  }
}
