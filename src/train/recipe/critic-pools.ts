// What a critic learns from, and the share of each kind for each path of the step head: human labels, comparisons, the solver's own
// errors, sneaky edits. Which shares and why is logged in models/LOG.md. Knows no model and no schedule.
import type { TextTokenizer } from '../../critic/tokenizer.ts'
import {
  balanceWriters,
  gsm8k,
  isHeldBack,
  mrben,
  outcomeComparisons,
  prm800kComparisons,
  prm800kSolutions,
  prmbench,
  withoutLabels,
} from '../data/corpora.ts'
import type { Comparison, Example } from '../data/example.ts'
import {
  comparisonUnit,
  exampleWindows,
  featureComparison,
  featureUnit,
  textFrozen,
  type Unit,
} from '../data/units.ts'
import type { Pool } from '../fit/sampler.ts'
import type { Rng } from '../rng.ts'
import { corruptSolution } from '../sneaky/apply.ts'
import { createPolicy } from '../sneaky/policy.ts'
import { MAX_LENGTH } from './base.ts'
import { generateProblems, solutionExample } from './built-in.ts'
import type { ProblemSamples } from './samples.ts'

/** Generated problems whose solutions are altered. */
const ALTERED_PROBLEMS = 4000

const trainable = (example: { readonly problem: string }): boolean => !isHeldBack(example.problem)

/** Solutions labelled by people; `held` tells those kept for calibration, τ and choosing from those to train on. */
export function humanExamples(dataDir: string, held: boolean): Example[] {
  const all = [...mrben(dataDir), ...prm800kSolutions(dataDir)]
  return all.filter(example => trainable(example) !== held)
}

/** A corrupted solution against its original, compared from the changed step on. */
function sneakyComparison(
  rng: Rng,
  { problem, steps }: { problem: string; steps: readonly string[] },
): Comparison | null {
  const corrupt = corruptSolution(rng, createPolicy(), problem, [...steps])
  if (!corrupt) return null
  const labels = corrupt.steps.map((_, i) =>
    i < corrupt.wrong_index ? 1 : i === corrupt.wrong_index ? 0 : null,
  )
  const better: Example = { problem, steps, labels: steps.map(() => 1), source: 'sneaky', imitate: false }
  return {
    better,
    worse: { problem, steps: corrupt.steps, labels, source: 'sneaky', imitate: false },
    from: corrupt.wrong_index,
  }
}

/** Right against wrong samples of one problem, as many as there are of the rarer kind. */
function ownComparisons({ samples }: ProblemSamples): Comparison[] {
  const right = samples.filter(s => s.outcome === 1)
  const wrong = samples.filter(s => s.outcome === 0)
  return Array.from({ length: Math.min(right.length, wrong.length) }, (_, i) => ({
    better: right[i]!,
    worse: wrong[i]!,
    from: 0,
  }))
}

/** What people or injected errors tell; corpora that `dataDir` lacks leave their part empty. */
export interface LabelledLessons {
  readonly human: readonly Example[]
  /** Solutions of two writers to one problem, of which people found one right and one wrong. */
  readonly humanPairs: readonly Comparison[]
  readonly siblings: readonly Comparison[]
  readonly injected: readonly Comparison[]
}

/** What a critic learns from; samples that were not drawn leave their part empty. */
export interface CriticLessons extends LabelledLessons {
  readonly ownSamples: readonly Example[]
  readonly ownPairs: readonly Comparison[]
  /** Altered solutions of generated problems, and of problems that people wrote. */
  readonly sneaky: readonly Comparison[]
  readonly sneakyTexts: readonly Comparison[]
}

export function labelledLessons(dataDir: string, rng: Rng): LabelledLessons {
  const human = humanExamples(dataDir, false)
  const compared = (comparisons: readonly Comparison[]): Comparison[] =>
    withoutLabels(comparisons).filter(({ better }) => trainable(better))
  return {
    human,
    humanPairs: compared(balanceWriters(rng.fork('writers').shuffle(outcomeComparisons(human)))),
    siblings: compared(prm800kComparisons(dataDir)),
    injected: compared(prmbench(dataDir)),
  }
}

export function criticLessons(dataDir: string, sampled: readonly ProblemSamples[], rng: Rng): CriticLessons {
  const altered = (solutions: readonly Example[]): Comparison[] =>
    solutions.filter(trainable).flatMap(solution => sneakyComparison(rng, solution) ?? [])
  return {
    ...labelledLessons(dataDir, rng),
    ownSamples: sampled.flatMap(({ samples }) => samples),
    ownPairs: sampled.flatMap(ownComparisons),
    sneaky: altered(generateProblems(rng.fork('sneaky'), ALTERED_PROBLEMS, 'train').map(solutionExample)),
    sneakyTexts: altered(gsm8k(dataDir)),
  }
}

/** For the feature path alone: mostly labels of real models' errors, and what tells a better solution of a problem from a worse one. */
export function featurePools(lessons: LabelledLessons & Partial<CriticLessons>): Pool[] {
  const { human, humanPairs, siblings, injected, ownSamples = [] } = lessons
  return [
    { name: 'human', share: 0.6, units: human.map(featureUnit) },
    { name: 'human pairs', share: 0.1, units: humanPairs.map(featureComparison) },
    { name: 'siblings', share: 0.15, units: siblings.map(featureComparison) },
    { name: 'injected', share: 0.05, units: injected.map(featureComparison) },
    { name: 'own samples', share: 0.1, units: ownSamples.map(featureUnit) },
  ]
}

const encoders = (tokenizer: TextTokenizer) => ({
  units: (examples: readonly Example[]): Unit[] =>
    examples.flatMap(example => exampleWindows(tokenizer, example, MAX_LENGTH)),
  pairs: (comparisons: readonly Comparison[]): Unit[] =>
    comparisons.flatMap(comparison => comparisonUnit(tokenizer, comparison, MAX_LENGTH) ?? []),
})

/**
 * For trunk and text path of a small base, which would learn the writers of human solutions by heart: those and what people wrote teach the
 * gate alone, that it is to stay closed there.
 */
export function textPools(lessons: CriticLessons, tokenizer: TextTokenizer): Pool[] {
  const { units, pairs } = encoders(tokenizer)
  return [
    { name: 'human, for the gate', share: 0.15, units: textFrozen(units(lessons.human)) },
    { name: 'sneaky texts, for the gate', share: 0.07, units: textFrozen(pairs(lessons.sneakyTexts)) },
    { name: 'own samples', share: 0.3, units: units(lessons.ownSamples) },
    { name: 'own pairs', share: 0.18, units: pairs(lessons.ownPairs) },
    { name: 'sneaky', share: 0.3, units: pairs(lessons.sneaky) },
  ]
}

/** For the text path beside an imported base, which has read enough to take words for what they say. */
export function importedTextPools(lessons: CriticLessons, tokenizer: TextTokenizer): Pool[] {
  const { units, pairs } = encoders(tokenizer)
  return [
    { name: 'human', share: 0.55, units: units(lessons.human) },
    { name: 'human pairs', share: 0.13, units: pairs(lessons.humanPairs) },
    { name: 'siblings', share: 0.16, units: pairs(lessons.siblings) },
    { name: 'injected', share: 0.06, units: pairs(lessons.injected) },
    { name: 'sneaky', share: 0.1, units: pairs([...lessons.sneaky, ...lessons.sneakyTexts]) },
  ]
}
