// Plain chat with an OpenAI-compatible endpoint: messages in, one reply's text out. Knows neither solutions nor critics.
import { callChat } from './chat-call.ts'
import { createGate, type Gate } from './gate.ts'
import { createManners } from './manners.ts'
import type { ChatMessage } from './prompt.ts'
import { stripThinking } from './reply-text.ts'
import { DEFAULT_RETRY, type RetryPolicy } from './retry.ts'
import { type EndpointOptions, readTarget } from './target.ts'
import type { LlmUsage } from './types.ts'

/** `baseUrl` is the address before `/chat/completions`. */
export interface ChatOptions extends EndpointOptions {
  readonly model: string
  readonly retry?: Partial<RetryPolicy> | undefined
  /** Shared by clients of the same upstream; one of its own when left out. */
  readonly gate?: Gate | undefined
  /** Calls at the same time, of a gate of its own. Default 1000. */
  readonly concurrency?: number | undefined
}

interface ChatAsk {
  readonly messages: readonly ChatMessage[]
  readonly temperature: number
  readonly maxTokens: number
  readonly seed: number
}

interface ChatReply {
  /** Without thoughts. */
  readonly text: string
  /** True when it was cut by `maxTokens`. */
  readonly cut: boolean
  readonly usage: LlmUsage
}

const NEVER = () => false

/** Asks for one reply. @throws {AppError} LLM_* codes; an abort rejects with the signal's reason. */
export type Chat = (ask: ChatAsk, signal: AbortSignal) => Promise<ChatReply>

/** A chat that retries as every call to a model does. @throws {AppError} INVALID_REQUEST when address or key cannot be used */
export function createChat(options: ChatOptions): Chat {
  const line = {
    target: readTarget(options, '/chat/completions'),
    gate: options.gate ?? createGate(options),
    retry: { ...DEFAULT_RETRY, ...options.retry },
    manners: createManners(),
  }
  return async ({ messages, temperature, maxTokens, seed }, signal) => {
    const payload = { model: options.model, temperature, max_tokens: maxTokens, seed }
    const call = {
      prompt: { messages },
      payload,
      maxTokens,
      wantsLogprobs: false,
      wantsStream: false,
      isEnough: NEVER,
    }
    const called = await callChat(line, call, signal)
    if (!called.ok) throw called.error
    const { text, cutByLength, usage } = called.completion
    return { text: stripThinking(text), cut: cutByLength, usage }
  }
}
