// Trains a candidate on from a critic's weights until the time is used or everything was seen. Knows no critic's file, no lesson's origin and no
// decision.
import { tracedEngine } from '../engine/engine.ts'
import type { CheckpointStore } from '../fit/checkpoint.ts'
import { type FitProgress, fit } from '../fit/fit.ts'
import { batchesOfPasses, createSampler } from '../fit/sampler.ts'
import { isOutcomePath, type ModelConfig, type Weights } from '../model/config.ts'
import { everyWeight, partOf } from '../model/lora.ts'
import { BUCKETS } from '../recipe/base.ts'
import { fitFeaturePath, isFeaturePath, STEP_BUCKETS } from '../recipe/feature-path.ts'
import { round } from '../recipe/reading.ts'
import type { Rng } from '../rng.ts'
import type { Lessons } from './lessons.ts'
import type { Figures } from './messages.ts'
import { learnOutcomes } from './outcome-groups.ts'

/** What a candidate goes on from. */
interface Start {
  readonly config: ModelConfig
  /** Not changed. */
  readonly weights: Weights
}

export interface LearnOptions {
  readonly threads: number
  readonly budgetMs: number
  readonly rng: Rng
  /** Milliseconds, monotonic. */
  readonly now: () => number
  readonly signal?: AbortSignal
  /** Where each part of the learning, by name, saves how far it came; none when absent. */
  readonly checkpoints?: (part: string) => CheckpointStore
  /** After every step: share of the budget used, in [0, 1], and figures with running means of the losses. */
  readonly onStep: (done: number, figures: Figures) => void
}

/** A critic in service is to be moved, not made anew: at 1e-3 the feature path forgets what little traffic does not repeat. */
const LEARNING_RATE = 3e-4
/** Largest share of the time in which the feature path learns alone, where it has anything to learn. */
const FEATURES_SHARE = 0.25

/** Share of the gate's own loss: the text path learns labelled steps of the traffic too, so the gate may open there. */
const GATE_SHARE = 0.1

/** Times each path sees a lesson, at most, however long the round: more costs what was known (models/LOG.md). */
export const PASSES = { features: 3, text: 1 }

export interface Learned {
  readonly weights: Weights
  /** What the outcome path came to. */
  readonly outcomes: Figures
}

/** Trains until the time is used or everything was seen. @throws the signal's reason when aborted */
export async function learn(
  { config, weights: before }: Start,
  { pools, features, outcomes, weigh }: Lessons,
  { threads, budgetMs, rng, now, signal, checkpoints, onStep }: LearnOptions,
): Promise<Learned> {
  const shared = { engine: tracedEngine({ threads }), config, now, ...(signal ? { signal } : {}) }
  const saved = (part: string) => (checkpoints ? { checkpoints: checkpoints(part) } : {})
  const figures = runningFigures()
  const ofFeatures = rng.fork('features')
  const featureSteps = batchesOfPasses(features, STEP_BUCKETS, PASSES.features)
  const share = featureSteps > 0 ? FEATURES_SHARE : 0
  const learnFeatures = () =>
    fitFeaturePath({
      ...shared,
      ...saved('features'),
      weights: before,
      pools: features,
      weigh,
      budget: { ms: share * budgetMs, steps: featureSteps },
      learningRate: LEARNING_RATE,
      onStep: progress => onStep(share * progress.done, figures(progress)),
      seed: ofFeatures.int(0, 2 ** 31 - 1),
      rng: ofFeatures,
    })
  const byFeatures = share > 0 ? await learnFeatures() : before
  const ordered = learnOutcomes(byFeatures, outcomes, rng.fork('outcomes'))
  const steps = batchesOfPasses(pools, BUCKETS, PASSES.text)
  const learnText = () =>
    fit({
      ...shared,
      ...saved('text'),
      weights: ordered.weights,
      adaptation: partOf(everyWeight(config), name => !isFeaturePath(name) && !isOutcomePath(name)),
      draw: createSampler(pools, BUCKETS, rng),
      shares: { lm: 0, step: 1, pair: 0.5, gate: GATE_SHARE }, // the language model is not served by a critic
      weigh,
      budget: { ms: (1 - share) * budgetMs, steps },
      learningRate: LEARNING_RATE,
      warmup: 0.1,
      onStep: progress => onStep(share + (1 - share) * progress.done, figures(progress)),
    })
  // All that is new may be too long for a row, which the other paths do not need.
  const hasNoText = steps === 0 && outcomes.groups.length + features.length > 0
  return { weights: hasNoText ? ordered.weights : await learnText(), outcomes: ordered.figures }
}

/** Losses of single batches jump: pools differ. */
function runningFigures(): (progress: FitProgress) => Figures {
  const mean = { step: 0, pair: 0 }
  return ({ step, lossStep, lossPair, tokensPerSecond }) => {
    const rate = Math.max(0.02, 1 / (step + 1))
    mean.step += rate * (lossStep - mean.step)
    mean.pair += rate * (lossPair - mean.pair)
    return {
      steps: step + 1,
      loss_step: round(mean.step),
      loss_pair: round(mean.pair),
      tokens_per_second: Math.round(tokensPerSecond),
    }
  }
}
