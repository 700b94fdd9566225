// Recipe of the base: tokenizer, then a language model on generated problems and the texts of `--data`. One command, from data to artifact.
import { existsSync, mkdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { FEATURE_INPUTS, FEATURES } from '../../critic/features.ts'
import { type Manifest, openArtifact, writeArtifact } from '../../critic/manifest.ts'
import { FLAGS, SLOTS } from '../../critic/parts.ts'
import { createTokenizer } from '../../critic/tokenizer.ts'
import { trainTokenizer } from '../bpe.ts'
import { CORPUS_FILES, gsm8k, isHeldBack, mrben, prm800kSolutions } from '../data/corpora.ts'
import type { Example } from '../data/example.ts'
import { hashFiles } from '../data/jsonl.ts'
import { exampleUnit } from '../data/units.ts'
import { OPSET } from '../engine/graph.ts'
import type { Engine } from '../engine/port.ts'
import { exportSampler, readWeights } from '../export.ts'
import { type FitBudget, type FitControls, fit } from '../fit/fit.ts'
import { type BucketOptions, createSampler } from '../fit/sampler.ts'
import { countWeights, initWeights, type ModelConfig } from '../model/config.ts'
import { createRng } from '../rng.ts'
import { generateProblems, solutionExample } from './built-in.ts'
import { drillExamples } from './drills.ts'
import { createProgress } from './progress.ts'

export interface RecipeContext {
  /** Folder of the labelled corpora; files that are missing are left out. */
  readonly dataDir: string
  /** Folder of the artifact to write. */
  readonly out: string
  readonly version: string
  readonly seed: number
  readonly budget: FitBudget
  /** Highest learning rate; the recipe's own when absent. An imported base wants less than a fresh one. */
  readonly learningRate?: number
  /** Padded tokens in a batch, about, instead of the recipe's own; memory grows with it. */
  readonly batchTokens?: number
  readonly engine: Engine
  /** For the feature path, whose steps are too small to be worth a GPU's; `engine` when absent. */
  readonly featureEngine?: Engine
  readonly now: () => number
  readonly print: { write(text: string): unknown; isTTY?: boolean }
  readonly logFile?: string
  /** Accumulation, dropout, memory, checkpoints and abort, as a person asked for them. */
  readonly controls?: FitControls
  /** The command line, for the manifest. */
  readonly command: string
  readonly createdAt: string
}

export interface BaseContext extends RecipeContext {
  /** Folder of a base to go on from, with its vocabulary; from scratch when absent. */
  readonly from?: string
}

/** The shipped size: 2.0 M numbers, 8 MB. */
const SMALL: Omit<ModelConfig, 'vocab'> = {
  width: 192,
  layers: 4,
  heads: 6,
  kvHeads: 3,
  mlp: 512,
  ropeTheta: 10_000,
  slots: SLOTS,
  flags: FLAGS,
  features: FEATURE_INPUTS,
  headWidth: 64,
}

const VOCAB = 2048
export const MAX_LENGTH = 512
/** Close lengths leave 8 % of padding (six of them left 15 to 21 %); drills have the most steps, some 80 in 1,000 tokens. */
export const BUCKETS: BucketOptions = {
  lengths: [64, 80, 96, 112, 128, 144, 176, 208, 256, 304, 352, 400, 456, 512],
  tokens: 3072,
  stepsPer1000: 90,
}

/** Length buckets with the batch size a person asked for. */
export const bucketsOf = ({ batchTokens }: RecipeContext, buckets = BUCKETS): BucketOptions =>
  batchTokens === undefined ? buckets : { ...buckets, tokens: batchTokens }

/** Generated problems to train on; each is seen about once in a quarter of an hour. */
const GENERATED = 40_000
/** Equations drilled beside those of the generated problems. */
const DRILLS = 120_000

/** Files of the corpora that exist, and their hash. */
export function dataHash(dataDir: string): string {
  return hashFiles(CORPUS_FILES.map(file => join(dataDir, file)).filter(path => existsSync(path)))
}

/** Trains the base and writes its artifact. @returns its manifest. */
export async function trainBase(context: BaseContext): Promise<Manifest> {
  const { dataDir, out, seed, engine, now, print } = context
  const rng = createRng(seed)
  const keep = (example: Example) => example.imitate && !isHeldBack(example.problem)
  const generated = generateProblems(rng.fork('problems'), GENERATED, 'train').map(solutionExample)
  const prose = [...mrben(dataDir), ...prm800kSolutions(dataDir)].filter(keep)
  const schoolMaths = gsm8k(dataDir).filter(keep)

  const drills = drillExamples(
    rng.fork('drills'),
    generated.flatMap(example => example.steps),
    DRILLS,
  )

  let tokenizerJson: object
  if (context.from === undefined) {
    print.write('learning the vocabulary\n')
    const texts = [...generated.slice(0, 6000), ...schoolMaths, ...prose].flatMap(example => [
      example.problem,
      ...example.steps,
    ])
    tokenizerJson = trainTokenizer(texts, VOCAB)
  } else tokenizerJson = JSON.parse(readFileSync(join(context.from, 'tokenizer.json'), 'utf8'))
  const tokenizer = createTokenizer(tokenizerJson)
  const parent = context.from === undefined ? null : openArtifact(context.from).manifest
  const config: ModelConfig = parent
    ? { ...parent.model, features: FEATURES.length }
    : { ...SMALL, vocab: tokenizer.vocab }

  print.write('encoding the texts\n')
  const pool = (name: string, examples: readonly Example[], share: number) => ({
    name,
    share,
    units: examples.flatMap(example => exampleUnit(tokenizer, example, MAX_LENGTH) ?? []),
  })
  const pools = [
    pool('generated', generated, 0.5),
    pool('drills', drills, 0.35),
    pool('gsm8k', schoolMaths, 0.08),
    pool('prose', prose, 0.07),
  ]
  const stored =
    context.from === undefined ? {} : readWeights(config, readFileSync(join(context.from, 'model.onnx')))
  const weights = initWeights(config, rng.fork('weights'), stored)
  print.write(
    `${countWeights(weights)} weights, ${pools.map(p => `${p.name} ${p.units.length}`).join(', ')}\n`,
  )

  const trained = await fit({
    engine,
    config,
    weights,
    draw: createSampler(pools, bucketsOf(context), rng.fork('batches')),
    shares: { lm: 1, step: 0, pair: 0 },
    weigh: () => 0,
    budget: context.budget,
    ...context.controls,
    learningRate: context.learningRate ?? (context.from === undefined ? 3e-3 : 2e-3),
    now,
    onStep: createProgress({
      label: 'base',
      out: print,
      now,
      ...(context.logFile ? { logFile: context.logFile } : {}),
    }),
  })

  mkdirSync(out, { recursive: true })
  return writeArtifact(
    out,
    { 'model.onnx': await exportSampler(config, trained), 'tokenizer.json': JSON.stringify(tokenizerJson) },
    {
      kind: 'base',
      version: context.version,
      created_at: context.createdAt,
      parent: parent?.version ?? null,
      opset: OPSET,
      model: config,
      max_length: MAX_LENGTH,
      features: FEATURES,
      metrics: {},
      data_hash: dataHash(dataDir),
      seed,
      command: context.command,
    },
  )
}
