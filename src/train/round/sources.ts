// How far each source of labels is to be trusted: by how often it agrees with better known labels on held-back problems, or as the operator
// says. Where sources contradict each other is counted. Knows no model.
import { round } from '../recipe/reading.ts'
import type { Figures } from './messages.ts'
import { majorityAnswer, type TrafficProblem } from './outcomes.ts'
import { type SourceWeights, WEIGHED_SOURCES, type WeighedSource } from './source-weights.ts'
import { agreesWithOutcome, firstErrorOf, type Verdict } from './teacher.ts'
import { treeExamples } from './tree-labels.ts'

/** Labels of a source that could be compared, and those that were as the better known ones. */
export interface Comparison {
  readonly compared: number
  readonly agreed: number
}

/** What is thought of a source before anything was compared, as strong as so many comparisons. */
const PRIOR: Readonly<Record<WeighedSource, number>> = { agreement: 0.85, tree: 0.8, teacher: 0.85 }
const PRIOR_COUNT = 20

/** The weight of a source that agrees with the truth in this share of cases: 0 for a coin. */
const weightOf = (share: number): number => Math.max(0, 2 * share - 1)

export const PRIOR_WEIGHTS: SourceWeights = {
  agreement: weightOf(PRIOR.agreement),
  tree: weightOf(PRIOR.tree),
  teacher: weightOf(PRIOR.teacher),
}

/** Compares each source with what is known better of the same solutions. */
export function compareSources(
  problems: readonly TrafficProblem[],
  verdicts: readonly Verdict[],
): Readonly<Record<WeighedSource, Comparison>> {
  return {
    agreement: tally(problems.flatMap(majorityIsRight)),
    tree: tally(problems.flatMap(treeIsRight)),
    teacher: tally(verdicts.flatMap(teacherIsRight)),
  }
}

const tally = (agreed: readonly boolean[]): Comparison => ({
  compared: agreed.length,
  agreed: agreed.filter(Boolean).length,
})

/** What the majority would have said of each solution whose outcome somebody told. */
function majorityIsRight({ solutions }: TrafficProblem): boolean[] {
  const winner = majorityAnswer(solutions.map(({ answer }) => answer))
  if (winner === null) return []
  return solutions.flatMap(({ answer, outcome }) =>
    answer === null || outcome === null || outcome.by === 'agreement'
      ? []
      : [(answer === winner) === outcome.right],
  )
}

/** Tree labels of steps that somebody labelled. */
function treeIsRight(problem: TrafficProblem): boolean[] {
  const labelled = problem.solutions.filter(({ stepLabels }) => stepLabels !== null)
  if (labelled.length === 0) return []
  return treeExamples(problem).flatMap(({ steps, labels }) => {
    const truth = labelled.find(solution => steps.every((step, i) => solution.steps[i] === step))
    return labels.flatMap((label, i) => {
      const known = truth?.stepLabels?.[i] ?? null
      return label === null || known === null ? [] : [label >= 0.5 === known >= 0.5]
    })
  })
}

/** By step labels where there are any, else by the outcome (unless it is itself no more than the majority's). */
function teacherIsRight(verdict: Verdict): boolean[] {
  const { stepLabels, outcome } = verdict.solution
  const first = stepLabels?.findIndex(label => label !== null && label < 0.5) ?? -1
  if (first >= 0) return [first === firstErrorOf(verdict)]
  return outcome === null || outcome.by === 'agreement' ? [] : [agreesWithOutcome(verdict) === true]
}

/** Weights from comparisons, drawn towards what is thought beforehand where those are few; `set` wins. */
export function sourceWeights(
  seen: Readonly<Record<WeighedSource, Comparison>>,
  set: Partial<SourceWeights> = {},
): SourceWeights {
  const learned = (source: WeighedSource) => {
    const { compared, agreed } = seen[source]
    return weightOf((agreed + PRIOR_COUNT * PRIOR[source]) / (compared + PRIOR_COUNT))
  }
  return { agreement: learned('agreement'), tree: learned('tree'), teacher: learned('teacher'), ...set }
}

/** How often sources contradict each other on what a round learns from, beside the weights. */
export function sourceFigures(
  seen: Readonly<Record<WeighedSource, Comparison>>,
  weights: SourceWeights,
  train: readonly TrafficProblem[],
  verdicts: readonly Verdict[],
): Figures {
  const counted = compareSources(train, verdicts)
  return Object.fromEntries(
    WEIGHED_SOURCES.map(source => {
      const { compared, agreed } = counted[source]
      return [
        source,
        {
          weight: round(weights[source]),
          held_back: seen[source],
          trained_on: { compared, disagreed: compared - agreed },
        },
      ]
    }),
  )
}
