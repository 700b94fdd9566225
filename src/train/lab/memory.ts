// What a critic must not forget while it learns its traffic: steps of other kinds with known truth. Knows no service and no round.
import type { SolverModel } from '../../critic/solver-model.ts'
import { isHeldBack, prm800kSolutions } from '../data/corpora.ts'
import type { Example } from '../data/example.ts'
import type { StepJudge } from '../eval/judge.ts'
import { auc, labelledSteps } from '../eval/metrics.ts'
import { generateProblems } from '../recipe/built-in.ts'
import { sampleProblems } from '../recipe/samples.ts'
import { createRng } from '../rng.ts'

/** Labelled solutions that no critic is trained on. */
export interface Yardstick {
  readonly name: 'generated' | 'prm800k'
  readonly examples: readonly Example[]
}

/** What the built-in solver makes of fresh problems from the generator's held-out side; the construction knows which steps are wrong. */
export async function generatedYardstick(
  solver: SolverModel,
  { problems, n, seed }: { readonly problems: number; readonly n: number; readonly seed: number },
  signal?: AbortSignal,
): Promise<Yardstick> {
  const fresh = generateProblems(createRng(seed).fork('lab'), problems, 'heldout')
  const sampled = await sampleProblems(solver, fresh, {
    perProblem: n,
    temperature: 0.8,
    maxTokens: 220,
    seed: seed * 1_000_003,
    ...(signal && { signal }),
  })
  return { name: 'generated', examples: sampled.flatMap(({ samples }) => samples) }
}

/** PRM800K's solutions of the problems that recipes hold back. @throws Error when the folder has none */
export function humanYardstick(dataDir: string): Yardstick {
  const examples = prm800kSolutions(dataDir).filter(({ problem }) => isHeldBack(problem))
  if (examples.length === 0) throw new Error(`${dataDir} has no held-back solutions of PRM800K`)
  return { name: 'prm800k', examples }
}

/** Step AUC in percent; NaN when right or wrong steps are missing. */
export async function stepAuc(
  judge: StepJudge,
  { examples }: Yardstick,
  signal?: AbortSignal,
): Promise<number> {
  const scores = await judge.judge(examples, signal)
  return 100 * auc(labelledSteps(examples, scores))
}
