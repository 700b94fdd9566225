// The training loop: draw a batch, step, report, until the budget is used. Reads top to bottom; knows no corpus and no file.
import type { Engine, HostTensor, Program } from '../engine/engine.ts'
import { type ModelConfig, type Weights, weightShapes } from '../model/config.ts'
import { type Adaptation, everyWeight } from '../model/lora.ts'
import type { BatchShape } from '../model/loss.ts'
import { ADAMW, type OptimizerConfig, stepSpecs, trainStep } from '../train-step.ts'
import { type LabelWeight, type LossShares, packBatch } from './batch.ts'
import type { Drawn } from './sampler.ts'

/** How long to train: the first limit reached ends it. The schedule follows whichever is closer. */
export interface FitBudget {
  readonly steps?: number
  readonly ms?: number
}

export interface FitProgress {
  readonly step: number
  /** Share of the budget used, 0 to 1. */
  readonly done: number
  readonly loss: number
  readonly lossLm: number
  readonly lossStep: number
  readonly lossPair: number
  readonly gradNorm: number
  readonly learningRate: number
  readonly tokensPerSecond: number
}

export interface FitOptions {
  readonly engine: Engine
  readonly config: ModelConfig
  /** Start; not changed. */
  readonly weights: Weights
  /** What is trained when it is not every weight; its extra weights are among `weights`. */
  readonly adaptation?: Adaptation
  readonly draw: () => Drawn
  readonly shares: LossShares
  readonly weigh: LabelWeight
  readonly budget: FitBudget
  readonly learningRate: number
  /** Share of the budget spent on warming up. */
  readonly warmup?: number
  readonly optimizer?: OptimizerConfig
  /** Milliseconds, monotonic. */
  readonly now: () => number
  readonly signal?: AbortSignal
  /** Called after every step. */
  readonly onStep?: (progress: FitProgress) => void
}

const number = (t: HostTensor | undefined): number => t?.data[0] ?? Number.NaN
const scalar = (value: number): HostTensor => ({ data: Float32Array.of(value), shape: [] })

/** Linear warm-up, then cosine down to a tenth (Loshchilov and Hutter 2017, arXiv 1608.03983). `done` in [0, 1]. */
export function scheduledRate(peak: number, done: number, warmup: number): number {
  if (done < warmup) return (peak * (done + 1e-3)) / (warmup + 1e-3)
  const rest = (done - warmup) / (1 - warmup)
  return peak * (0.1 + 0.45 * (1 + Math.cos(Math.PI * Math.min(1, rest))))
}

/** Trains and returns new weights; frozen ones are the arrays that were given. @throws the signal's reason when aborted; an Error when the loss is not finite. */
export async function fit(options: FitOptions): Promise<Weights> {
  const { engine, config, budget, draw, now } = options
  const optimizer = options.optimizer ?? ADAMW
  if (budget.steps === undefined && budget.ms === undefined)
    throw new Error('the budget names neither steps nor time')
  const adaptation = options.adaptation ?? everyWeight(config)
  const shapes = { ...weightShapes(config), ...adaptation.trained }
  const frozen: Record<string, HostTensor> = {}
  const programs = new Map<string, Program>()
  const programFor = async (shape: BatchShape): Promise<Program> => {
    const key = JSON.stringify(shape)
    let program = programs.get(key)
    if (!program) {
      const parts = { lm: options.shares.lm > 0 }
      const step = trainStep(config, optimizer, parts, adaptation)
      program = await engine.compile(step, stepSpecs(config, shape, adaptation))
      programs.set(key, program)
    }
    return program
  }

  // Weights and moments travel as host tensors: outputs of one step are inputs of the next.
  let state: Record<string, HostTensor> = {}
  for (const [name, shape] of Object.entries(shapes)) {
    if (!(name in adaptation.trained)) {
      frozen[`w:${name}`] = { data: options.weights[name]!, shape }
      continue
    }
    state[`w:${name}`] = { data: options.weights[name]!, shape }
    state[`m:${name}`] = { data: new Float32Array(options.weights[name]!.length), shape }
    state[`v:${name}`] = { data: new Float32Array(options.weights[name]!.length), shape }
  }

  const start = now()
  let tokens = 0
  try {
    for (let step = 0; ; step++) {
      options.signal?.throwIfAborted()
      const elapsed = now() - start
      const done = Math.max(
        step / (budget.steps ?? Number.POSITIVE_INFINITY),
        elapsed / (budget.ms ?? Number.POSITIVE_INFINITY),
      )
      if (done >= 1) break

      const { shape, units } = draw()
      const program = await programFor(shape)
      const learningRate = scheduledRate(options.learningRate, done, options.warmup ?? 0.05)
      const outputs = await program.run({
        ...frozen,
        ...state,
        ...packBatch(units, shape, options.shares, options.weigh),
        lr: scalar(learningRate),
        correct1: scalar(1 / (1 - optimizer.beta1 ** (step + 1))),
        correct2: scalar(1 / (1 - optimizer.beta2 ** (step + 1))),
      })
      const loss = number(outputs['loss'])
      if (!Number.isFinite(loss))
        throw new Error(`the loss became ${loss} at step ${step}; lower the learning rate`)
      state = Object.fromEntries(Object.keys(state).map(name => [name, outputs[name]!]))

      tokens += shape.rows * shape.length
      options.onStep?.({
        step,
        done,
        loss,
        lossLm: number(outputs['loss_lm']),
        lossStep: number(outputs['loss_step']),
        lossPair: number(outputs['loss_pair']),
        gradNorm: number(outputs['grad_norm']),
        learningRate,
        tokensPerSecond: (tokens / Math.max(1, now() - start)) * 1000,
      })
      // onnxruntime-node computes inside the call: let timers, signals and messages through between steps.
      await new Promise(resolve => setImmediate(resolve))
    }
  } finally {
    await Promise.all([...programs.values()].map(program => program.release()))
  }
  return Object.fromEntries(
    Object.keys(shapes).map(name => {
      const trained = state[`w:${name}`]
      return [name, trained ? Float32Array.from(trained.data) : options.weights[name]!]
    }),
  )
}
