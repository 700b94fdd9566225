// Reads best-of-N pools: problems with sampled solutions whose answers are graded. Checks every record; knows no critic.
import { canonAnswer, sameAnswer } from '../../answer/equal.ts'
import { extractAnswer } from '../../answer/extract.ts'
import { readJsonl } from '../data/jsonl.ts'
import type { Rng } from '../rng.ts'
import type { StepScores } from './judge.ts'

interface PoolCandidate {
  readonly steps: readonly string[]
  /** Canonical answer, grouped as a search groups; null when there is none. */
  readonly key: string | null
  readonly correct: boolean
  /** Step scores that came with the pool, by critic. */
  readonly published: Readonly<Record<string, StepScores>>
}

/** One problem. */
export interface Pool {
  readonly problem: string
  readonly candidates: readonly PoolCandidate[]
}

/** Whether a problem has pairs of right and wrong candidates. */
export const isMixed = ({ candidates }: Pool): boolean => new Set(candidates.map(c => c.correct)).size === 2

interface CandidateRecord {
  readonly steps?: unknown
  /** Text or number; read from the steps when the field is missing. */
  readonly answer?: unknown
  /** Whether it is right; compared with `reference_answer` when the field is missing. */
  readonly correct?: unknown
  readonly prm?: Readonly<Record<string, unknown>>
}

interface PoolRecord {
  readonly problem?: unknown
  readonly reference_answer?: unknown
  readonly candidates?: unknown
}

/** Every pool of a file. @throws Error naming file and record when one is not as documented */
export function readPools(path: string): Pool[] {
  const pools = readJsonl<PoolRecord>(path).map((record, n) => {
    const { problem, candidates, reference_answer } = record
    const place = `${path}, record ${n + 1}`
    if (typeof problem !== 'string') throw new Error(`${place}: problem must be a text`)
    if (!Array.isArray(candidates) || candidates.length === 0)
      throw new Error(`${place}: candidates must be a list, one at least`)
    return {
      problem,
      candidates: candidates.map((candidate: CandidateRecord, i) =>
        readCandidate(candidate, reference_answer, `${place}, candidate ${i + 1}`),
      ),
    }
  })
  if (pools.length === 0) throw new Error(`${path} has no records`)
  return pools
}

function readCandidate(
  { steps, answer, correct, prm }: CandidateRecord,
  reference: unknown,
  place: string,
): PoolCandidate {
  if (!Array.isArray(steps) || steps.length === 0 || !steps.every(step => typeof step === 'string'))
    throw new Error(`${place}: steps must be a list of texts, one at least`)
  const written =
    answer === undefined ? extractAnswer(steps.join('\n\n')) : answer === null ? null : String(answer)
  if (correct === undefined && reference === undefined)
    throw new Error(`${place}: needs correct, or its pool a reference_answer`)
  const key = written === null ? '' : canonAnswer(written)
  return {
    steps,
    key: key === '' ? null : key,
    correct:
      typeof correct === 'boolean' ? correct : written !== null && sameAnswer(written, String(reference)),
    published: Object.fromEntries(
      Object.entries(prm ?? {}).map(([name, scores]) => [name, readScores(scores, `${place}: prm.${name}`)]),
    ),
  }
}

function readScores(scores: unknown, place: string): StepScores {
  const isScore = (x: unknown) => x === null || (typeof x === 'number' && x >= 0 && x <= 1)
  if (!Array.isArray(scores) || !scores.every(isScore))
    throw new Error(`${place} must be a list of scores from 0 to 1`)
  return scores as (number | null)[]
}

/** Names of the critics whose scores came with the pools, sorted. */
export const publishedCritics = (pools: readonly Pool[]): string[] =>
  [...new Set(pools.flatMap(({ candidates }) => candidates.flatMap(c => Object.keys(c.published))))].sort()

/** Draws of `n` of `size` candidates without replacement, each in the pool's order; one draw of all where there are no more than `n`. */
export function drawSubsets(size: number, n: number, times: number, rng: Rng): number[][] {
  const all = Array.from({ length: size }, (_, i) => i)
  if (n >= size) return [all]
  return Array.from({ length: times }, () =>
    rng
      .shuffle(all)
      .slice(0, n)
      .sort((a, b) => a - b),
  )
}
