// Takes optimiser steps on an engine: packs micro-batches, draws dropout, runs programs, keeps weights and moments inside the engine.
// Knows no schedule, no budget and no file.
import { sizeOf } from '../engine/memory.ts'
import type { Engine, HostTensor, HostTensors } from '../engine/port.ts'
import { type ModelConfig, type Weights, weightShapes } from '../model/config.ts'
import { dropoutPlaces } from '../model/dropout.ts'
import type { Adaptation } from '../model/lora.ts'
import type { BatchShape } from '../model/loss.ts'
import { createRng } from '../rng.ts'
import {
  applySpecs,
  applyStep,
  gradientSpecs,
  gradientStep,
  type OptimizerConfig,
  stepSpecs,
  trainStep,
} from '../train-step.ts'
import { featureGain, type LabelWeight, type LossShares, packBatches } from './batch.ts'
import { createPrograms } from './programs.ts'
import type { Drawn } from './sampler.ts'

/** Share of values dropped, and the seed of which. */
export interface Dropout {
  readonly rate: number
  readonly seed: number | string
}

export interface StepperOptions {
  readonly engine: Engine
  readonly config: ModelConfig
  readonly optimizer: OptimizerConfig
  readonly adaptation: Adaptation
  readonly shares: LossShares
  readonly weigh: LabelWeight
  /** Micro-batches in a step. */
  readonly accumulate: number
  readonly dropout: Dropout
  /** Share of hand features hidden at each step; none when absent. */
  readonly featureDropout?: Dropout
  /** Leaves the trunk out, see `LossOptions`. */
  readonly featuresAlone?: boolean
  readonly memoryBytes: number
}

export interface StepFigures {
  readonly loss: number
  readonly lossLm: number
  readonly lossStep: number
  readonly lossPair: number
  readonly gradNorm: number
}

export interface Stepper {
  /** Takes step number `step` (from 0) on `accumulate` micro-batches. */
  take(drawn: readonly Drawn[], step: number, learningRate: number): Promise<StepFigures>
  /** Trained weights `w:` and their moments `m:` and `v:`; on the CPU valid until the next step. */
  state(): Promise<Record<string, HostTensor>>
  release(): Promise<void>
}

const number = (t: HostTensor | undefined): number => t?.data[0] ?? Number.NaN
const scalar = (value: number): HostTensor => ({ data: Float32Array.of(value), shape: [] })

/** Row and column numbers of a micro-batch's dropout: the same seed, step and place give the same masks, see model/dropout.ts. */
function dropVectors(config: ModelConfig, { rows, length }: BatchShape, label: string): HostTensors {
  const rng = createRng(label)
  const places = dropoutPlaces(config)
  const vectors = (size: number): HostTensor => ({
    data: Float32Array.from({ length: places * size }, () => 64 + 64 * rng.uniform()),
    shape: [places, size],
  })
  return { drop_rows: vectors(rows * length), drop_columns: vectors(config.width) }
}

/** Takes weights in and is ready to step. `saved` holds weights and moments to go on from; moments are 0 without it. */
export async function createStepper(
  options: StepperOptions,
  weights: Weights,
  saved?: HostTensors,
): Promise<Stepper> {
  const {
    engine,
    config,
    optimizer,
    adaptation,
    accumulate,
    dropout,
    featureDropout,
    featuresAlone = false,
  } = options
  const { trained } = adaptation
  const kinds = accumulate > 1 ? ['m', 'v', 'g'] : ['m', 'v']
  const start: Record<string, HostTensor> = {}
  for (const [name, shape] of Object.entries({ ...weightShapes(config), ...trained })) {
    start[`w:${name}`] = saved?.[`w:${name}`] ?? { data: weights[name]!, shape }
    if (!(name in trained)) continue
    for (const kind of kinds)
      start[`${kind}:${name}`] = saved?.[`${kind}:${name}`] ?? {
        data: new Float32Array(sizeOf(shape)),
        shape,
      }
  }
  const names = Object.keys(trained)
  const updated = names.flatMap(name => [`w:${name}`, `m:${name}`, `v:${name}`])
  const gradients = names.map(name => `g:${name}`)
  const bytes = (keys: readonly string[]) => 4 * keys.reduce((sum, key) => sum + sizeOf(start[key]!.shape), 0)
  const programs = createPrograms({
    limitBytes: options.memoryBytes,
    fixedBytes: bytes(Object.keys(start)) + bytes(updated), // new state is there before the old one goes
  })
  const held = await engine.hold(start)
  const lossOptions = { lm: options.shares.lm > 0, dropout: dropout.rate, featuresAlone }

  const programFor = (shape: BatchShape) =>
    programs.get(JSON.stringify(shape), `a batch of ${shape.rows} rows of ${shape.length} tokens`, () =>
      accumulate > 1
        ? engine.prepare(
            gradientStep(config, lossOptions, adaptation),
            gradientSpecs(config, shape, adaptation, lossOptions),
            gradients,
          )
        : engine.prepare(
            trainStep(config, optimizer, lossOptions, adaptation),
            stepSpecs(config, shape, adaptation, lossOptions),
            updated,
          ),
    )

  return {
    async take(drawn, step, learningRate) {
      const rates = {
        lr: scalar(learningRate),
        correct1: scalar(1 / (1 - optimizer.beta1 ** (step + 1))),
        correct2: scalar(1 / (1 - optimizer.beta2 ** (step + 1))),
      }
      const figures = { loss: 0, loss_lm: 0, loss_step: 0, loss_pair: 0, grad_norm: 0 }
      const add = (outputs: HostTensors) => {
        for (const key of Object.keys(figures) as (keyof typeof figures)[])
          if (outputs[key]) figures[key] += number(outputs[key])
      }
      const gain =
        featureDropout &&
        featureGain(featureDropout.rate, createRng(`${featureDropout.seed}/features/${step}`))
      const batches = packBatches(drawn, options.shares, options.weigh, gain)
      for (const [i, batch] of batches.entries()) {
        const { shape } = drawn[i]!
        const program = await programFor(shape)
        const masks =
          dropout.rate > 0 ? dropVectors(config, shape, `${dropout.seed}/dropout/${step}/${i}`) : {}
        const rest = accumulate > 1 ? { keep: scalar(i === 0 ? 0 : 1) } : rates
        add(await program.run({ ...batch, ...masks, ...rest }, held))
      }
      if (accumulate > 1) {
        const apply = await programs.get('apply', 'the update of the weights', () =>
          engine.prepare(applyStep(optimizer, adaptation), applySpecs(adaptation), updated),
        )
        add(await apply.run(rates, held))
      }
      return {
        loss: figures.loss,
        lossLm: figures.loss_lm,
        lossStep: figures.loss_step,
        lossPair: figures.loss_pair,
        gradNorm: figures.grad_norm,
      }
    },
    async state() {
      const all = await held.read()
      return Object.fromEntries(updated.map(name => [name, all[name]!]))
    },
    async release() {
      await programs.release()
      await held.release()
    },
  }
}
