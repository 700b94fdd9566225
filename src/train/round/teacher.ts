// A teacher: a language model or another critic that says of logged solutions how right their steps are. Its word is one source of labels
// among others. Knows no endpoint and no training.
import { AppError } from '../../errors.ts'
import type { Example, StepLabel } from '../data/example.ts'
import type { Rng } from '../rng.ts'
import type { TrafficProblem, TrafficSolution } from './outcomes.ts'

export interface Teacher {
  /** Solutions asked about in a round, at most: to learn from, and held back to see how good it is. */
  readonly most: { readonly taught: number; readonly tested: number }
  /** Solutions asked about at once. */
  readonly handful: number
  /** Whom to ask about, most wanted first. */
  choose(problems: readonly TrafficProblem[], most: number, rng: Rng): readonly TrafficSolution[]
  /** Labels of each solution's steps, in order; null where it said nothing of one. @throws {AppError} when it cannot be asked; the signal's reason when aborted */
  judge(
    solutions: readonly TrafficSolution[],
    signal: AbortSignal,
  ): Promise<readonly (readonly StepLabel[] | null)[]>
}

/** What the teacher said of one solution. */
export interface Verdict {
  readonly solution: TrafficSolution
  /** length = solution.steps.length */
  readonly labels: readonly StepLabel[]
}

/** Index of the first step it holds for wrong, -1 for none. */
export const firstErrorOf = ({ labels }: Pick<Verdict, 'labels'>): number =>
  labels.findIndex(label => label !== null && label < 0.5)

export interface AskOptions {
  readonly rng: Rng
  readonly most: number
  readonly signal: AbortSignal
  /** Asked after each handful; true ends it. */
  readonly isOver: () => boolean
}

/** Asks about solutions until time or list is used up; a teacher that fails ends it. @throws the signal's reason when aborted */
export async function askTeacher(
  teacher: Teacher,
  problems: readonly TrafficProblem[],
  { rng, most, signal, isOver }: AskOptions,
): Promise<Verdict[]> {
  const chosen = teacher.choose(problems, most, rng)
  const verdicts: Verdict[] = []
  for (let from = 0; from < chosen.length && !(from > 0 && isOver()); from += teacher.handful) {
    signal.throwIfAborted()
    const some = chosen.slice(from, from + teacher.handful)
    try {
      const said = await teacher.judge(some, signal)
      verdicts.push(...some.flatMap((solution, i) => (said[i] ? [{ solution, labels: said[i] }] : [])))
    } catch (error) {
      signal.throwIfAborted()
      if (!(error instanceof AppError)) throw error
      break
    }
  }
  return verdicts
}

/** Whether a verdict and the outcome say the same: an error somewhere, or none. Null where the outcome is not known. */
export const agreesWithOutcome = (verdict: Verdict): boolean | null => {
  const { outcome } = verdict.solution
  return outcome === null ? null : outcome.right === firstErrorOf(verdict) < 0
}

/** What can be learned from the verdicts that no outcome contradicts. */
export const teacherExamples = (verdicts: readonly Verdict[]): Example[] =>
  verdicts
    .filter(verdict => agreesWithOutcome(verdict) !== false)
    .map(({ solution: { problem, steps }, labels }) => ({
      problem,
      steps,
      labels,
      source: 'teacher',
      imitate: false,
    }))

/** Solutions of one problem that a teacher puts in order: each of `better` before each of `worse`. */
export interface Ranking {
  readonly problem: string
  readonly better: readonly TrafficSolution[]
  readonly worse: readonly TrafficSolution[]
}

/** Share of a problem's solutions that are its best, and its worst: of those between the teacher is less sure. */
const ENDS = 0.25

/**
 * The order of the solutions of each problem of whose outcomes nobody told anything, where the teacher has spoken of all: by the product of its
 * labels, the probability that no step is wrong. Says more than who is right: most problems have only right solutions, or only wrong ones.
 */
export function rankings(problems: readonly TrafficProblem[], verdicts: readonly Verdict[]): Ranking[] {
  const scores = new Map(verdicts.map(verdict => [verdict.solution, logProduct(verdict)]))
  return problems
    .filter(one => !isTold(one) && one.solutions.every(solution => scores.has(solution)))
    .map(({ problem, solutions }) => {
      const [isBetter, isWorse] = endsOf(solutions.map(solution => scores.get(solution)!))
      return {
        problem,
        better: solutions.filter(solution => isBetter(scores.get(solution)!)),
        worse: solutions.filter(solution => isWorse(scores.get(solution)!)),
      }
    })
    .filter(({ better, worse }) => better.length > 0 && worse.length > 0)
}

/** Whether somebody said of one of its solutions whether it is right; votes are nobody. */
export const isTold = ({ solutions }: TrafficProblem): boolean =>
  solutions.some(({ outcome }) => outcome !== null && outcome.by !== 'agreement')

/** Which scores are among the best and the worst; where most are alike, those that differ from them are. */
function endsOf(scores: readonly number[]): [(score: number) => boolean, (score: number) => boolean] {
  const sorted = scores.toSorted((a, b) => a - b)
  const count = Math.max(1, Math.floor(ENDS * sorted.length))
  const [low, high] = [sorted[count - 1]!, sorted.at(-count)!]
  if (low < high) return [score => score >= high, score => score <= low]
  return sorted[0]! < low
    ? [score => score >= low, score => score < low]
    : [score => score > low, score => score <= low]
}

/** A label of 0 is not surer than this. */
export const LEAST_LABEL = 0.01

const logProduct = ({ labels }: Verdict): number =>
  labels.reduce<number>(
    (sum, label) => sum + (label === null ? 0 : Math.log(Math.max(LEAST_LABEL, label))),
    0,
  )
