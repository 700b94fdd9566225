// Judges somebody's solution of a generated problem by what its construction knows. Knows no critic and no LLM.
import { sameAnswer } from '../../answer/equal.ts'
import { type Equation, numberOf, readEquations } from './arithmetic.ts'
import type { GeneratedProblem, StepTruth } from './types.ts'

/** Numbers of everyday knowledge that a right step may bring in: parts of an hour, a day, a dozen, a dollar, a percent. */
const COMMON = [1, 2, 7, 10, 12, 24, 60, 100]

const ANSWER = /the answer is:?\s*\\?\$?\s*(-?\d[\d,]*(?:\.\d+)?)/i

/** The number a step names as the final answer (`The answer is 24.`), as written, or null. */
export function statedAnswer(step: string): string | null {
  return ANSWER.exec(step)?.[1] ?? null
}

/** Whether `answer` has the value of the problem's own answer: `12.50` is `12.5`, `1,200` is `1200`. */
export function answerIsRight(problem: GeneratedProblem, answer: string | null): boolean {
  return answer !== null && sameAnswer(answer, problem.answer)
}

/**
 * Truth of each step of a solution, result.length = steps.length.
 * A step is `right` when its equations hold, their results lie on a known way to the answer, and their operands are
 * given, known to all, or on such a way themselves. It is `wrong` when an equation does not hold, when it states a wrong answer,
 * or when it leaves every known way and the solution ends wrong. After the first wrong step nothing is right any more.
 */
export function verifySolution(problem: GeneratedProblem, steps: readonly string[]): StepTruth[] {
  const legitimate = new Set(problem.values)
  const known = new Set([...problem.givens, ...problem.values, ...COMMON])
  const last = steps.findLast(step => statedAnswer(step) !== null)
  const endsRight = last !== undefined && answerIsRight(problem, statedAnswer(last))
  let lost = false
  return steps.map(step => {
    const truth = judge(step, { problem, legitimate, known, endsRight })
    if (lost) return truth === 'wrong' && isDecided(step, problem) ? 'wrong' : 'unknown'
    lost = truth === 'wrong'
    return truth
  })
}

interface Knowledge {
  readonly problem: GeneratedProblem
  readonly legitimate: ReadonlySet<number>
  readonly known: ReadonlySet<number>
  readonly endsRight: boolean
}

function judge(step: string, { problem, legitimate, known, endsRight }: Knowledge): StepTruth {
  if (isDecided(step, problem)) return 'wrong'
  const equations = readEquations(step)
  const states = statedAnswer(step) !== null
  if (equations.length === 0) return states ? 'right' : 'unknown'
  return equations.every(e => onPath(e, legitimate, known)) ? 'right' : endsRight ? 'unknown' : 'wrong'
}

/** Wrong whatever came before: an equation fails, or a wrong answer is given. */
function isDecided(step: string, problem: GeneratedProblem): boolean {
  const answer = statedAnswer(step)
  return readEquations(step).some(e => !e.holds) || (answer !== null && !answerIsRight(problem, answer))
}

function onPath(equation: Equation, legitimate: ReadonlySet<number>, known: ReadonlySet<number>): boolean {
  return (
    legitimate.has(numberOf(equation.result)) && equation.operands.every(term => known.has(numberOf(term)))
  )
}
