// The training loop: draw batches, step, report, save, until the budget is used. Reads top to bottom; knows no corpus and no file.
import { createHash } from 'node:crypto'
import type { Engine } from '../engine/port.ts'
import { type ModelConfig, type Weights, weightShapes } from '../model/config.ts'
import { type Adaptation, everyWeight } from '../model/lora.ts'
import { hashText } from '../rng.ts'
import { ADAMW, type OptimizerConfig } from '../train-step.ts'
import type { LabelWeight, LossShares } from './batch.ts'
import { type CheckpointStore, checkSettings, ForeignCheckpoint, type RunState } from './checkpoint.ts'
import type { Drawn } from './sampler.ts'
import { createStepper, type Dropout, type StepFigures } from './stepper.ts'

/** How long to train: the first limit reached ends it. The schedule follows whichever is closer. */
export interface FitBudget {
  readonly steps?: number
  readonly ms?: number
}

export interface FitProgress extends StepFigures {
  readonly step: number
  /** Share of the budget used, 0 to 1. */
  readonly done: number
  readonly learningRate: number
  readonly tokensPerSecond: number
  /** Padded tokens trained on and milliseconds taken, those before a resumption included. */
  readonly tokens: number
  readonly elapsedMs: number
}

/** What a person may ask of any run, whatever its recipe. */
export interface FitControls {
  /** Micro-batches drawn for each optimiser step; 1 when absent. */
  readonly accumulate?: number
  /** None when absent. */
  readonly dropout?: Dropout
  /** Bytes that weights, moments and open programs may take, by estimate; no limit when absent. */
  readonly memoryBytes?: number
  /** Saves now and then, at an abort and at the end, and goes on from what it loads. */
  readonly checkpoints?: CheckpointStore
  readonly signal?: AbortSignal
}

export interface FitOptions extends FitControls {
  readonly engine: Engine
  readonly config: ModelConfig
  /** Start; not changed. */
  readonly weights: Weights
  /** What is trained when it is not every weight; its extra weights are among `weights`. */
  readonly adaptation?: Adaptation
  /** Trains without the trunk: the feature path of the step head alone. */
  readonly featuresAlone?: boolean
  /** The same batches in the same order at every start, see `createSampler`. */
  readonly draw: () => Drawn
  readonly shares: LossShares
  readonly weigh: LabelWeight
  /** Share of hand features hidden at each step; none when absent. */
  readonly featureDropout?: Dropout
  readonly budget: FitBudget
  readonly learningRate: number
  /** Share of the budget spent on warming up. */
  readonly warmup?: number
  readonly optimizer?: OptimizerConfig
  /** Milliseconds, monotonic. */
  readonly now: () => number
  /** Called `milestones` times, evenly over the budget, with the weights so far; its time does not count. */
  readonly onMilestone?: (weights: Weights, done: number) => Promise<void>
  readonly milestones?: number
  /** Called after every step. */
  readonly onStep?: (progress: FitProgress) => void
}

/** Most of a run's time that saving may take: where a save takes long, the next comes later than asked for. */
const SAVE_SHARE = 0.01

/** Linear warm-up, then cosine down to a tenth (Loshchilov and Hutter 2017, arXiv 1608.03983). `done` in [0, 1]. */
export function scheduledRate(peak: number, done: number, warmup: number): number {
  if (done < warmup) return (peak * (done + 1e-3)) / (warmup + 1e-3)
  const rest = (done - warmup) / (1 - warmup)
  return peak * (0.1 + 0.45 * (1 + Math.cos(Math.PI * Math.min(1, rest))))
}

/** Hash of all that was drawn so far, from the hash before and one more batch: its shape and the tokens of its rows. */
const hashDrawn = (before: number, { shape, units }: Drawn): number =>
  hashText(JSON.stringify([shape, ...units.map(u => u.rows.map(r => r.row.tokens.length))]), before) ^
  (units[0]?.rows[0]?.row.tokens.reduce((h, t) => Math.imul(h ^ t, 0x01000193), before) ?? 0)

/** Hash of the weights that are not trained, which a checkpoint does not hold; null when there are none. */
function hashFrozen(weights: Weights, names: readonly string[]): string | null {
  if (names.length === 0) return null
  const hash = createHash('sha256')
  for (const name of names) hash.update(weights[name]!)
  return hash.digest('hex').slice(0, 16)
}

/**
 * Trains and returns new weights; frozen ones are the arrays that were given. A run that goes on from a checkpoint takes the steps it
 * would have taken. @throws the signal's reason when aborted; an Error when the loss is not finite, a checkpoint is of another
 * run, or a batch does not fit the memory.
 */
export async function fit(options: FitOptions): Promise<Weights> {
  const { config, budget, draw, now, signal, weights, checkpoints } = options
  if (budget.steps === undefined && budget.ms === undefined)
    throw new Error('the budget names neither steps nor time')
  const optimizer = options.optimizer ?? ADAMW
  const adaptation = options.adaptation ?? everyWeight(config)
  const accumulate = options.accumulate ?? 1
  const dropout = options.dropout ?? { rate: 0, seed: '' }
  const names = Object.keys({ ...weightShapes(config), ...adaptation.trained })
  const settings = {
    model: config,
    trained: adaptation.trained,
    'frozen weights': hashFrozen(weights, checkpoints ? names.filter(n => !(n in adaptation.trained)) : []),
    'losses’ shares': options.shares,
    optimizer,
    accumulate,
    dropout,
    'feature dropout': options.featureDropout ?? null,
    'features alone': options.featuresAlone ?? false,
  }

  const saved = checkpoints?.load() ?? null
  if (saved) checkSettings(saved.settings, settings)
  const run: { -readonly [key in keyof RunState]: RunState[key] } = {
    step: 0,
    elapsedMs: 0,
    tokens: 0,
    drawn: 0,
  }
  const drawStep = (): Drawn[] => {
    const drawn = Array.from({ length: accumulate }, draw)
    for (const one of drawn) run.drawn = hashDrawn(run.drawn, one)
    return drawn
  }
  if (saved) {
    for (let step = 0; step < saved.step; step++) drawStep()
    if (run.drawn !== saved.drawn)
      throw new ForeignCheckpoint('the checkpoint is of another run: the data or the seed differ')
    Object.assign(run, { step: saved.step, elapsedMs: saved.elapsedMs, tokens: saved.tokens })
  }

  const stepper = await createStepper(
    {
      ...options,
      optimizer,
      adaptation,
      accumulate,
      dropout,
      memoryBytes: options.memoryBytes ?? Number.POSITIVE_INFINITY,
    },
    weights,
    saved?.tensors,
  )
  const currentWeights = async (): Promise<Weights> => {
    const state = await stepper.state()
    return Object.fromEntries(
      names.map(name => [
        name,
        name in adaptation.trained ? Float32Array.from(state[`w:${name}`]!.data) : weights[name]!,
      ]),
    )
  }
  const milestones = options.onMilestone ? (options.milestones ?? 10) : 0
  let passed: number | null = null

  let start = now() - run.elapsedMs
  let [savedAt, savedStep, saveMs] = [now(), run.step, 0]
  const save = async () => {
    if (!checkpoints || run.step === savedStep) return
    const before = now()
    checkpoints.save({ ...run, settings, tensors: await stepper.state() })
    ;[savedAt, savedStep] = [now(), run.step]
    saveMs = savedAt - before
  }
  try {
    for (;;) {
      run.elapsedMs = now() - start
      if (signal?.aborted) await save()
      signal?.throwIfAborted()
      const done = Math.max(
        run.step / (budget.steps ?? Number.POSITIVE_INFINITY),
        run.elapsedMs / (budget.ms ?? Number.POSITIVE_INFINITY),
      )
      const reached = Math.floor(milestones * Math.min(1, done))
      if (reached > (passed ?? reached)) {
        const before = now()
        await options.onMilestone?.(await currentWeights(), done)
        start += now() - before
      }
      passed = reached
      if (done >= 1) break

      const drawn = drawStep()
      const learningRate = scheduledRate(options.learningRate, done, options.warmup ?? 0.05)
      const figures = await stepper.take(drawn, run.step, learningRate)
      if (!Number.isFinite(figures.loss))
        throw new Error(`the loss became ${figures.loss} at step ${run.step}; lower the learning rate`)

      run.tokens += drawn.reduce((sum, { shape }) => sum + shape.rows * shape.length, 0)
      run.elapsedMs = now() - start
      const tokensPerSecond = (run.tokens / Math.max(1, run.elapsedMs)) * 1000
      const { step, tokens, elapsedMs } = run
      run.step++
      options.onStep?.({ step, done, ...figures, learningRate, tokensPerSecond, tokens, elapsedMs })
      if (checkpoints && now() - savedAt >= Math.max(checkpoints.everyMs, saveMs / SAVE_SHARE)) await save()
      // onnxruntime-node computes inside the call: let timers, signals and messages through between steps.
      await new Promise(resolve => setImmediate(resolve))
    }
    await save()
    return await currentWeights()
  } finally {
    await stepper.release()
  }
}
