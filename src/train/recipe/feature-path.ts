// Trains the step head's feature path without the trunk: it then sees every label many times in less than a minute. Knows no corpus, no
// traffic and no text path.
import type { LabelWeight } from '../fit/batch.ts'
import { type FitOptions, fit } from '../fit/fit.ts'
import { type BucketOptions, createSampler, type Pool } from '../fit/sampler.ts'
import type { Weights } from '../model/config.ts'
import { everyWeight, partOf } from '../model/lora.ts'
import type { Rng } from '../rng.ts'
import { classWeights } from './label-weights.ts'

/** Share of hand features hidden at each step: solutions of a few models carry their habits, which others do not have. */
const FEATURE_DROPOUT = 0.4
/** Rows are as long as they have steps: some 600 a batch. */
export const STEP_BUCKETS: BucketOptions = { lengths: [4, 8, 16, 32, 64], tokens: 600, stepsPer1000: 1000 }

/** Whether a weight belongs to the feature path. */
export const isFeaturePath = (name: string): boolean => name.startsWith('head.features')

/** Whether a weight is trained by `fitFeaturePath`: those of the feature path, and the head's bias. */
export const isFeatureWeight = (name: string): boolean => isFeaturePath(name) || name === 'head.out_bias'

type FeatureFit = Pick<
  FitOptions,
  'engine' | 'config' | 'weights' | 'budget' | 'learningRate' | 'now' | 'signal' | 'checkpoints' | 'onStep'
> & {
  /** Units without tokens, see data/units.ts. */
  readonly pools: readonly Pool[]
  readonly rng: Rng
  readonly seed: number | string
  /** Default: `classWeights`. */
  readonly weigh?: LabelWeight
}

/** Weights of which the feature path and the head's bias are trained and nothing else has changed. */
export const fitFeaturePath = ({ pools, rng, seed, ...options }: FeatureFit): Promise<Weights> =>
  fit({
    ...options,
    featuresAlone: true,
    adaptation: partOf(everyWeight(options.config), isFeatureWeight),
    draw: createSampler(pools, STEP_BUCKETS, rng),
    shares: { lm: 0, step: 1, pair: 0.5 },
    weigh: options.weigh ?? classWeights(pools.flatMap(pool => pool.units)),
    featureDropout: { rate: FEATURE_DROPOUT, seed },
  })
