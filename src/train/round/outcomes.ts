// From logged traffic to problems whose solutions are known to be right or wrong. Knows no model and no store.
import type { Feedback, LabelledTraffic, TrafficCandidate } from '../../store/types.ts'
import type { Example, StepLabel } from '../data/example.ts'
import { hear, majorityOf, speakerOf, type Words } from './words.ts'

/** How an outcome is known: said about this solution, said about another one with an answer, or by the majority of answers. */
export type Evidence = 'feedback' | 'answer' | 'agreement'

interface Outcome {
  readonly right: boolean
  readonly by: Evidence
}

/** One distinct solution, however often it was logged. */
export interface TrafficSolution {
  readonly problem: string
  readonly steps: readonly string[]
  /** Canonical final answer, null when none could be read. */
  readonly answer: string | null
  /** Null when nothing tells whether the solution is right. */
  readonly outcome: Outcome | null
  /** length = steps.length; null when nobody labelled the steps. */
  readonly stepLabels: readonly StepLabel[] | null
}

export interface TrafficProblem {
  readonly problem: string
  /** Newest first. */
  readonly solutions: readonly TrafficSolution[]
}

/** Fewer answers than this have no majority worth following. */
const LEAST_VOTES = 4

/** A solution with what was said about it. */
interface Draft {
  readonly candidate: TrafficCandidate
  readonly words: Words
  /** Of each step. */
  readonly steps: readonly Words[]
}

const draftOf = (candidate: TrafficCandidate): Draft => ({
  candidate,
  words: new Map(),
  steps: candidate.steps.map(() => new Map()),
})

/** Identity of a solution. */
export const solutionKey = (problem: string, steps: readonly string[]): string =>
  JSON.stringify([problem.trim(), steps])

/** Groups traffic (newest first) by problem and settles the outcome of each distinct solution. */
export function readOutcomes(traffic: readonly LabelledTraffic[]): TrafficProblem[] {
  const groups = new Map<string, Map<string, Draft>>()
  for (const { record, feedback } of traffic) {
    const problem = record.problem.trim()
    const drafts = groups.get(problem) ?? new Map<string, Draft>()
    groups.set(problem, drafts)
    record.candidates.forEach((candidate, i) => {
      if (candidate.steps.length === 0) return
      const key = JSON.stringify(candidate.steps)
      const draft = drafts.get(key) ?? draftOf(candidate)
      drafts.set(key, draft)
      if (i === 0) for (const item of feedback) note(draft, speakerOf(item, record), item) // feedback is about the chosen one
    })
  }
  return [...groups].map(([problem, drafts]) => settle(problem, [...drafts.values()]))
}

/** Notes feedback; of each client the latest counts. */
function note({ words, steps }: Draft, by: string, { at, answer_correct, step_labels }: Feedback): void {
  if (answer_correct !== undefined) hear(words, by, { at, right: answer_correct })
  if (step_labels === undefined) return
  for (const [i, of] of steps.entries()) {
    const label = step_labels[i] ?? null
    if (label !== null) hear(of, by, { at, right: label })
    else if (at >= (of.get(by)?.at ?? -Infinity)) of.delete(by)
  }
}

function settle(problem: string, drafts: readonly Draft[]): TrafficProblem {
  const verdicts = new Map(drafts.map(draft => [draft, majorityOf(draft.words)]))
  const isTold = [...verdicts.values()].some(verdict => verdict !== null)
  const outcomeOf = isTold ? byFeedback(drafts, verdicts) : byAgreement(drafts)
  const solutions = drafts.map(draft => ({
    problem,
    steps: draft.candidate.steps,
    answer: draft.candidate.answer,
    outcome: outcomeOf(draft),
    stepLabels: labelsOf(draft.steps),
  }))
  return { problem, solutions }
}

/** A verdict on a solution is one on its answer, and where the right answer is known every other answer is wrong. */
function byFeedback(
  drafts: readonly Draft[],
  verdicts: ReadonlyMap<Draft, boolean | null>,
): (draft: Draft) => Outcome | null {
  const onAnswers = new Map<string, Words>()
  for (const { words, candidate } of drafts) {
    if (candidate.answer === null || words.size === 0) continue
    const all = onAnswers.get(candidate.answer) ?? new Map()
    onAnswers.set(candidate.answer, all)
    for (const [speaker, word] of words) hear(all, speaker, word)
  }
  const known = new Map([...onAnswers].map(([answer, words]) => [answer, majorityOf(words)]))
  const rightIsKnown = [...known.values()].includes(true)
  return draft => {
    const verdict = verdicts.get(draft) ?? null
    if (verdict !== null) return { right: verdict, by: 'feedback' }
    const { answer } = draft.candidate
    if (answer === null) return null
    const told = known.get(answer)
    if (told === null) return null // clients contradict each other
    if (told !== undefined) return { right: told, by: 'answer' }
    return rightIsKnown ? { right: false, by: 'answer' } : null
  }
}

/** Distinct solutions vote with their answers: repeating one does not make it right. */
function byAgreement(drafts: readonly Draft[]): (draft: Draft) => Outcome | null {
  const winner = majorityAnswer(drafts.map(({ candidate }) => candidate.answer))
  if (winner === null) return () => null
  return ({ candidate: { answer } }) =>
    answer === null ? null : { right: answer === winner, by: 'agreement' }
}

/** The answer that at least half of the votes are for, four of them at least and none as strong beside it; null when there is none. */
export function majorityAnswer(answers: readonly (string | null)[]): string | null {
  const votes = new Map<string, number>()
  for (const answer of answers) if (answer !== null) votes.set(answer, (votes.get(answer) ?? 0) + 1)
  const [first, second] = [...votes].toSorted((a, b) => b[1] - a[1])
  const total = [...votes.values()].reduce((sum, n) => sum + n, 0)
  if (first === undefined || total < LEAST_VOTES || 2 * first[1] < total || first[1] === second?.[1])
    return null
  return first[0]
}

/** Null when nobody's label of any step stands. */
function labelsOf(steps: readonly Words[]): StepLabel[] | null {
  const labels = steps.map(majorityOf).map((right): StepLabel => (right === null ? null : right ? 1 : 0))
  return labels.some(label => label !== null) ? labels : null
}

/** A solution of known outcome. A right outcome does not make every step right: only the comparison is taught, no step label. */
export const outcomeExample = ({ problem, steps, outcome }: TrafficSolution): Example => ({
  problem,
  steps,
  labels: steps.map(() => null),
  source: 'outcome',
  imitate: false,
  ...(outcome === null ? {} : { outcome: outcome.right ? (1 as const) : (0 as const) }),
})

/** A solution whose steps somebody labelled. */
export const feedbackExample = (solution: TrafficSolution): Example => ({
  ...outcomeExample(solution),
  labels: solution.stepLabels ?? [],
  source: 'feedback',
})
