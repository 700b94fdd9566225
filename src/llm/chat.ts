// Plain chat with an OpenAI-compatible endpoint: messages in, one reply's text out. Knows neither solutions nor critics.
import { readCompletion } from './completion.ts'
import { createGate, type Gate } from './gate.ts'
import { postJson } from './post.ts'
import type { ChatMessage } from './prompt.ts'
import { stripThinking } from './reply-text.ts'
import { DEFAULT_RETRY, type RetryPolicy, withRetries } from './retry.ts'
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

/** Asks for one reply. @throws {AppError} LLM_* codes; an abort rejects with the signal's reason. */
export type Chat = (ask: ChatAsk, signal: AbortSignal) => Promise<ChatReply>

/** A chat that retries as every call to a model does. @throws {AppError} INVALID_REQUEST when address or key cannot be used */
export function createChat(options: ChatOptions): Chat {
  const target = readTarget(options, '/chat/completions')
  const retry = { ...DEFAULT_RETRY, ...options.retry }
  const gate = options.gate ?? createGate(options)
  return async ({ messages, temperature, maxTokens, seed }, signal) => {
    const payload = { model: options.model, messages, temperature, max_tokens: maxTokens, seed }
    const post = () => postJson(target, payload, signal)
    const outcome = await gate.pass(() => withRetries(post, retry, signal, gate.takeRetry), signal)
    if (!outcome.ok) throw outcome.error
    const { text, cutByLength, usage } = readCompletion(outcome.body, {
      name: options.name,
      messages,
      maxTokens,
    })
    return { text: stripThinking(text), cut: cutByLength, usage }
  }
}
