// What a critic learns from, and the share of each kind for each path of the step head: human labels, comparisons, the solver's own
// errors, sneaky edits. Which shares and why is logged in models/LOG.md. Knows no model and no schedule.
import type { TextTokenizer } from '../../critic/tokenizer.ts'
import {
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
import { comparisonUnit, exampleWindows, textFrozen, type Unit } from '../data/units.ts'
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

/** What a critic learns from, encoded; corpora that `dataDir` lacks and samples that were not drawn leave their part empty. */
export interface CriticUnits {
  readonly human: readonly Unit[]
  readonly humanPairs: readonly Unit[]
  readonly siblings: readonly Unit[]
  readonly injected: readonly Unit[]
  readonly ownSamples: readonly Unit[]
  readonly ownPairs: readonly Unit[]
  readonly sneaky: readonly Unit[]
}

export function criticUnits(
  dataDir: string,
  tokenizer: TextTokenizer,
  sampled: readonly ProblemSamples[],
  rng: Rng,
): CriticUnits {
  const units = (examples: readonly Example[]): Unit[] =>
    examples.flatMap(example => exampleWindows(tokenizer, example, MAX_LENGTH))
  const pairs = (comparisons: readonly Comparison[]): Unit[] =>
    comparisons
      .filter(({ better }) => trainable(better))
      .flatMap(comparison => comparisonUnit(tokenizer, comparison, MAX_LENGTH) ?? [])

  const human = humanExamples(dataDir, false)
  const toAlter = [
    ...generateProblems(rng.fork('sneaky'), ALTERED_PROBLEMS, 'train').map(solutionExample),
    ...gsm8k(dataDir),
  ]
  return {
    human: units(human),
    humanPairs: pairs(withoutLabels(outcomeComparisons(human))),
    siblings: pairs(withoutLabels(prm800kComparisons(dataDir))),
    injected: pairs(withoutLabels(prmbench(dataDir))),
    ownSamples: units(sampled.flatMap(({ samples }) => samples)),
    ownPairs: pairs(sampled.flatMap(ownComparisons)),
    sneaky: pairs(toAlter.flatMap(s => sneakyComparison(rng, s) ?? [])),
  }
}

/** For the feature path alone: mostly labels of real models' errors. */
export const featurePools = ({ human, humanPairs, siblings, ownSamples, sneaky }: CriticUnits): Pool[] => [
  { name: 'human', share: 0.66, units: human },
  { name: 'human pairs', share: 0.1, units: humanPairs },
  { name: 'siblings', share: 0.08, units: siblings },
  { name: 'own samples', share: 0.1, units: ownSamples },
  { name: 'sneaky', share: 0.06, units: sneaky },
]

/**
 * For trunk and text path of a small base, which would learn the writers of human solutions by heart: those teach the gate alone. So that
 * they are new to the text path, it sees no other solutions of their problems either.
 */
export const textPools = ({ human, ownSamples, ownPairs, sneaky }: CriticUnits): Pool[] => [
  { name: 'human, for the gate', share: 0.22, units: textFrozen(human) },
  { name: 'own samples', share: 0.3, units: ownSamples },
  { name: 'own pairs', share: 0.18, units: ownPairs },
  { name: 'sneaky', share: 0.3, units: sneaky },
]

/** For the text path beside an imported base, which has read enough to take words for what they say. */
export const importedTextPools = ({ human, humanPairs, siblings, injected, sneaky }: CriticUnits): Pool[] => [
  { name: 'human', share: 0.55, units: human },
  { name: 'human pairs', share: 0.13, units: humanPairs },
  { name: 'siblings', share: 0.16, units: siblings },
  { name: 'injected', share: 0.06, units: injected },
  { name: 'sneaky', share: 0.1, units: sneaky },
]
