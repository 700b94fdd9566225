// Who can teach: a language model that is asked for the first wrong step, and a critic that runs elsewhere, of which the small one learns to
// judge (distillation: Hinton et al. 2015, arXiv 1503.02531). Knows no address and no weight.
import type { Critic } from '../../critic/types.ts'
import { AppError } from '../../errors.ts'
import { readLocated } from '../../llm/locate.ts'
import type { Llm } from '../../llm/types.ts'
import { logitOf } from '../../remote/ensemble.ts'
import { labelsFromFirstError, type StepLabel } from '../data/example.ts'
import { sigmoid } from '../numeric.ts'
import type { Rng } from '../rng.ts'
import type { TrafficProblem, TrafficSolution } from './outcomes.ts'
import { isTold, LEAST_LABEL, type Teacher } from './teacher.ts'

/** Asked about wrong solutions first, since of those nobody knows where. */
export const llmTeacher = (llm: Llm): Teacher => ({
  most: { taught: 96, tested: 32 },
  handful: 4,
  choose: chooseKnown,
  judge: (solutions, signal) => Promise.all(solutions.map(solution => locate(llm, solution, signal))),
})

/** Two wrong solutions for each right one, one of a problem in turn. */
function chooseKnown(problems: readonly TrafficProblem[], most: number, rng: Rng): TrafficSolution[] {
  const open = rng.shuffle(problems).map(({ solutions }) => rng.shuffle(solutions))
  const ofKind = (right: boolean) => {
    const queues = open.map(solutions => solutions.filter(s => s.outcome?.right === right))
    const deepest = Math.max(0, ...queues.map(queue => queue.length))
    return Array.from({ length: deepest }, (_, depth) => queues.flatMap(queue => queue[depth] ?? [])).flat()
  }
  const wrong = ofKind(false).slice(0, Math.ceil((2 * most) / 3))
  return [...wrong, ...ofKind(true).slice(0, most - wrong.length)]
}

/** Null for a reply that names no step. */
async function locate(
  llm: Llm,
  { problem, steps }: TrafficSolution,
  signal: AbortSignal,
): Promise<StepLabel[] | null> {
  const aim = { kind: 'locate', solution: steps } as const
  const asked = { problem, aim, steps: [], until: 'end', temperature: 0, maxTokens: 1024, seed: 0 } as const
  const firstError = readLocated((await llm.propose(asked, signal)).text, steps.length)
  return firstError === null ? null : labelsFromFirstError(steps.length, firstError)
}

/**
 * Asked about whole problems, those first of which nobody told an outcome: only all solutions of one can be put in order. `handful`: solutions asked
 * about at once.
 */
export const criticTeacher = (critic: Critic, handful: number): Teacher => ({
  most: { taught: 4000, tested: 128 },
  handful,
  choose: chooseWhole,
  async judge(solutions, signal) {
    const found = await critic.judge(
      solutions.map(({ problem, steps }) => ({ problem, steps })),
      signal,
    )
    const said = found.map(({ steps }) => {
      const labels = steps.map(({ score }) => (score === null ? null : labelOf(score, critic.threshold)))
      return labels.every(label => label === null) ? null : labels
    })
    if (said.every(labels => labels === null))
      throw new AppError('CRITIC_FAILED', 'The teacher scored no step.')
    return said
  },
})

function chooseWhole(problems: readonly TrafficProblem[], most: number, rng: Rng): TrafficSolution[] {
  const { told = [], open = [] } = Object.groupBy(rng.shuffle(problems), one =>
    isTold(one) ? 'told' : 'open',
  )
  return [...open, ...told].flatMap(({ solutions }) => solutions).slice(0, most)
}

/** A score, in [0, 1], as a label: 0.5 at the critic's τ, and never so sure that it could not be moved. */
function labelOf(score: number, threshold: number): number {
  const within = (p: number) => Math.min(1 - LEAST_LABEL, Math.max(LEAST_LABEL, p))
  return within(sigmoid(logitOf(within(score)) - logitOf(within(threshold))))
}
