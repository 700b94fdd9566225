// What a critic has to beat: rules of thumb as judges, all with scores in [0, 1]. Know no labels and no model.
import { createReader } from '../../answer/reader.ts'
import type { CritiqueItem } from '../../critic/types.ts'
import { createRng } from '../rng.ts'
import type { StepJudge, StepScores } from './judge.ts'

function rule(name: string, threshold: number | null, score: (item: CritiqueItem) => StepScores): StepJudge {
  return {
    name,
    threshold,
    isProbability: false,
    async judge(items, signal) {
      return items.map(item => {
        signal?.throwIfAborted()
        return score(item)
      })
    },
  }
}

/** Uniform scores: what no knowledge reaches. The same solutions in the same order get the same scores. */
const random = (seed: number): StepJudge => ({
  name: 'random',
  threshold: null,
  isProbability: false,
  async judge(items) {
    const rng = createRng(seed).fork('random critic')
    return items.map(({ steps }) => steps.map(() => rng.uniform()))
  },
})

/** Later steps are worse: 1, 1/2, 1/3 … */
const position = rule('position (later is worse)', null, ({ steps }) => steps.map((_, i) => 1 / (1 + i)))

/** Longer steps are worse: 1 / (1 + characters / 100). On ProcessBench the strongest of the rules. */
const length = rule('step length (longer is worse)', null, ({ steps }) =>
  steps.map(step => 1 / (1 + step.length / 100)),
)

/** The exact checker alone: 0 for a step with a false equation, ½ for a number from nowhere, 1 where it found nothing. */
const checker = rule('exact checker alone', 0.5, ({ problem, steps }) => {
  const reader = createReader(problem)
  return steps.map(step => {
    const { evidence } = reader.read(step)
    if (evidence.some(({ kind, holds }) => kind === 'equation' && holds === false)) return 0
    return evidence.some(({ kind }) => kind === 'number_from_nowhere') ? 0.5 : 1
  })
})

/** The baselines that need no labels, weakest idea first. */
export const baselines = (seed: number): StepJudge[] => [random(seed), position, length, checker]
