// The vocabulary of a search: its world as functions, its events and its result. Knows no LLM client, critic or clock;
// they all come in from outside.
import type { Aggregates } from './aggregate.ts'
import type { TreeNode } from './tree.ts'

/** Tokens and calls an LLM used. */
export interface LlmUsage {
  calls: number
  prompt_tokens: number
  completion_tokens: number
}

/** What the LLM is told in words beside the problem, or in place of solving it. */
export type Aim =
  /** Solve it without the mistake of a step that was refused, and what the critic found in that. */
  | { readonly kind: 'avoid'; readonly step: string; readonly finding: string | null }
  /** Write a short plan for it. */
  | { readonly kind: 'plan' }
  /** Solve it by a plan. */
  | { readonly kind: 'follow'; readonly plan: string }
  /** Which of two solutions is better: `World.verdict` reads the reply. */
  | { readonly kind: 'compare'; readonly first: string; readonly second: string }

export interface ProposeRequest {
  readonly problem: string
  /** Only passed when the LLM `canInstruct`. */
  readonly aim?: Aim
  /** Steps already accepted; empty for a fresh solution. Only passed non-empty when the LLM `canContinue`. */
  readonly steps: readonly string[]
  /** `end`: the whole rest of the solution. `step`: one step only. */
  readonly until: 'step' | 'end'
  readonly temperature: number
  /** Completion tokens at most. */
  readonly maxTokens: number
  /** In [0, 2^31). Passed on to the LLM where it takes one; set by the logical place of the call in its search. */
  readonly seed: number
  /** True when the search can make use of `meanLogprob`. */
  readonly logprobs?: boolean
}

export interface Proposal {
  /** The new text only (no echo of the steps given). Empty and `ended`: the steps given are a whole solution. */
  readonly text: string
  /** True when the LLM ended its solution (end of text), false when it was cut by a stop or by maxTokens. */
  readonly ended: boolean
  /** Mean natural logarithm of the tokens' probabilities, at most 0; null or left out where the LLM does not tell. */
  readonly meanLogprob?: number | null
  readonly usage: LlmUsage
}

/**
 * One LLM call. Must settle soon after an abort: the search waits for it.
 * @throws whatever the LLM client throws, with `usage: LlmUsage` where it has cost tokens all the same; an abort rejects with the signal's reason.
 */
export type Propose = (request: ProposeRequest, signal: AbortSignal) => Promise<Proposal>

/**
 * P(step right) for each step of each path, null where unscored; result[i].length = paths[i].length.
 * Must settle soon after an abort: the search waits for it.
 */
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
  /** What is wrong with a step that was judged, in words; null where the critic can name nothing. */
  readonly finding: (step: string) => string | null
  /** Which of two solutions a comparison found better; null when it does not say. */
  readonly verdict: (text: string) => 'first' | 'second' | null
  /** Milliseconds, monotonic. */
  readonly now: () => number
  /** Resolves after `ms` milliseconds; rejects when aborted. */
  readonly timeout: (ms: number, signal: AbortSignal) => Promise<void>
}

/** `complete`: the method did all it meant to. Else what stopped it, with the best answer so far. */
export type FinishReason = 'complete' | 'budget' | 'deadline'

export interface Usage {
  readonly llm: Readonly<LlmUsage>
  readonly critic: { readonly tokens: number }
}

export interface Candidate {
  readonly solution: string
  readonly steps: readonly string[]
  /** P(step right) in [0, 1], null where unscored; length = steps.length. */
  readonly scores: readonly (number | null)[]
  readonly aggregates: Aggregates
  /** The aggregate the request asked for; null when no step was scored. */
  readonly score: number | null
  /** As written; null when none could be read. */
  readonly answer: string | null
  /** False when the solution was cut off. */
  readonly ended: boolean
  /**
   * What its answer got: votes (one for each simulation or particle that ended in it), or summed scores in a weighted vote.
   * pairwise: the solution's own win rate in [0, 1].
   */
  readonly votes?: number
}

/**
 * What happens during a search. `branch` is the candidate's number for the sampling methods, the run for guard and revise, the
 * node's index in the tree for beam, dvts, particle and mcts; for auto a sample's number, and node i of its tree comes behind
 * the samples. `index` counts steps of that branch from 0. Order of arrival: it may vary with latencies.
 */
export type SearchEvent =
  /** The solution of `branch` begins, and follows plan number `plan`, from 1; number 0 is to follow none. */
  | {
      readonly type: 'plan'
      readonly branch: number
      readonly plan: number
      readonly text: string | null
    }
  | { readonly type: 'step'; readonly branch: number; readonly index: number; readonly text: string }
  /** Scores of the steps from `index` on. */
  | {
      readonly type: 'score'
      readonly branch: number
      readonly index: number
      readonly scores: readonly (number | null)[]
    }
  | { readonly type: 'candidate'; readonly branch: number; readonly candidate: Candidate }
  /** A step that is not followed further; a rejected one may still be taken when no try at it passes. */
  | {
      readonly type: 'prune'
      readonly branch: number
      readonly index: number
      readonly reason: 'rejected' | 'duplicate' | 'outranked' | 'dead'
    }
  /** The choice so far has changed. */
  | {
      readonly type: 'best'
      readonly branch: number
      readonly answer: string | null
      readonly score: number | null
    }
  | { readonly type: 'usage'; readonly usage: Usage }
  /** LLM calls failed: how many so far and the first error. Unchecked: not for the wire as it is. */
  | { readonly type: 'failure'; readonly failed: number; readonly error: unknown }

/** What a method hands back. */
export interface Selection {
  /** In logical order (candidate, run or node number), whatever the latencies. */
  readonly candidates: readonly Candidate[]
  /** Index into candidates; null when there are none. */
  readonly chosen: number | null
  readonly tree?: readonly TreeNode[]
}

export interface SearchResult extends Selection {
  /**
   * Answer of the chosen candidate, as written; null when it has none, when there is no candidate, and when the search abstains
   * because the candidate's score is below `min_confidence`.
   */
  readonly answer: string | null
  /** Null when there is no candidate (a deadline before the first reply). */
  readonly solution: string | null
  readonly steps: readonly string[]
  readonly score: number | null
  readonly finish_reason: FinishReason
  readonly usage: Usage
  /** LLM calls that failed. */
  readonly failed: number
}
