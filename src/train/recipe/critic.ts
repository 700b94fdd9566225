// Recipe of the first critic: a step head on the base, its feature path first and the text path after it, on human labels, injected
// errors, the solver's own errors and sneaky edits. One command, from data and base to artifact. Choices are logged in models/LOG.md.
import { mkdirSync } from 'node:fs'
import type { Manifest } from '../../critic/manifest.ts'
import { openSolver } from '../../critic/solver-model.ts'
import { exportCritic } from '../export.ts'
import { fit } from '../fit/fit.ts'
import { type BucketOptions, createSampler } from '../fit/sampler.ts'
import { initWeights, isOutcomePath, OUTCOME_WEIGHTS, type Weights } from '../model/config.ts'
import { everyWeight, initLora, type LoraOptions, lora, mergeLora, partOf } from '../model/lora.ts'
import { createRng, type Rng } from '../rng.ts'
import { BUCKETS, bucketsOf, MAX_LENGTH, type RecipeContext } from './base.ts'
import { generateProblems } from './built-in.ts'
import { criticLessons, humanExamples, importedTextPools, textPools } from './critic-pools.ts'
import { criticFacts, openBase, REPLAY, startFeatures } from './critic-start.ts'
import { fitEndings, wholeSolutions } from './endings.ts'
import { isFeaturePath } from './feature-path.ts'
import { classWeights } from './label-weights.ts'
import { endingsOf, fitOutcomePath } from './outcome-path.ts'
import { createProgress } from './progress.ts'
import { finishCritic, stepAucOf } from './reading.ts'
import { sampleProblems } from './samples.ts'

/** Share of the gate's own loss: without it the gate is slow to shut on human text (models/LOG.md). */
const GATE_SHARE = 0.3
/**
 * Of the outcome path, which learns what a right ending looks like from solutions that people wrote and the same with an error that runs on to their
 * answer. A weaker ridge orders endings better and costs more of the step AUC on human labels (models/LOG.md).
 */
const OUTCOME_RIDGE = 0.3
/** How much of that fit is taken: the order of endings hardly depends on it, what an ending says as a step does. */
const OUTCOME_SHARE = 0.7

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
    { ...sampling, perProblem: 4 },
  )
  await solver.release()
  return { sampled, heldSampled }
}

/** Trains the critic and writes its artifact. @returns its manifest. */
export async function trainCritic(context: CriticContext): Promise<Manifest> {
  const { dataDir, out, engine, now, print, baseDir } = context
  const rng = createRng(context.seed).fork('critic')
  const base = openBase(baseDir)
  const { config, tokenizer, tokenizerText } = base

  const { sampled, heldSampled } = await sampleSolver(context, rng)

  print.write('encoding the labels\n')
  const lessons = criticLessons(dataDir, sampled, rng)
  const pools = (context.lora ? importedTextPools : textPools)(lessons, tokenizer)
  print.write(`${pools.map(p => `${p.name} ${p.units.length}`).join(', ')}\n`)

  const fresh = initWeights(config, rng.fork('head'), base.stored)
  const byFeatures = await startFeatures(context, config, fresh, lessons, rng)
  const texts = lessons.sneakyTexts.map(({ better }) => better)
  const ofEndings = rng.fork('endings')
  const ended = fitEndings(byFeatures, wholeSolutions(lessons.human, texts, ofEndings), ofEndings)
  const fitted = fitOutcomePath(ended, endingsOf(lessons.sneakyTexts), [OUTCOME_RIDGE]).weights
  const start = { ...fitted, [OUTCOME_WEIGHTS]: fitted[OUTCOME_WEIGHTS]!.map(w => OUTCOME_SHARE * w) }
  const { lora: pairs } = context
  const { untied: _, ...served } = config // a critic writes no words: it needs no output table
  const facts = criticFacts(context, base, served)
  const filesOf = async (weights: Weights) => {
    const merged = pairs ? mergeLora(config, pairs, weights) : weights
    return { 'model.onnx': await exportCritic(served, merged), 'tokenizer.json': tokenizerText }
  }

  // Errors of real models are what a critic is for, and the training loss says little about them; the solver's are its daily bread.
  const heldOut = [humanExamples(dataDir, true), heldSampled.flatMap(({ samples }) => samples)]
  const measured = heldOut.filter(examples => examples.length > 0)
  let best = { auc: Number.NEGATIVE_INFINITY, files: null as Record<string, Uint8Array | string> | null }
  const measure = async (weights: Weights, done: number) => {
    const files = await filesOf(weights)
    const reached = await stepAucOf(files, facts, measured)
    const figures = reached.map(value => value.toFixed(4)).join(' and ')
    print.write(
      `\n${Math.round(100 * done)} %: step AUC ${figures} on held-back human labels and own samples\n`,
    )
    const mean = reached.reduce((sum, value) => sum + value, 0) / reached.length
    if (mean > best.auc) best = { auc: mean, files }
  }
  const trained = await fit({
    engine,
    config,
    weights: pairs ? { ...start, ...initLora(config, pairs, rng.fork('lora')) } : start,
    // The feature path stays: what the text adds is fitted to what it leaves over. So does the outcome path.
    adaptation: partOf(
      pairs ? lora(config, pairs) : everyWeight(config),
      name => !isFeaturePath(name) && !isOutcomePath(name),
    ),
    draw: createSampler(pools, bucketsOf(context, pairs ? FROZEN_BUCKETS : BUCKETS), rng.fork('batches')),
    // Beside a large vocabulary the language model costs more than the rest of the step.
    shares: { lm: pairs ? 0 : 0.1, step: 1, pair: 0.5, gate: pairs ? 0 : GATE_SHARE },
    weigh: classWeights(pools.flatMap(p => p.units)),
    budget: context.budget,
    ...context.controls,
    // A base that moves faster leaves its gate behind (models/LOG.md).
    learningRate: context.learningRate ?? 3e-4,
    now,
    onStep: createProgress({
      label: 'critic',
      out: print,
      now,
      ...(context.logFile ? { logFile: context.logFile } : {}),
    }),
    milestones: 6,
    ...(measured.length > 0 && { onMilestone: measure }),
  })

  mkdirSync(out, { recursive: true })
  const files = best.files ?? (await filesOf(trained))
  const slice = heldOut.flat()
  const learned = [...humanExamples(dataDir, false), ...sampled.flatMap(({ samples }) => samples)]
  const replay = rng.shuffle(learned).slice(0, REPLAY)
  return finishCritic({ out, files, facts, slice, replay })
}
