// Generated problems as training text and as labelled samples of a solver. Knows no model.
import { canonAnswer } from '../../answer/equal.ts'
import { extractAnswer } from '../../answer/extract.ts'
import type { Example, StepLabel } from '../data/example.ts'
import { generateProblem } from '../problems/generate.ts'
import { splitOf } from '../problems/split.ts'
import type { Difficulty, GeneratedProblem } from '../problems/types.ts'
import { verifySolution } from '../problems/verify.ts'
import type { Rng } from '../rng.ts'

/** Mix of difficulties the built-in solver is for. */
const DIFFICULTIES: readonly { readonly difficulty: Difficulty; readonly weight: number }[] = [
  { difficulty: 1, weight: 4 },
  { difficulty: 2, weight: 4 },
  { difficulty: 3, weight: 2 },
]

/** `count` distinct problems of one side of the split. Same rng seed, same problems. */
export function generateProblems(rng: Rng, count: number, side: 'train' | 'heldout'): GeneratedProblem[] {
  const problems = new Map<string, GeneratedProblem>()
  while (problems.size < count) {
    const { difficulty } = DIFFICULTIES[rng.weighted(DIFFICULTIES.map(d => d.weight))]!
    const made = generateProblem(rng, { difficulty })
    if (splitOf(made.problem) === side) problems.set(made.problem, made)
  }
  return [...problems.values()]
}

/** The verified solution as text to imitate. */
export const solutionExample = ({ problem, steps }: GeneratedProblem): Example => ({
  problem,
  steps,
  labels: steps.map(() => 1),
  source: 'construction',
  imitate: true,
  outcome: 1,
})

/** True when a solution's final answer is the problem's. */
function isSolved(problem: GeneratedProblem, steps: readonly string[]): boolean {
  const answer = extractAnswer(steps.join('\n\n'))
  return answer !== null && canonAnswer(answer) === canonAnswer(problem.answer)
}

/** Somebody's solution of a generated problem, each step labelled by what the construction knows. */
export function labelledSample(problem: GeneratedProblem, steps: readonly string[]): Example {
  const truth = verifySolution(problem, [...steps])
  const labels = truth.map<StepLabel>(t => (t === 'right' ? 1 : t === 'wrong' ? 0 : null))
  return {
    problem: problem.problem,
    steps,
    labels,
    source: 'construction',
    imitate: false,
    outcome: isSolved(problem, steps) ? 1 : 0,
  }
}
