// An LLM behind an OpenAI-compatible chat endpoint. Knows neither search nor who gave the address: guard a client's first.
import { callChat, type Line } from './chat-call.ts'
import { type Asked, askAgain, createContinuation } from './continuation.ts'
import { createGate, type Gate } from './gate.ts'
import { createManners, type Manners } from './manners.ts'
import { type ChatPrompt, continuationPrompt, freshPrompt, STEP_BREAK } from './prompt.ts'
import { readReply } from './read-reply.ts'
import { DEFAULT_RETRY, type RetryPolicy } from './retry.ts'
import { createStepWatch } from './step-watch.ts'
import { type EndpointOptions, readTarget } from './target.ts'
import type { ContinuationMode, Llm, LlmRequest, StreamWish } from './types.ts'

/** `baseUrl` is the address before `/chat/completions`, as the endpoint's own documentation gives it (mostly ends in `/v1`). */
export interface OpenAiOptions extends EndpointOptions {
  readonly model: string
  /** Default `auto`: probed at the first continuation. */
  readonly continuation?: ContinuationMode | 'auto' | undefined
  /** Default `auto`. */
  readonly stream?: StreamWish | undefined
  readonly retry?: Partial<RetryPolicy> | undefined
  /** Shared by clients of the same upstream; one of its own when left out. */
  readonly gate?: Gate | undefined
  /** Shared by clients of the same model at the same upstream; of its own when left out. */
  readonly manners?: Manners | undefined
  /** Calls at the same time, of a gate of its own. Default 1000. */
  readonly concurrency?: number | undefined
}

const NEVER = () => false

/**
 * An LLM that samples through `{baseUrl}/chat/completions`. What it learns about the endpoint (continuation mode, use of the stop
 * sequence, what it refuses) goes into its manners: share them, or keep one object per upstream.
 * @throws {AppError} INVALID_REQUEST when the address or the key cannot be used; never quotes either.
 */
export function createOpenAiLlm(options: OpenAiOptions): Llm {
  const { stream = 'auto', manners = createManners() } = options
  const line: Line = {
    target: readTarget(options, '/chat/completions'),
    gate: options.gate ?? createGate(options),
    retry: { ...DEFAULT_RETRY, ...options.retry },
    manners,
  }

  async function ask(prompt: ChatPrompt, request: LlmRequest, signal: AbortSignal): Promise<Asked> {
    const first = await askOnce(prompt, request, manners.emptySteps < 2, signal)
    if (!first.ok || !first.stoppedEarly) {
      if (first.ok && first.reply.text !== '')
        manners.emptySteps = manners.emptySteps < 2 ? 0 : manners.emptySteps
      return first
    }
    manners.emptySteps++
    // Then the step is cut here instead.
    return askAgain(first.reply.usage, () => askOnce(prompt, request, false, signal))
  }

  /** `auto`: where the endpoint would write on behind the step, so that it can be told to end by hanging up. */
  function wantsStream(isStep: boolean, stops: boolean): boolean {
    return stream === 'on' || (stream === 'auto' && isStep && (!stops || manners.writesOn))
  }

  async function askOnce(prompt: ChatPrompt, request: LlmRequest, useStop: boolean, signal: AbortSignal) {
    const isStep = request.until === 'step'
    const stops = useStop && isStep && !manners.refuses.has('stop')
    const payload = {
      model: options.model,
      temperature: request.temperature,
      max_tokens: request.maxTokens,
      // Endpoints differ in the width they take; 31 bits fit all.
      seed: Math.abs(Math.trunc(request.seed)) % 2 ** 31,
      ...(stops ? { stop: [STEP_BREAK] } : {}),
    }
    const call = {
      prompt,
      payload,
      maxTokens: request.maxTokens,
      wantsLogprobs: request.logprobs === true,
      wantsStream: wantsStream(isStep, stops),
      isEnough: isStep ? createStepWatch(request.steps) : NEVER,
    }
    const called = await callChat(line, call, signal)
    if (!called.ok) return called
    const read = readReply(called.completion, request, called.stops)
    if (called.stops && read.wroteOn) manners.writesOn = true
    return { ok: true as const, ...read }
  }

  const continueFrom = createContinuation(
    (mode, request, signal) => ask(continuationPrompt(mode, request), request, signal),
    options.continuation ?? 'auto',
    manners,
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
