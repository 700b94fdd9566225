// The world of a search, as functions. Imports nothing: the LLM, the critic, the clock and chance all come in from outside.

/** Tokens and calls an LLM used. */
export interface LlmUsage {
  calls: number
  prompt_tokens: number
  completion_tokens: number
}

export interface ProposeRequest {
  readonly problem: string
  /** Steps already accepted; empty for a fresh solution. Only passed non-empty when the LLM `canContinue`. */
  readonly steps: readonly string[]
  /** `end`: the whole rest of the solution. `step`: one step only. */
  readonly until: 'step' | 'end'
  readonly temperature: number
  /** Completion tokens at most. */
  readonly maxTokens: number
  /** Passed on to the LLM where it takes one; differs for every call of a search. */
  readonly seed: number
}

export interface Proposal {
  /** The new text only (no echo of the steps given). */
  readonly text: string
  /** True when the LLM ended its solution (end of text), false when it was cut by a stop or by maxTokens. */
  readonly ended: boolean
  readonly usage: LlmUsage
}

/** One LLM call. @throws whatever the LLM client throws; an abort rejects with the signal's reason. */
export type Propose = (request: ProposeRequest, signal: AbortSignal) => Promise<Proposal>

/** P(step right) for each step of each path, null where unscored; result[i].length = paths[i].length. */
export type Judge = (
  problem: string,
  paths: readonly (readonly string[])[],
  signal: AbortSignal,
) => Promise<{ scores: (number | null)[][]; tokens: number }>

export interface World {
  readonly propose: Propose
  readonly judge: Judge
  /** Splits solution text into steps. */
  readonly split: (text: string) => string[]
  /** Final answer of a solution, as written, or null when there is none. */
  readonly extract: (solution: string) => string | null
  /** Canonical form of an answer: equal answers have equal canonical forms. */
  readonly canon: (answer: string) => string
  /** Milliseconds, monotonic. */
  readonly now: () => number
}
