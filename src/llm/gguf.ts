// A GGUF model as an LLM: writes the prompts, reads the texts. Knows no model; the sampler is given.
import type { GgufAsk, GgufText } from './gguf-model.ts'
import { continuationPrompt, freshPrompt, STEP_BREAK } from './prompt.ts'
import { readReply } from './read-reply.ts'
import type { Llm } from './types.ts'
import { GGUF_UPSTREAM } from './upstreams.ts'

/** Writes one text with a local model. An abort rejects with the signal's reason. */
export type GgufSampler = (ask: GgufAsk, signal: AbortSignal) => Promise<GgufText>

/** An LLM over a GGUF model's sampler. What the sampler throws goes through as it is. */
export function createGgufLlm(sample: GgufSampler): Llm {
  return {
    name: GGUF_UPSTREAM,
    canContinue: async () => true,
    canInstruct: true,
    propose: async (request, signal) => {
      signal.throwIfAborted()
      const { steps, until, temperature, maxTokens, seed, logprobs = false } = request
      const { messages } =
        steps.length > 0 ? continuationPrompt('assistant_prefill', request) : freshPrompt(request)
      const stop = until === 'step' ? STEP_BREAK : null
      const written = await sample({ messages, stop, temperature, maxTokens, seed, logprobs }, signal)
      const { text, endedBy, promptTokens, completionTokens, meanLogprob } = written
      const completion = {
        text,
        cutByLength: endedBy === 'length',
        stoppedBy: endedBy === 'length' ? 'unknown' : endedBy,
        usage: { calls: 1, prompt_tokens: promptTokens, completion_tokens: completionTokens },
        meanLogprob,
      } as const
      return readReply(completion, request, stop !== null).reply
    },
  }
}
