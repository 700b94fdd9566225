// Errors that real models made, with known truth: samples on fresh generated problems, labelled by what the construction knows.
// Knows no round and no critic's weights.
import { splitSteps } from '../../answer/split.ts'
import type { SolverModel } from '../../critic/solver-model.ts'
import type { Llm } from '../../llm/types.ts'
import type { Example } from '../data/example.ts'
import type { StepJudge } from '../eval/judge.ts'
import { auc, balancedStepAccuracy, calibrationError, labelledSteps } from '../eval/metrics.ts'
import { generateProblems, labelledSample } from '../recipe/built-in.ts'
import { createRng } from '../rng.ts'
import { generatedYardstick } from './memory.ts'

/** One model's solutions of held-out problems. Steps whose truth the construction does not tell are unlabelled. */
export interface Writer {
  readonly name: string
  readonly examples: readonly Example[]
}

export interface SampleCounts {
  readonly problems: number
  /** Solutions of each. */
  readonly n: number
  readonly seed: number
}

/** How a critic reads one writer's steps, in percent; NaN when right or wrong steps are missing. */
export interface RealErrorFigures {
  /** At the critic's own τ. */
  readonly step_accuracy: number
  readonly step_auc: number
  /** In [0, 1]. */
  readonly ece: number
}

/** The built-in solver as a writer. @throws the signal's reason when aborted */
export async function solverWriter(
  solver: SolverModel,
  counts: SampleCounts,
  signal?: AbortSignal,
): Promise<Writer> {
  return { name: 'built-in solver', examples: (await generatedYardstick(solver, counts, signal)).examples }
}

/** A language model as a writer, on the same problems. @throws {AppError} LLM_* codes; the signal's reason when aborted */
export async function llmWriter(
  llm: Llm,
  { problems, n, seed }: SampleCounts,
  signal: AbortSignal,
): Promise<Writer> {
  const fresh = generateProblems(createRng(seed).fork('lab'), problems, 'heldout')
  const examples: Example[] = []
  for (const [i, problem] of fresh.entries()) {
    const asked = Array.from({ length: n }, (_, k) =>
      llm.propose(
        {
          problem: problem.problem,
          steps: [],
          until: 'end',
          temperature: 0.8,
          maxTokens: 512,
          seed: seed * 1_000_003 + i * n + k,
        },
        signal,
      ),
    )
    for (const { text } of await Promise.all(asked)) {
      const steps = splitSteps(text).map(step => step.text)
      if (steps.length > 0) examples.push(labelledSample(problem, steps))
    }
  }
  return { name: llm.name, examples }
}

/** Measures a critic on a writer. @throws the signal's reason when aborted */
export async function readWriter(
  judge: StepJudge,
  { examples }: Writer,
  signal?: AbortSignal,
): Promise<RealErrorFigures> {
  const judged = labelledSteps(examples, await judge.judge(examples, signal))
  return {
    step_accuracy: 100 * balancedStepAccuracy(judged, judge.threshold ?? 0.5),
    step_auc: 100 * auc(judged),
    ece: calibrationError(judged),
  }
}
