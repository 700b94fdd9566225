// Shows that a step is wrong without asking a critic: by an equation that fails, by construction, or by rollouts that come to the right
// answer from the step it was made of and not from it. Knows no game and no model.
import { sameAnswer } from '../../answer/equal.ts'
import { checkEquations } from '../../answer/equations.ts'
import { extractAnswer } from '../../answer/extract.ts'
import type { Llm } from '../../llm/types.ts'
import type { GeneratedProblem } from '../problems/types.ts'
import { verifySolution } from '../problems/verify.ts'

/** A right step and what was made of it. */
export interface Alteration {
  readonly problem: GeneratedProblem | string
  readonly previous: readonly string[]
  readonly right: string
  readonly wrong: string
  /** The right answer; null when nobody knows it, and then rollouts say nothing. */
  readonly answer: string | null
}

export interface RolloutOptions {
  /** Continuations from each of the two steps. */
  readonly n: number
  readonly seed: number
  readonly signal: AbortSignal
}

export type Proof = 'equation' | 'construction' | 'rollouts'

/** From the right step at least this share must come to the answer, from the altered one at most the other: of four each, three and one. */
const RIGHT_AT_LEAST = 0.75
const WRONG_AT_MOST = 0.25
const ROLLOUT_TOKENS = 512

/** How the altered step is shown to be wrong; null when it is not. Costs up to 2n calls. @throws {AppError} LLM_* codes; the signal's reason when aborted */
export async function showWrong(
  solver: Llm,
  alteration: Alteration,
  options: RolloutOptions,
): Promise<Proof | null> {
  const { problem, previous, right, wrong, answer } = alteration
  if (typeof problem !== 'string' && verifySolution(problem, [...previous, wrong]).at(-1) === 'wrong')
    return 'construction'
  if (refuted(wrong) && !refuted(right)) return 'equation'
  if (answer === null || !(await solver.canContinue(options.signal))) return null
  const text = typeof problem === 'string' ? problem : problem.problem
  const share = (step: string) => successShare(solver, text, [...previous, step], answer, options)
  return (await share(right)) >= RIGHT_AT_LEAST && (await share(wrong)) <= WRONG_AT_MOST ? 'rollouts' : null
}

const refuted = (step: string): boolean => checkEquations(step).evidence.some(({ holds }) => holds === false)

/** Share of continuations of these steps that come to the answer, in [0, 1]. */
async function successShare(
  solver: Llm,
  problem: string,
  steps: readonly string[],
  answer: string,
  { n, seed, signal }: RolloutOptions,
): Promise<number> {
  const asked = Array.from({ length: n }, (_, i) =>
    solver.propose(
      { problem, steps, until: 'end', temperature: 0.8, maxTokens: ROLLOUT_TOKENS, seed: seed + i },
      signal,
    ),
  )
  const reached = (await Promise.all(asked)).map(({ text }) => {
    const found = extractAnswer([...steps, text].join('\n\n'))
    return found !== null && sameAnswer(found, answer)
  })
  return reached.filter(Boolean).length / n
}
