// An LLM behind an OpenAI-compatible chat endpoint. Knows neither search nor who gave the address: guard a client's first.
import { addUsage, readCompletion } from './completion.ts'
import { type Asked, createContinuation, rejectsTheForm } from './continuation.ts'
import { createGate, type Gate } from './gate.ts'
import { postJson } from './post.ts'
import { type ChatPrompt, continuationPrompt, freshPrompt, STEP_BREAK } from './prompt.ts'
import { readReply } from './read-reply.ts'
import { DEFAULT_RETRY, type RetryPolicy, withRetries } from './retry.ts'
import { type EndpointOptions, readTarget } from './target.ts'
import type { ContinuationMode, Llm, LlmRequest } from './types.ts'

/** `baseUrl` is the address before `/chat/completions`, as the endpoint's own documentation gives it (mostly ends in `/v1`). */
export interface OpenAiOptions extends EndpointOptions {
  readonly model: string
  /** Default `auto`: probed at the first continuation. */
  readonly continuation?: ContinuationMode | 'auto' | undefined
  readonly retry?: Partial<RetryPolicy> | undefined
  /** Shared by clients of the same upstream; one of its own when left out. */
  readonly gate?: Gate | undefined
  /** Calls at the same time, of a gate of its own. Default 1000. */
  readonly concurrency?: number | undefined
}

/**
 * An LLM that samples through `{baseUrl}/chat/completions`. What it learns about the endpoint (continuation mode, use of
 * the stop sequence, whether it gives log-probabilities) lives as long as the object: keep one per upstream.
 * @throws {AppError} INVALID_REQUEST when the address or the key cannot be used; never quotes either.
 */
export function createOpenAiLlm(options: OpenAiOptions): Llm {
  const target = readTarget(options, '/chat/completions')
  const retry = { ...DEFAULT_RETRY, ...options.retry }
  const gate = options.gate ?? createGate(options)
  // How often in a row the stop sequence ended a step before its first word. Some chat templates trim the break that the
  // partial answer ends with (Llama 3), and some models think in paragraphs first: then the step is cut here instead.
  let emptySteps = 0
  let refusesLogprobs = false

  async function ask(prompt: ChatPrompt, request: LlmRequest, signal: AbortSignal): Promise<Asked> {
    const first = await askOnce(prompt, request, emptySteps < 2, signal)
    if (!first.ok || !first.stoppedEarly) {
      if (first.ok && first.reply.text !== '') emptySteps = emptySteps < 2 ? 0 : emptySteps
      return first
    }
    emptySteps++
    const second = await askOnce(prompt, request, false, signal)
    if (!second.ok) return second
    return { ...second, reply: { ...second.reply, usage: addUsage(first.reply.usage, second.reply.usage) } }
  }

  async function askOnce(prompt: ChatPrompt, request: LlmRequest, useStop: boolean, signal: AbortSignal) {
    const stops = useStop && request.until === 'step'
    const payload = {
      model: options.model,
      ...prompt,
      temperature: request.temperature,
      max_tokens: request.maxTokens,
      // Endpoints differ in the width they take; 31 bits fit all.
      seed: Math.abs(Math.trunc(request.seed)) % 2 ** 31,
      ...(stops ? { stop: [STEP_BREAK] } : {}),
    }
    const post = (more: { readonly logprobs?: true }) =>
      gate.pass(
        () =>
          withRetries(() => postJson(target, { ...payload, ...more }, signal), retry, signal, gate.takeRetry),
        signal,
      )
    const asksLogprobs = request.logprobs === true && !refusesLogprobs
    let outcome = await post(asksLogprobs ? { logprobs: true } : {})
    if (asksLogprobs && !outcome.ok && rejectsTheForm(outcome.status)) {
      outcome = await post({})
      // Kept only once it has worked: what was rejected may be something else.
      if (outcome.ok) refusesLogprobs = true
    }
    if (!outcome.ok) return outcome
    const completion = readCompletion(outcome.body, options.name, prompt.messages)
    return { ok: true as const, ...readReply(completion, request, stops) }
  }

  const continueFrom = createContinuation(
    (mode, request, signal) => ask(continuationPrompt(mode, request), request, signal),
    options.continuation ?? 'auto',
  )

  return {
    name: options.name,
    // Any chat model can be continued by prompt, the last of the modes.
    canContinue: async () => true,
    canInstruct: true,
    propose: async (request, signal) => {
      signal.throwIfAborted()
      if (request.steps.length > 0) return continueFrom(request, signal)
      const asked = await ask(freshPrompt(request), request, signal)
      if (!asked.ok) throw asked.error
      return asked.reply
    },
  }
}
