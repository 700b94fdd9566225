// A teacher: a language model that is asked which step of a solution is the first wrong one. Its verdicts are one source of labels among
// others. Knows no endpoint and no training.
import { AppError } from '../../errors.ts'
import { readLocated } from '../../llm/locate.ts'
import type { Llm } from '../../llm/types.ts'
import { type Example, labelsFromFirstError } from '../data/example.ts'
import type { Rng } from '../rng.ts'
import type { TrafficProblem, TrafficSolution } from './outcomes.ts'

/** What the teacher said of one solution: index of the first wrong step, -1 for none. */
export interface Verdict {
  readonly solution: TrafficSolution
  readonly firstError: number
}

export interface TeacherOptions {
  readonly llm: Llm
  readonly rng: Rng
  /** Solutions asked about, at most. */
  readonly most: number
  readonly signal: AbortSignal
  /** Asked after each handful; true ends it. */
  readonly isOver: () => boolean
}

const HANDFUL = 4

/**
 * Asks about solutions: wrong ones first, since of those nobody knows where, then right ones, one of a problem in turn. Replies that name no
 * step are left out; an endpoint that fails ends it. @throws the signal's reason when aborted
 */
export async function askTeacher(
  problems: readonly TrafficProblem[],
  { llm, rng, most, signal, isOver }: TeacherOptions,
): Promise<{ verdicts: Verdict[]; asked: number }> {
  const chosen = chooseSolutions(problems, most, rng)
  const verdicts: Verdict[] = []
  let asked = 0
  for (let from = 0; from < chosen.length && !(from > 0 && isOver()); from += HANDFUL) {
    signal.throwIfAborted()
    const some = chosen.slice(from, from + HANDFUL)
    asked += some.length
    try {
      const said = await Promise.all(some.map(solution => verdictOn(llm, solution, signal)))
      verdicts.push(
        ...said.flatMap((firstError, i) => (firstError === null ? [] : [{ solution: some[i]!, firstError }])),
      )
    } catch (error) {
      signal.throwIfAborted()
      if (!(error instanceof AppError)) throw error
      break
    }
  }
  return { verdicts, asked }
}

/** Two wrong solutions for each right one, no step of which somebody has labelled. */
function chooseSolutions(problems: readonly TrafficProblem[], most: number, rng: Rng): TrafficSolution[] {
  const open = rng.shuffle(problems).map(({ solutions }) => rng.shuffle(solutions))
  const ofKind = (right: boolean) => {
    const queues = open.map(solutions => solutions.filter(s => s.outcome?.right === right))
    const deepest = Math.max(0, ...queues.map(queue => queue.length))
    return Array.from({ length: deepest }, (_, depth) => queues.flatMap(queue => queue[depth] ?? [])).flat()
  }
  const wrong = ofKind(false).slice(0, Math.ceil((2 * most) / 3))
  return [...wrong, ...ofKind(true).slice(0, most - wrong.length)]
}

async function verdictOn(
  llm: Llm,
  { problem, steps }: TrafficSolution,
  signal: AbortSignal,
): Promise<number | null> {
  const aim = { kind: 'locate', solution: steps } as const
  const asked = { problem, aim, steps: [], until: 'end', temperature: 0, maxTokens: 1024, seed: 0 } as const
  return readLocated((await llm.propose(asked, signal)).text, steps.length)
}

/** Whether a verdict and the outcome say the same: an error somewhere, or none. Null where the outcome is not known. */
export const agreesWithOutcome = ({ solution: { outcome }, firstError }: Verdict): boolean | null =>
  outcome === null ? null : outcome.right === firstError < 0

/** What can be learned from the verdicts that no outcome contradicts. */
export const teacherExamples = (verdicts: readonly Verdict[]): Example[] =>
  verdicts
    .filter(verdict => agreesWithOutcome(verdict) !== false)
    .map(({ solution: { problem, steps }, firstError }) => ({
      problem,
      steps,
      labels: labelsFromFirstError(steps.length, firstError),
      source: 'teacher',
      imitate: false,
    }))
