// Hand features of a step: what can be counted about it without a model. They enter the step head beside the hidden state.
// Each depends on the problem and the steps up to this one only (causal). Knows no tokens.
import type { StepReading } from '../answer/reader.ts'

/** Names of the features, in the order of the vector. Changing the list makes older critics unreadable: bump the format. */
export const FEATURES = [
  'log_chars',
  'log_position',
  'log_chars_so_far',
  'log_problem_chars',
  'log_numbers',
  'share_given',
  'share_known',
  'share_computed',
  'any_failed',
  'log_nowhere',
  'log_equations',
  'share_digits',
  'share_operators',
  'share_latex',
  'overlap_problem',
  'overlap_before',
  'repeats',
  'concludes',
  'says_answer',
  'hedges',
  'asks',
] as const

const WORD = /\p{L}{3,}/gu
const CONCLUDES = /^\W*(so|therefore|thus|hence|finally|in total|in conclusion)\b/i
const SAYS_ANSWER = /\\boxed|####|answer\s*(is|:)|# answer/i
const HEDGES = /\b(wait|assume|suppose|maybe|perhaps|approximately|guess|let's try|verify|check)\b/i

const wordsOf = (text: string): Set<string> => new Set(text.toLowerCase().match(WORD) ?? [])
const count = (text: string, pattern: RegExp): number => text.match(pattern)?.length ?? 0
const share = (part: number, whole: number): number => (whole === 0 ? 0 : part / whole)

function overlap(words: ReadonlySet<string>, seen: ReadonlySet<string>): number {
  let shared = 0
  for (const word of words) if (seen.has(word)) shared++
  return share(shared, words.size)
}

/** Features of the steps of one solution, taken in order. */
export function createFeatureReader(problem: string): (step: string, reading: StepReading) => Float32Array {
  const problemWords = wordsOf(problem)
  const before = new Set<string>()
  const seenSteps = new Set<string>()
  let position = 0
  let charsSoFar = 0
  return (step, { numbers, evidence }) => {
    const words = wordsOf(step)
    const flagged = (...flags: string[]) => numbers.filter(n => flags.includes(n.flag)).length
    const normal = step.trim().toLowerCase()
    position++
    charsSoFar += step.length
    const equations = evidence.filter(e => e.kind === 'equation')
    const values: Record<(typeof FEATURES)[number], number> = {
      log_chars: Math.log1p(step.length) / 5,
      log_position: Math.log1p(position) / 2,
      log_chars_so_far: Math.log1p(charsSoFar) / 6,
      log_problem_chars: Math.log1p(problem.length) / 6,
      log_numbers: Math.log1p(numbers.length) / 2,
      share_given: share(flagged('given'), numbers.length),
      share_known: share(flagged('known'), numbers.length),
      share_computed: share(flagged('holds'), numbers.length),
      any_failed: equations.some(e => e.holds === false) ? 1 : 0,
      log_nowhere: Math.log1p(evidence.filter(e => e.kind === 'number_from_nowhere').length),
      log_equations: Math.log1p(equations.length),
      share_digits: share(count(step, /\d/g), step.length),
      share_operators: share(count(step, /[-+*/=<>^×÷]/g), step.length),
      share_latex: share(count(step, /[\\{}$]/g), step.length),
      overlap_problem: overlap(words, problemWords),
      overlap_before: overlap(words, before),
      repeats: seenSteps.has(normal) ? 1 : 0,
      concludes: CONCLUDES.test(step) ? 1 : 0,
      says_answer: SAYS_ANSWER.test(step) ? 1 : 0,
      hedges: HEDGES.test(step) ? 1 : 0,
      asks: step.includes('?') ? 1 : 0,
    }
    for (const word of words) before.add(word)
    seenSteps.add(normal)
    return Float32Array.from(FEATURES, name => values[name])
  }
}
