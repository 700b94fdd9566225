// Words a switch of critics, or a refusal, as an entry of the decision record. Knows neither the registry's work nor the store's.
import type { Pointer, Why } from './critic/pointer.ts'
import type { Origin } from './critic/shelf.ts'
import type { DecisionFacts } from './store/types.ts'

/** When it happens, and a name for an event that has none of its own. */
export interface Happening {
  /** Unix milliseconds. */
  readonly at: number
  readonly id: string
}

/** A switch from the version `from` to where `to` points. A rollback is a decision on the version that goes. */
export function switchFacts(
  from: string,
  to: Pointer,
  why: Why,
  originOf: (version: string) => Origin,
  { at, id }: Happening,
): DecisionFacts {
  const critic = why.kind === 'rollback' ? from : to.version
  const { kind, by, reason, figures = {} } = why
  const served = { before: from, after: to.version }
  return { id: why.id ?? id, at, kind, by, critic, ...served, reason, ...origin(originOf, critic), figures }
}

/** A candidate that did not come to serve, while `serving` did. */
export function refusalFacts(
  critic: string,
  serving: string,
  why: Omit<Why, 'kind'>,
  originOf: (version: string) => Origin,
  { at, id }: Happening,
): DecisionFacts {
  const { by, reason, figures = {} } = why
  const served = { before: serving, after: serving }
  return {
    id: why.id ?? id,
    at,
    kind: 'refusal',
    by,
    critic,
    ...served,
    reason,
    ...origin(originOf, critic),
    figures,
  }
}

/** A critic whose folder is gone or damaged can still be turned away from. */
function origin(originOf: (version: string) => Origin, version: string) {
  try {
    return originOf(version)
  } catch {
    return { data_hash: null, parents: [] }
  }
}
