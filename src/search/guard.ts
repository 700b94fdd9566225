// The SPC guard: what the critic refuses is sampled again; several guarded runs vote (research/algorithms.md, b11).
// Chooses its form by what the LLM can do.
import { guardSteps } from './guard-steps.ts'
import type { Method } from './method.ts'
import { revise } from './revise.ts'

/**
 * Step by step where the LLM can continue a partial answer, else by whole solutions. A step (a solution) is accepted when
 * its score (every score) is at least `threshold`; after `regenerations` further tries the best try is accepted.
 */
export const guard: Method = context => (context.canContinue ? guardSteps(context) : revise(context))
