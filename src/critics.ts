// Which critic a request means: the local one that serves, a local version, or a further critic by name. Knows no HTTP.
import type { Why } from './critic/pointer.ts'
import type { Registry } from './critic/registry.ts'
import type { Critic } from './critic/types.ts'
import { type CriticSpec, LOCAL } from './remote/specs.ts'
import type { Critics, NamedCritic, Routed } from './server/deps.ts'

export interface CriticsOptions {
  /** @throws {AppError} NOT_READY while the local critic loads */
  readonly registry: () => Registry
  /** The local critic for a client: the one that serves, or a candidate for its share of clients. */
  readonly route: (serving: Critic, client: string) => Routed
  /** Further critics by name. */
  readonly remote: ReadonlyMap<string, Critic>
  readonly specs: ReadonlyMap<string, CriticSpec>
  /** Name of the one for requests that name none; null for the local one. */
  readonly first: string | null
}

/** What is done with local versions (promotion, rollback) is the registry's; further critics are there or not. */
export function createCritics({ registry, route, remote, specs, first }: CriticsOptions): Critics {
  return {
    criticFor: (client: string): Routed =>
      first === null ? route(registry().current(), client) : { critic: remote.get(first)!, fallback: null },
    get: (name: string): Critic =>
      remote.get(name) ?? (name === LOCAL ? registry().current() : registry().get(name)),
    /** Further critics first, then local versions. */
    named(): NamedCritic[] {
      const further = [...remote].map(([name, critic]) => ({
        name,
        kind: specs.get(name)!.kind,
        default: name === first,
        takes_examples: critic.withExamples !== undefined,
      }))
      const local = registry()
        .list()
        .map(({ version, serving }) => ({
          name: version,
          kind: 'local' as const,
          default: serving && first === null,
          takes_examples: false,
        }))
      return [...further, ...local]
    },
    list: () => registry().list(),
    promote: (version: string, requestId: string) =>
      registry().promote(version, byHand('promotion', 'Promoted by hand.', requestId)),
    rollback: (requestId: string) =>
      registry().rollback(byHand('rollback', 'Rolled back by hand.', requestId)),
  }
}

const byHand = (kind: Why['kind'], reason: string, requestId: string): Why => ({
  kind,
  by: 'admin',
  reason,
  figures: { request_id: requestId },
})
