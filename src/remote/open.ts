// Makes the critics of the operator's file. Knows no registry; the critics of this service's own are looked up by a function.
import type { Critic, Timing } from '../critic/types.ts'
import { createChat } from '../llm/chat.ts'
import type { Gate } from '../llm/gate.ts'
import type { UpstreamConfig } from '../llm/upstreams.ts'
import { createEnsemble } from './ensemble.ts'
import { createGenerativeCritic } from './generative.ts'
import type { RemoteOptions } from './judging.ts'
import { type CriticSpec, LOCAL } from './specs.ts'
import { createVllmCritic } from './vllm.ts'

export interface RemoteCriticsOptions {
  readonly specs: ReadonlyMap<string, CriticSpec>
  readonly upstreams: ReadonlyMap<string, UpstreamConfig>
  /** Those of the upstreams, where others call them too. */
  readonly gates?: ReadonlyMap<string, Gate>
  /** The critic of that version; null: the one that serves. @throws {AppError} UNKNOWN_CRITIC, NOT_READY */
  readonly local: (version: string | null) => Critic
  readonly onFailed?: (failure: { critic: string; unscored: number; error: unknown }) => void
  readonly onAnswer?: (answer: { critic: string; timing: Timing }) => void
}

/**
 * Critics by name, each for as long as the service runs.
 * @throws Error, for the operator at start, when one names an upstream there is not
 */
export function openRemoteCritics(options: RemoteCriticsOptions): Map<string, Critic> {
  const critics = new Map<string, Critic>()
  for (const [name, spec] of options.specs)
    critics.set(name, spec.kind === 'ensemble' ? openEnsemble(name, spec) : openOne(options, name, spec))

  function openEnsemble(name: string, spec: Extract<CriticSpec, { kind: 'ensemble' }>): Critic {
    const members = spec.members.map(({ critic, weight }) => ({
      name: critic,
      weight,
      critic: () => critics.get(critic) ?? options.local(critic === LOCAL ? null : critic),
    }))
    return createEnsemble({ name, threshold: spec.threshold, bias: spec.bias, members })
  }
  return critics
}

function openOne(
  { upstreams, gates, onFailed, onAnswer }: RemoteCriticsOptions,
  name: string,
  spec: Exclude<CriticSpec, { kind: 'ensemble' }>,
): Critic {
  const { threshold, deadlineMs, concurrency } = spec
  const remote: RemoteOptions = { name, threshold, deadlineMs, concurrency, onFailed, onAnswer }
  if (spec.kind === 'vllm') {
    const { url: baseUrl, model, apiKey, values, batch, separator, system } = spec
    const form = { separator, system }
    return createVllmCritic({ ...remote, baseUrl, model, apiKey, values, batch, form })
  }
  const upstream = upstreams.get(spec.upstream)
  if (upstream === undefined)
    throw new Error(`The critic ${name} names an upstream that is not set (SPAR_LLM_<NAME>_URL).`)
  const chat = createChat({ ...upstream, gate: gates?.get(spec.upstream) })
  const { samples, temperature, maxTokens, examples } = spec
  return createGenerativeCritic({ ...remote, chat, samples, temperature, maxTokens, examples })
}
