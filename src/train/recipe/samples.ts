// Errors that a real model makes: solutions the built-in solver samples on generated problems, labelled by construction.
// Knows no training.

import { splitSteps } from '../../answer/split.ts'
import type { SolverModel } from '../../critic/solver-model.ts'
import type { Example } from '../data/example.ts'
import type { GeneratedProblem } from '../problems/types.ts'
import { labelledSample } from './built-in.ts'

export interface SampleOptions {
  readonly perProblem: number
  readonly temperature: number
  readonly maxTokens: number
  readonly seed: number
  readonly signal?: AbortSignal
  readonly onProblem?: (done: number) => void
}

/** All samples of one problem. */
export interface ProblemSamples {
  readonly problem: GeneratedProblem
  readonly samples: readonly Example[]
}

/** Samples every problem and labels each step; unfinished samples are kept, as outcome 0. */
export async function sampleProblems(
  solver: SolverModel,
  problems: readonly GeneratedProblem[],
  options: SampleOptions,
): Promise<ProblemSamples[]> {
  const all: ProblemSamples[] = []
  for (const [i, problem] of problems.entries()) {
    options.signal?.throwIfAborted()
    const requests = Array.from({ length: options.perProblem }, (_, k) => ({
      until: 'end' as const,
      temperature: options.temperature,
      maxTokens: options.maxTokens,
      seed: options.seed + i * options.perProblem + k,
    }))
    const texts = await solver.sample(problem.problem, [], requests)
    const samples = texts.flatMap(({ text }) => {
      const steps = splitSteps(text).map(step => step.text)
      return steps.length > 0 ? [labelledSample(problem, steps)] : []
    })
    all.push({ problem, samples })
    options.onProblem?.(i + 1)
  }
  return all
}
