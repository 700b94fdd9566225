// The LLM port: sampling solutions and continuing partial ones. Structurally satisfies search's `Propose`; knows no search.

import type { SpoilTask } from './spoil.ts'

export interface LlmUsage {
  /** Completions the LLM gave; a refused or retried call that gave none is not counted. */
  calls: number
  prompt_tokens: number
  completion_tokens: number
  /** True when the upstream reported no readable usage and the tokens are a guess (characters / 4). */
  estimated?: boolean
}

/** What is told in words beside the problem, or in place of solving it (see prompt.ts). */
type Aim =
  /** Solve it without the mistake of `step`; `finding` says what is wrong there. */
  | { readonly kind: 'avoid'; readonly step: string; readonly finding: string | null }
  /** Write a short plan. */
  | { readonly kind: 'plan' }
  /** Solve it by a plan. */
  | { readonly kind: 'follow'; readonly plan: string }
  /** Which of two solutions is better. */
  | { readonly kind: 'compare'; readonly first: string; readonly second: string }
  /** A wrong step made from a right one (see spoil.ts). */
  | ({ readonly kind: 'spoil' } & SpoilTask)
  /** Which step of a solution is the first wrong one (see locate.ts). */
  | { readonly kind: 'locate'; readonly solution: readonly string[] }

export interface LlmRequest {
  readonly problem: string
  /** Left out: a solution. Only for an LLM that `canInstruct`. */
  readonly aim?: Aim
  /** Steps the answer must go on from; empty for a fresh solution. */
  readonly steps: readonly string[]
  readonly until: 'step' | 'end'
  readonly temperature: number
  readonly maxTokens: number
  readonly seed: number
  /** True when the asker can make use of `meanLogprob`. */
  readonly logprobs?: boolean
}

export interface LlmReply {
  readonly text: string
  readonly ended: boolean
  /** Mean natural logarithm of the probabilities of the tokens written; null where not told. Only where it was asked for. */
  readonly meanLogprob?: number | null
  readonly usage: LlmUsage
}

export interface Llm {
  /** Name for logs and replies: the upstream's name or the model. */
  readonly name: string
  /** True when a partial answer can be continued, so that step-wise methods can run. May have to ask the endpoint once. */
  canContinue(signal: AbortSignal): Promise<boolean>
  /** True when it follows an `aim`, as a chat model does. Left out: no. */
  readonly canInstruct?: boolean
  /** @throws {AppError} LLM_* codes; an abort rejects with the signal's reason. */
  propose(request: LlmRequest, signal: AbortSignal): Promise<LlmReply>
}

/** How a partial answer is put to an endpoint so that it goes on from there (see prompt.ts). */
export type ContinuationMode = 'continue_final_message' | 'prefix' | 'assistant_prefill' | 'prompted'

/** Which calls are streamed: none, all, or those for one step to endpoints that write on behind it. */
export type StreamWish = 'off' | 'on' | 'auto'
