// What every recipe of a critic begins with: sizes and weights of its base, the step head's feature path, and what its manifest says.
// Knows no text path.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { FEATURE_INPUTS, FEATURES } from '../../critic/features.ts'
import { openArtifact } from '../../critic/manifest.ts'
import { createTokenizer, type TextTokenizer } from '../../critic/tokenizer.ts'
import { OPSET } from '../engine/graph.ts'
import { readWeights, weightsOf } from '../export.ts'
import { isOutcomePath, type ModelConfig, type Weights } from '../model/config.ts'
import type { Rng } from '../rng.ts'
import { dataHash, MAX_LENGTH, type RecipeContext } from './base.ts'
import { featurePools } from './critic-pools.ts'
import { fitFeaturePath, isFeatureWeight } from './feature-path.ts'
import { createProgress } from './progress.ts'
import type { Finish } from './reading.ts'

/** Hidden units of each path of the step head. */
const HEAD_WIDTH = 256
/** Steps of the feature path alone: each human label is seen some forty times. */
const FEATURE_STEPS = 3200
/** Training examples an artifact carries along against forgetting. */
export const REPLAY = 1500

export interface BaseStart {
  readonly version: string
  /** sha256 of the base's model file. */
  readonly modelHash: string
  /** The base's sizes with those of a critic's step head. */
  readonly config: ModelConfig
  /** The weights that the base has. */
  readonly stored: Weights
  readonly tokenizerText: string
  readonly tokenizer: TextTokenizer
}

/** Opens the base that a critic is to be trained on. @throws {AppError} CRITIC_INVALID when the folder is no artifact */
export function openBase(dir: string): BaseStart {
  const { manifest } = openArtifact(dir)
  const tokenizerText = readFileSync(join(dir, 'tokenizer.json'), 'utf8')
  const config: ModelConfig = { ...manifest.model, features: FEATURE_INPUTS, headWidth: HEAD_WIDTH }
  return {
    version: manifest.version,
    modelHash: manifest.files['model.onnx']!,
    config,
    stored: readWeights(config, readFileSync(join(dir, 'model.onnx'))),
    tokenizerText,
    tokenizer: createTokenizer(JSON.parse(tokenizerText)),
  }
}

/** Weights whose feature path has learned from every label it can have; nothing else has changed. */
export const startFeatures = (
  { engine, featureEngine = engine, now, print, seed, controls }: Omit<RecipeContext, 'budget'>,
  config: ModelConfig,
  weights: Weights,
  lessons: Parameters<typeof featurePools>[0],
  rng: Rng,
  steps = FEATURE_STEPS,
): Promise<Weights> =>
  fitFeaturePath({
    engine: featureEngine,
    config,
    weights,
    pools: featurePools(lessons),
    budget: { steps },
    learningRate: 2e-3,
    now,
    ...(controls?.signal && { signal: controls.signal }),
    onStep: createProgress({ label: 'features', out: print, now }),
    seed,
    rng: rng.fork('features'),
  })

/** What a critic reads off features: its feature path and its outcome path. @throws {AppError} CRITIC_INVALID when it is not one; Error when it reads other features or is of another size */
export function featurePathOf(dir: string, { features, headWidth }: ModelConfig): Weights {
  const artifact = openArtifact(dir)
  const { model, version, features: names } = artifact.manifest
  if (model.features !== features || model.headWidth !== headWidth || names.join() !== FEATURES.join())
    throw new Error(`the feature path of ${version} reads other features or is of another size`)
  const named = Object.entries(weightsOf(artifact)).filter(
    ([name]) => isFeatureWeight(name) || isOutcomePath(name),
  )
  return Object.fromEntries(named)
}

/** What the manifest of a critic says beside its figures. A critic writes no words: `model` has no output table. */
export const criticFacts = (
  { version, createdAt, dataDir, seed, command }: Omit<RecipeContext, 'budget'>,
  base: Pick<BaseStart, 'version'>,
  model: ModelConfig,
): Finish['facts'] => ({
  kind: 'critic',
  version,
  created_at: createdAt,
  parent: `base/${base.version}`,
  opset: OPSET,
  model,
  max_length: MAX_LENGTH,
  features: FEATURES,
  data_hash: dataHash(dataDir),
  seed,
  command,
})
