// The labels stage of a round: what trees and a teacher say beside outcomes and feedback, and how far each is to be trusted. Knows no
// training.
import type { Example } from '../data/example.ts'
import type { Rng } from '../rng.ts'
import type { Collected } from './collect.ts'
import type { Figures } from './messages.ts'
import type { TrafficProblem } from './outcomes.ts'
import type { SourceWeights } from './source-weights.ts'
import { compareSources, PRIOR_WEIGHTS, sourceFigures, sourceWeights } from './sources.ts'
import { askTeacher, type Ranking, rankings, type Teacher, teacherExamples, type Verdict } from './teacher.ts'
import { treeExamples } from './tree-labels.ts'

export interface Labels {
  readonly tree: readonly Example[]
  readonly teacher: readonly Example[]
  /** How the teacher orders solutions of problems, in place of votes or of nobody. */
  readonly rankings: readonly Ranking[]
  readonly weights: SourceWeights
  readonly figures: Figures
}

/** No more than outcomes, feedback and the game. */
export const NO_LABELS: Labels = { tree: [], teacher: [], rankings: [], weights: PRIOR_WEIGHTS, figures: {} }

export interface LabelOptions {
  readonly teacher?: Teacher
  /** What the operator says of sources; the others are learned. */
  readonly sourceWeights?: Partial<SourceWeights>
  readonly rng: Rng
  readonly budgetMs: number
  /** Milliseconds, monotonic. */
  readonly now: () => number
  readonly signal?: AbortSignal
}

/** Share of the time in which the teacher is tested on what is held back. */
const TESTED_SHARE = 0.25

/** Gathers and weighs labels. @throws the signal's reason when aborted */
export async function gatherLabels(
  { train, open, heldBack }: Pick<Collected, 'train' | 'open' | 'heldBack'>,
  { teacher, sourceWeights: set, rng, budgetMs, now, signal = new AbortController().signal }: LabelOptions,
): Promise<Labels> {
  const start = now()
  const ask = async (problems: readonly TrafficProblem[], part: keyof Teacher['most'], until: number) => {
    if (teacher === undefined) return []
    const isOver = () => now() - start > until * budgetMs
    return askTeacher(teacher, problems, { rng, most: teacher.most[part], signal, isOver })
  }
  const tested: Verdict[] = await ask(heldBack, 'tested', TESTED_SHARE)
  const verdicts: Verdict[] = await ask(open, 'taught', 1)
  const seen = compareSources(heldBack, tested)
  const weights = sourceWeights(seen, set)
  const tree = train.flatMap(treeExamples)
  const examples = teacherExamples(verdicts)
  const ranked = weights.teacher >= weights.agreement ? rankings(open, verdicts) : []
  return {
    tree,
    teacher: examples,
    rankings: ranked,
    weights,
    figures: {
      ...sourceFigures(seen, weights, train, verdicts),
      tree_labels: tree.length,
      teacher_verdicts: verdicts.length,
      teacher_taught: examples.length,
      teacher_rankings: ranked.length,
    },
  }
}
