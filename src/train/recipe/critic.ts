// Recipe of the first critic: a step head on the base, trained on human labels, injected errors, the solver's own errors and
// sneaky edits. One command, from data and base to artifact. Every choice is logged in models/LOG.md.
import { mkdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { FEATURES } from '../../critic/features.ts'
import { type Manifest, openArtifact } from '../../critic/manifest.ts'
import { openSolver } from '../../critic/solver-model.ts'
import { createTokenizer, type TextTokenizer } from '../../critic/tokenizer.ts'
import { gsm8k, isHeldBack, mrben, prm800kComparisons, prm800kSolutions, prmbench } from '../data/corpora.ts'
import type { Comparison, Example } from '../data/example.ts'
import { comparisonUnit, exampleUnit, type Unit } from '../data/units.ts'
import { OPSET } from '../engine/graph.ts'
import { exportCritic, readWeights } from '../export.ts'
import { fit } from '../fit/fit.ts'
import { type BucketOptions, createSampler, type Pool } from '../fit/sampler.ts'
import { initWeights, type ModelConfig } from '../model/config.ts'
import { initLora, type LoraOptions, lora, mergeLora } from '../model/lora.ts'
import { createRng, type Rng } from '../rng.ts'
import { corruptSolution } from '../sneaky/apply.ts'
import { createPolicy } from '../sneaky/policy.ts'
import { BUCKETS, bucketsOf, dataHash, MAX_LENGTH, type RecipeContext } from './base.ts'
import { generateProblems, solutionExample } from './built-in.ts'
import { classWeights } from './label-weights.ts'
import { createProgress } from './progress.ts'
import { finishCritic } from './reading.ts'
import { sampleProblems } from './samples.ts'

export interface CriticContext extends RecipeContext {
  /** Folder of the base's artifact. */
  readonly baseDir: string
  /** Generated problems the solver samples for training; a sixth of it again is held back. 0 where the base solves none. */
  readonly sampledProblems: number
  /** Trains low-rank pairs beside the frozen base instead of all of it. */
  readonly lora?: LoraOptions
}

/**
 * Where the base is frozen, it is likely large: at 135 M weights a padded token takes 4 MB, and each length keeps its memory
 * (bench adapt). So few lengths and small batches.
 */
const FROZEN_BUCKETS: BucketOptions = { ...BUCKETS, lengths: [208, MAX_LENGTH], tokens: 768 }

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

const exampleUnits = (tokenizer: TextTokenizer, examples: readonly Example[]): Unit[] =>
  examples.flatMap(example => exampleUnit(tokenizer, example, MAX_LENGTH) ?? [])
const comparisonUnits = (tokenizer: TextTokenizer, comparisons: readonly Comparison[]): Unit[] =>
  comparisons.flatMap(comparison => comparisonUnit(tokenizer, comparison, MAX_LENGTH) ?? [])

/** Right against wrong samples of one problem, compared as wholes. */
function outcomeComparisons(samples: readonly Example[]): Comparison[] {
  const right = samples.filter(s => s.outcome === 1)
  const wrong = samples.filter(s => s.outcome === 0)
  return Array.from({ length: Math.min(right.length, wrong.length) }, (_, i) => ({
    better: right[i]!,
    worse: wrong[i]!,
    from: 0,
  }))
}

/** Samples of the base on generated problems, to train on and held back. */
async function sampleSolver({ baseDir, print, sampledProblems, seed }: CriticContext, rng: Rng) {
  if (sampledProblems === 0) return { sampled: [], heldSampled: [] }
  print.write('sampling the solver\n')
  const solver = await openSolver(baseDir, { threads: 2 })
  const sampling = { perProblem: 6, temperature: 0.8, maxTokens: 220, seed }
  const sampled = await sampleProblems(
    solver,
    generateProblems(rng.fork('sampled'), sampledProblems, 'train'),
    sampling,
  )
  const heldSampled = await sampleProblems(
    solver,
    generateProblems(rng.fork('held'), Math.ceil(sampledProblems / 6), 'heldout'),
    { ...sampling, perProblem: 2 },
  )
  await solver.release()
  return { sampled, heldSampled }
}

/** Trains the critic and writes its artifact. @returns its manifest. */
export async function trainCritic(context: CriticContext): Promise<Manifest> {
  const { dataDir, out, seed, engine, now, print, baseDir } = context
  const rng = createRng(seed).fork('critic')
  const base = openArtifact(baseDir).manifest
  const tokenizerText = readFileSync(join(baseDir, 'tokenizer.json'), 'utf8')
  const tokenizer = createTokenizer(JSON.parse(tokenizerText))
  const config: ModelConfig = { ...base.model, features: FEATURES.length }

  const { sampled, heldSampled } = await sampleSolver(context, rng)

  print.write('encoding the labels\n')
  const trainable = (example: { problem: string }) => !isHeldBack(example.problem)
  const human = [...mrben(dataDir), ...prm800kSolutions(dataDir)]
  const ownSamples = sampled.flatMap(({ samples }) => samples)
  const ownPairs = sampled.flatMap(({ samples }) => outcomeComparisons(samples))
  const clean = [
    ...generateProblems(rng.fork('sneaky'), 4000, 'train').map(solutionExample),
    ...gsm8k(dataDir).filter(trainable),
  ]
  const sneaky = clean.flatMap(example => sneakyComparison(rng, example) ?? [])
  const pools: Pool[] = [
    { name: 'human', share: 0.34, units: exampleUnits(tokenizer, human.filter(trainable)) },
    {
      name: 'siblings',
      share: 0.2,
      units: comparisonUnits(
        tokenizer,
        prm800kComparisons(dataDir).filter(c => trainable(c.better)),
      ),
    },
    {
      name: 'injected',
      share: 0.08,
      units: comparisonUnits(
        tokenizer,
        prmbench(dataDir).filter(c => trainable(c.better)),
      ),
    },
    { name: 'own samples', share: 0.12, units: exampleUnits(tokenizer, ownSamples) },
    { name: 'own pairs', share: 0.1, units: comparisonUnits(tokenizer, ownPairs) },
    { name: 'sneaky', share: 0.16, units: comparisonUnits(tokenizer, sneaky) },
  ]
  print.write(`${pools.map(p => `${p.name} ${p.units.length}`).join(', ')}\n`)

  const stored = readWeights(config, readFileSync(join(baseDir, 'model.onnx')))
  const start = initWeights(config, rng.fork('head'), stored)
  const beside = context.lora && {
    adaptation: lora(config, context.lora),
    weights: { ...start, ...initLora(config, context.lora, rng.fork('lora')) },
    shares: { lm: 0, step: 1, pair: 0.5 }, // a large vocabulary costs more than the rest of the step
  }
  const trained = await fit({
    engine,
    config,
    weights: start,
    draw: createSampler(pools, bucketsOf(context, beside ? FROZEN_BUCKETS : BUCKETS), rng.fork('batches')),
    shares: { lm: 0.1, step: 1, pair: 0.5 },
    weigh: classWeights(pools.flatMap(p => p.units)),
    budget: context.budget,
    learningRate: context.learningRate ?? (beside ? 3e-4 : 1e-3),
    now,
    onStep: createProgress({
      label: 'critic',
      out: print,
      now,
      ...(context.logFile ? { logFile: context.logFile } : {}),
    }),
    ...beside,
  })
  const merged = context.lora ? mergeLora(config, context.lora, trained) : trained
  const { untied: _, ...served } = config // a critic writes no words: it needs no output table

  mkdirSync(out, { recursive: true })
  const files = { 'model.onnx': await exportCritic(served, merged), 'tokenizer.json': tokenizerText }
  const heldBack = [...human.filter(e => !trainable(e)), ...heldSampled.flatMap(({ samples }) => samples)]
  const replay = rng.shuffle([...human.filter(trainable), ...ownSamples]).slice(0, 1500)
  const facts = {
    kind: 'critic' as const,
    version: context.version,
    created_at: context.createdAt,
    parent: `base/${base.version}`,
    opset: OPSET,
    model: served,
    max_length: MAX_LENGTH,
    features: FEATURES,
    data_hash: dataHash(dataDir),
    seed,
    command: context.command,
  }
  return finishCritic({ out, files, facts, slice: heldBack, replay })
}
