// Problems with a known answer, for a language model to solve: generated ones, or those of a file. Knows no model.
import { createHash } from 'node:crypto'
import { canonAnswer, sameAnswer } from '../../answer/equal.ts'
import { readJsonl } from '../data/jsonl.ts'
import { generateProblems } from '../recipe/built-in.ts'
import type { Rng } from '../rng.ts'

export interface PosedProblem {
  readonly problem: string
  /** As written; compared by `sameAnswer`. */
  readonly answer: string
}

/** Fresh problems of the held-out side of the generator's split. Same rng seed, same problems. */
export const freshProblems = (rng: Rng, count: number): PosedProblem[] =>
  generateProblems(rng, count, 'heldout').map(({ problem, answer }) => ({ problem, answer }))

interface PosedRecord {
  readonly problem?: unknown
  readonly answer?: unknown
  readonly reference_answer?: unknown
}

/**
 * `count` problems of a file of `{problem, answer}` (or `reference_answer`), drawn without replacement, in the order of the draw;
 * all of them where there are no more.
 * @throws Error naming file and record when one is not as documented
 */
export function drawPosed(path: string, count: number, rng: Rng): PosedProblem[] {
  const posed = readJsonl<PosedRecord>(path).map((record, n) => {
    const { problem, answer = record.reference_answer } = record
    const place = `${path}, record ${n + 1}`
    if (typeof problem !== 'string' || problem.trim() === '')
      throw new Error(`${place}: problem must be a text`)
    const written = typeof answer === 'number' ? String(answer) : answer
    if (typeof written !== 'string' || canonAnswer(written) === '')
      throw new Error(`${place}: answer must be a text or a number`)
    return { problem, answer: written }
  })
  if (posed.length === 0) throw new Error(`${path} has no records`)
  return rng.shuffle(posed).slice(0, count)
}

/** True when `answer`, null for none, is the problem's. */
export const isRight = ({ answer: known }: PosedProblem, answer: string | null): boolean =>
  answer !== null && sameAnswer(answer, known)

/** sha256 over problems and answers in their order: what was measured on, whatever file it came from. */
export function hashPosed(problems: readonly PosedProblem[]): string {
  const hash = createHash('sha256')
  for (const { problem, answer } of problems) hash.update(`${JSON.stringify([problem, answer])}\n`)
  return hash.digest('hex')
}
