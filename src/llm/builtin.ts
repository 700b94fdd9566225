// The built-in solver as an LLM: an adapter from a sampler function. Knows no model; the sampler is given.
import type { Llm, LlmRequest } from './types.ts'
import { BUILTIN_UPSTREAM } from './upstreams.ts'

/** What a sampler gives: only the new text, and whether the model ended its solution. */
interface Sample {
  readonly text: string
  readonly ended: boolean
  readonly promptTokens: number
  readonly completionTokens: number
}

/** Samples one continuation from a local model. An abort rejects with the signal's reason. */
export type Sampler = (request: LlmRequest, signal: AbortSignal) => Promise<Sample>

/** An LLM over a local sampler. What the sampler throws goes through as it is. */
export function createBuiltinLlm(sample: Sampler): Llm {
  return {
    name: BUILTIN_UPSTREAM,
    canContinue: async () => true,
    propose: async (request, signal) => {
      signal.throwIfAborted()
      const { text, ended, promptTokens, completionTokens } = await sample(request, signal)
      signal.throwIfAborted()
      return {
        text,
        ended,
        usage: { calls: 1, prompt_tokens: promptTokens, completion_tokens: completionTokens },
      }
    },
  }
}
