// Searches of any method, drawn for property tests, and latencies for them. Asserts nothing.
import fc from 'fast-check'
import { METHOD_NAMES, METHOD_PARAMS, type MethodName } from '../../src/search/params.ts'
import { createRng, seedFor } from '../../src/search/rng.ts'
import type { SearchRequest } from '../../src/search/run.ts'
import type { ProposeRequest } from '../../src/search/types.ts'
import { PROBLEM } from './world.ts'

/** Latencies from 1 to 40 ms that depend on the call and on `seed`. */
export const randomLatency = (seed: number) => (request: ProposeRequest) =>
  1 + Math.floor(createRng(seedFor(seed, [request.seed]))() * 40)

/** Virtual milliseconds a call needs to end once it is aborted. */
export const LINGER_MS = 5

/** Parameters of each method with which it is soon done. */
export const SMALL: Record<MethodName, Record<string, unknown>> = {
  best_of_n: { n: 5 },
  weighted_best_of_n: { n: 5 },
  self_consistency: { n: 5 },
  pairwise: { n: 4 },
  beam: { n: 4, width: 2, lookahead: 1 },
  dvts: { n: 5, width: 2, lookahead: 1 },
  particle: { n: 4 },
  guard: { runs: 3 },
  revise: { runs: 2 },
  plan: { n: 5, plans: 2 },
  mcts: { simulations: 4, width: 3, parallel: 2, rollout: 0.5 },
  auto: { n: 6, width: 2 },
}

/** Methods that an LLM without continuation cannot run. */
export const NEEDS_CONTINUATION = new Set<MethodName>(['beam', 'dvts', 'particle', 'mcts'])

/** Methods that an LLM which does not follow instructions cannot run. */
export const NEEDS_INSTRUCTION = new Set<MethodName>(['pairwise', 'plan'])

/** A request for any method, of a size at which budgets bite. */
export const anyRequest = fc.record({
  method: fc.constantFrom(...METHOD_NAMES),
  seed: fc.nat(),
  canContinue: fc.boolean(),
  concurrency: fc.integer({ min: 1, max: 8 }),
  maxTokens: fc.option(fc.integer({ min: 1, max: 300 }), { nil: undefined }),
  maxCalls: fc.option(fc.integer({ min: 1, max: 30 }), { nil: undefined }),
  tokensPerCall: fc.integer({ min: 1, max: 40 }),
  early_stop: fc.boolean(),
})

type AnyRequest = typeof anyRequest extends fc.Arbitrary<infer R> ? R : never

/** What such a request asks of `runSearch`. */
export function toRequest({
  method,
  seed,
  canContinue,
  concurrency,
  maxTokens,
  maxCalls,
  tokensPerCall,
  early_stop,
}: AnyRequest) {
  const taken: readonly string[] = METHOD_PARAMS[method]
  const varied = { step_max_tokens: tokensPerCall, max_tokens: tokensPerCall, early_stop }
  const given = Object.entries(varied).filter(([name]) => taken.includes(name))
  const request: SearchRequest = {
    problem: PROBLEM,
    method,
    seed,
    threshold: 0.5,
    canContinue: canContinue || NEEDS_CONTINUATION.has(method),
    canInstruct: true,
    params: { ...SMALL[method], ...Object.fromEntries(given), concurrency },
    budget: { maxTokens, maxCalls },
  }
  return request
}
