// The critic port: what any step critic takes and gives. Knows no HTTP and no model format.
import type { Evidence } from '../answer/types.ts'

export interface CritiqueItem {
  readonly problem: string
  readonly steps: readonly string[]
}

export interface StepScore {
  /** Calibrated P(step is right | problem, steps so far) in [0, 1]; null = unscored (never 0 for a failure). */
  readonly score: number | null
  readonly evidence: readonly Evidence[]
  /** Why there is no score, or which part of it is missing: begins with the code of an error. */
  readonly reason?: string
  /** What a critic that writes said of the step. */
  readonly rationale?: string
}

/** A judged step, shown to a critic that learns from what stands in its prompt. */
export interface JudgedExample {
  readonly problem: string
  /** At least one; the last is the one that was judged. */
  readonly steps: readonly string[]
  readonly right: boolean
  readonly critique: string
}

export interface Critique {
  /** length = item.steps.length */
  readonly steps: readonly StepScore[]
  /** Tokens the critic read for this item. */
  readonly tokens: number
}

/** Where the time of one call of `judge` went, in milliseconds. */
export interface Timing {
  /** All that is not in the other two: waiting for the worker and for the rows of others. */
  readonly queue: number
  /** Reading the items: tokens, number marks, evidence, features. */
  readonly tokenise: number
  /** Runs of the session with rows of this call in them. */
  readonly infer: number
  readonly total: number
}

/** One loaded critic version, or a critic of another kind by name. A running search keeps the one it began with. */
export interface Critic {
  /** e.g. `0.1.0`, or the name of one that runs elsewhere; stable for the life of the object. */
  readonly version: string
  /** τ in [0, 1]: a step is `right` when its score is at least this. */
  readonly threshold: number
  /**
   * Scores every item; results in the order of `items`. `onTiming` is told once, before the results.
   * @throws {AppError} CRITIC_FAILED, OVERLOADED
   */
  judge(
    items: readonly CritiqueItem[],
    signal?: AbortSignal,
    onTiming?: (timing: Timing) => void,
  ): Promise<Critique[]>
  /** The same critic with these examples in its prompt, in place of its own. Left out: it takes none. */
  withExamples?(examples: readonly JudgedExample[]): Critic
}
