// The labels stage of a round: what trees and a teacher say beside outcomes and feedback, and how far each is to be trusted. Knows no
// training.
import type { Llm } from '../../llm/types.ts'
import type { Example } from '../data/example.ts'
import type { Rng } from '../rng.ts'
import type { Collected } from './collect.ts'
import type { Figures } from './messages.ts'
import type { SourceWeights } from './source-weights.ts'
import { compareSources, PRIOR_WEIGHTS, sourceFigures, sourceWeights } from './sources.ts'
import { askTeacher, teacherExamples, type Verdict } from './teacher.ts'
import { treeExamples } from './tree-labels.ts'

export interface Labels {
  readonly tree: readonly Example[]
  readonly teacher: readonly Example[]
  readonly weights: SourceWeights
  readonly figures: Figures
}

/** No more than outcomes, feedback and the game. */
export const NO_LABELS: Labels = { tree: [], teacher: [], weights: PRIOR_WEIGHTS, figures: {} }

export interface LabelOptions {
  readonly teacherLlm?: Llm
  /** What the operator says of sources; the others are learned. */
  readonly sourceWeights?: Partial<SourceWeights>
  readonly rng: Rng
  readonly budgetMs: number
  /** Milliseconds, monotonic. */
  readonly now: () => number
  readonly signal?: AbortSignal
}

/** Solutions the teacher is asked about: to learn from, and held back to see how good it is. */
const TAUGHT = 96
const TESTED = 32

/** Gathers and weighs labels. @throws the signal's reason when aborted */
export async function gatherLabels(
  { train, heldBack }: Pick<Collected, 'train' | 'heldBack'>,
  {
    teacherLlm: llm,
    sourceWeights: set,
    rng,
    budgetMs,
    now,
    signal = new AbortController().signal,
  }: LabelOptions,
): Promise<Labels> {
  const ask = async (problems: Collected['train'], most: number): Promise<Verdict[]> => {
    if (llm === undefined) return []
    const start = now()
    const isOver = () => now() - start > budgetMs / 2
    return (await askTeacher(problems, { llm, rng, most, signal, isOver })).verdicts
  }
  const tested = await ask(heldBack, TESTED)
  const verdicts = await ask(train, TAUGHT)
  const seen = compareSources(heldBack, tested)
  const weights = sourceWeights(seen, set)
  const tree = train.flatMap(treeExamples)
  const teacher = teacherExamples(verdicts)
  return {
    tree,
    teacher,
    weights,
    figures: {
      ...sourceFigures(seen, weights, train, verdicts),
      tree_labels: tree.length,
      teacher_verdicts: verdicts.length,
      teacher_taught: teacher.length,
    },
  }
}
