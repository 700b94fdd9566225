// Which language model a request means: the built-in solver, a GGUF file, a named upstream, or an address the client gives.
// Knows no search.
import { AppError } from './errors.ts'
import { createBuiltinLlm, type Sampler } from './llm/builtin.ts'
import { createExchange } from './llm/exchange.ts'
import { createGate, type Gate, gatesOf } from './llm/gate.ts'
import { createGgufLlm, type GgufSampler } from './llm/gguf.ts'
import { type GuardOptions, guardLookup } from './llm/guard-lookup.ts'
import { createManners, type Manners } from './llm/manners.ts'
import { createOpenAiLlm } from './llm/openai.ts'
import type { Llm } from './llm/types.ts'
import { BUILTIN_UPSTREAM, GGUF_UPSTREAM, type UpstreamConfig } from './llm/upstreams.ts'
import { type AllowedHosts, guardUrl } from './llm/url-guard.ts'

export interface LlmsOptions {
  readonly upstreams: ReadonlyMap<string, UpstreamConfig>
  /** Those of the named upstreams, where others call them too. */
  readonly gates?: ReadonlyMap<string, Gate> | undefined
  readonly allowedHosts: AllowedHosts
  /** For addresses that clients give. */
  readonly guard: GuardOptions
  readonly sampler: Sampler
  /** Left out where there is no GGUF file. */
  readonly gguf?: GgufSampler | undefined
  /** Name of the upstream that is meant where none is named. */
  readonly first: string
}

type Spec = ({ readonly upstream: string } | { readonly base_url: string; readonly model: string }) & {
  /** Overrides the upstream's setting for this request; for an address, which has none, the default is `auto`. */
  readonly stream?: boolean | undefined
}

/** One client object for each named upstream, a new one for each address a client gives. */
export function createLlms({ upstreams, gates = gatesOf(upstreams), ...options }: LlmsOptions): {
  readonly names: readonly string[]
  resolve(spec: Spec, apiKey?: string): Llm
} {
  const { allowedHosts, guard, sampler, gguf, first } = options
  const local = new Map([[BUILTIN_UPSTREAM, createBuiltinLlm(sampler)]])
  if (gguf) local.set(GGUF_UPSTREAM, createGgufLlm(gguf))
  const guarded = createExchange(guardLookup(guard))
  const shared = new Map(
    [...upstreams].map(([name, config]) => {
      const line = { ...config, gate: gates.get(name), manners: createManners() }
      return [name, { line, llm: createOpenAiLlm(line) }]
    }),
  )
  const lineOf = createLines()
  const names = [...new Set([first, ...local.keys(), ...upstreams.keys()])]
  return {
    names,
    resolve(spec, apiKey) {
      const asked = {
        ...(apiKey && { apiKey }),
        ...(spec.stream !== undefined && { stream: spec.stream ? ('on' as const) : ('off' as const) }),
      }
      if ('base_url' in spec) {
        const baseUrl = guardUrl(spec.base_url, allowedHosts).href
        return createOpenAiLlm({
          name: spec.model,
          baseUrl,
          model: spec.model,
          exchange: guarded,
          ...lineOf(baseUrl, spec.model),
          ...asked,
        })
      }
      const here = local.get(spec.upstream)
      if (here) return here
      const named = shared.get(spec.upstream)
      if (!named) {
        throw new AppError(
          'UNKNOWN_UPSTREAM',
          `There is no upstream of that name; there are: ${names.join(', ')}.`,
        )
      }
      // A client's own key replaces the configured one, for this request only.
      return Object.keys(asked).length > 0 ? createOpenAiLlm({ ...named.line, ...asked }) : named.llm
    },
  }
}

/** How many of the endpoints that clients gave are remembered, those not used for longest forgotten first. */
const MOST_LINES = 1000

interface Line {
  readonly gate: Gate
  readonly manners: Manners
}

/**
 * What is shared by the requests to the endpoints that clients give, one for each model there: what fails for one of them must not stop
 * another, and what was found out of one need not be found out at each request.
 */
function createLines(): (baseUrl: string, model: string) => Line {
  const lines = new Map<string, Line>()
  return (baseUrl, model) => {
    const key = JSON.stringify([baseUrl, model])
    const line = lines.get(key) ?? { gate: createGate({ name: model }), manners: createManners() }
    lines.delete(key)
    lines.set(key, line)
    const [oldest] = lines.keys()
    if (lines.size > MOST_LINES) lines.delete(oldest!)
    return line
  }
}
