// Trains the step head's feature path without the trunk: it then sees every label many times in less than a minute. Knows no corpus, no
// traffic and no text path.
import type { LabelWeight } from '../fit/batch.ts'
import { type FitOptions, fit } from '../fit/fit.ts'
import { createSampler, type Pool } from '../fit/sampler.ts'
import type { Weights } from '../model/config.ts'
import { everyWeight, partOf } from '../model/lora.ts'
import type { Rng } from '../rng.ts'
import { BUCKETS } from './base.ts'
import { classWeights } from './label-weights.ts'

/** Share of hand features hidden at each step: solutions of a few models carry their habits, which others do not have. */
const FEATURE_DROPOUT = 0.4
/** Padded tokens in a batch: some 500 labels. */
const BATCH_TOKENS = 24_576

/** Whether a weight belongs to the feature path. */
export const isFeaturePath = (name: string): boolean => name.startsWith('head.features')

type FeatureFit = Pick<
  FitOptions,
  'engine' | 'config' | 'weights' | 'budget' | 'learningRate' | 'now' | 'signal' | 'onStep'
> & {
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
    adaptation: partOf(everyWeight(options.config), name => isFeaturePath(name) || name === 'head.out_bias'),
    draw: createSampler(pools, { ...BUCKETS, tokens: BATCH_TOKENS }, rng),
    shares: { lm: 0, step: 1, pair: 0.3 },
    weigh: options.weigh ?? classWeights(pools.flatMap(pool => pool.units)),
    featureDropout: { rate: FEATURE_DROPOUT, seed },
  })
