// A short training run of the tiny model on toy units, for tests that compare runs.
import type { Unit } from '../../../src/train/data/units.ts'
import { tracedEngine } from '../../../src/train/engine/engine.ts'
import { type FitOptions, type FitProgress, fit } from '../../../src/train/fit/fit.ts'
import { createSampler, type Pool } from '../../../src/train/fit/sampler.ts'
import { initWeights, type Weights } from '../../../src/train/model/config.ts'
import { createRng } from '../../../src/train/rng.ts'
import { TINY_MODEL } from '../../fakes/tiny-critic.ts'
import { toyPairs, toyUnits } from './toys.ts'

export const BUCKETS = { lengths: [48, 64], tokens: 512, stepsPer1000: 40 }
export const SHARES = { lm: 0.3, step: 1, pair: 0.5 }

export function toyPools(seed: string): Pool[] {
  const rng = createRng(seed)
  const pool = (name: string, units: Unit[]): Pool => ({ name, share: 0.5, units })
  return [pool('alone', toyUnits(rng, 200)), pool('pairs', toyPairs(rng, 100))]
}

/** Trains for some steps and returns the weights and what was reported. */
export async function shortRun(
  change: Partial<FitOptions> & { seed?: string },
): Promise<{ weights: Weights; reports: FitProgress[] }> {
  const { seed = 'run', ...options } = change
  const rng = createRng(seed)
  const reports: FitProgress[] = []
  const weights = await fit({
    engine: tracedEngine({ threads: 1 }),
    config: TINY_MODEL,
    weights: initWeights(TINY_MODEL, rng.fork('weights')),
    draw: createSampler(toyPools(seed), BUCKETS, rng.fork('batches')),
    shares: SHARES,
    weigh: () => 1,
    budget: { steps: 6 },
    learningRate: 0.01,
    now: () => 0,
    onStep: p => reports.push(p),
    ...options,
  })
  return { weights, reports }
}
