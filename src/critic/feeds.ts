// Planned rows to the inputs of the scoring graph, and its outputs to what is kept of their parts. Knows no session and no cache.
import * as ort from 'onnxruntime-node'
import { FEATURE_INPUTS, writeFeatureInputs } from './features.ts'
import type { ModelShape } from './manifest.ts'
import { type Kept, type Planned, startOfPart, stepOfPart } from './plan.ts'

/** Sizes of a model's keys and values. */
export interface StateShape {
  readonly layers: number
  readonly heads: number
  readonly dim: number
}

export const stateShape = (model: ModelShape): StateShape => ({
  layers: model.layers,
  heads: model.kvHeads,
  dim: model.headDim ?? model.width / model.heads,
})

/** Place of a key that its row does not have: after every token, so that none sees it. */
const NOWHERE = 1e9

/** Names of a model's tensors of keys and values, in the order in which a kept state holds them. */
function* stateNames({ layers }: StateShape): Generator<string> {
  for (let i = 0; i < layers; i++) yield* [`key.${i}`, `value.${i}`]
}

const longest = (sizes: readonly number[]): number => sizes.reduce((a, b) => Math.max(a, b), 0)

/** Steps of a row whose `<step>` token runs. */
export const stepsToRun = ({ job, past }: Planned) => job.row.steps.filter(step => step.at >= past)

/**
 * What every scoring graph takes: the tokens that run, padded on the right (causal attention never looks there, so padding changes no
 * score), and the features of their steps.
 */
export function tokenFeeds(rows: readonly Planned[]): Record<string, ort.Tensor> {
  const length = longest(rows.map(row => row.length))
  const grid = [rows.length, length]
  const size = rows.length * length
  const channel = { tokens: new Int32Array(size), slots: new Int32Array(size), flags: new Int32Array(size) }
  const positions = Float32Array.from(
    { length: size },
    (_, i) => rows[Math.floor(i / length)]!.past + (i % length),
  )
  const places: number[] = []
  const values: Float32Array[] = []
  rows.forEach((planned, r) => {
    const { job, past } = planned
    for (const name of ['tokens', 'slots', 'flags'] as const)
      channel[name].set(job.row[name].slice(past), r * length)
    for (const step of stepsToRun(planned)) {
      places.push(r * length + step.at - past)
      values.push(job.features[step.index]!)
    }
  })
  const features = new Float32Array(values.length * FEATURE_INPUTS)
  for (const [i, ofStep] of values.entries()) writeFeatureInputs(ofStep, features, i * FEATURE_INPUTS)
  return {
    tokens: new ort.Tensor('int32', channel.tokens, grid),
    slots: new ort.Tensor('int32', channel.slots, grid),
    flags: new ort.Tensor('int32', channel.flags, grid),
    positions: new ort.Tensor('float32', positions, grid),
    step_index: new ort.Tensor('int32', Int32Array.from(places), [places.length]),
    features: new ort.Tensor('float32', features, [places.length, FEATURE_INPUTS]),
  }
}

/** Memory that is used again run after run, as fresh memory is slow; one run at a time may use it. */
export type Scratch = (size: number) => Float32Array

export function createScratch(): Scratch {
  let memory = new Float32Array(0)
  return size => {
    if (memory.length < size) memory = new Float32Array(size)
    return memory.subarray(0, size)
  }
}

/** What a graph with a past takes beside that: the kept keys and values of each row, padded on the right, and the places of all keys. */
export function pastFeeds(
  rows: readonly Planned[],
  shape: StateShape,
  scratch: Scratch,
): Record<string, ort.Tensor> {
  const { layers, heads, dim } = shape
  const past = Math.max(1, longest(rows.map(row => row.past))) // GPU buffers cannot be empty
  const length = longest(rows.map(row => row.length))
  const places = Float32Array.from({ length: rows.length * (past + length) }, (_, i) => {
    const known = rows[Math.floor(i / (past + length))]!.past
    const at = i % (past + length)
    if (at >= past) return known + at - past
    return at < known ? at : NOWHERE
  })
  const size = rows.length * heads * past * dim
  const all = scratch(2 * layers * size)
  rows.forEach((row, r) => {
    for (let t = 0; t < 2 * layers; t++) {
      for (let h = 0; h < heads; h++) {
        let at = t * size + (r * heads + h) * past * dim
        const end = at + past * dim
        for (const { tokens, state } of row.known) {
          const from = (t * heads + h) * tokens * dim
          all.set(state.subarray(from, from + tokens * dim), at)
          at += tokens * dim
        }
        all.fill(0, at, end) // what another run left here is not seen, but must be finite
      }
    }
  })
  const grid = [rows.length, heads, past, dim]
  const states = [...stateNames(shape)].map(
    (name, t) =>
      [`past_${name}`, new ort.Tensor('float32', all.subarray(t * size, (t + 1) * size), grid)] as const,
  )
  return {
    key_positions: new ort.Tensor('float32', places, [rows.length, past + length]),
    ...Object.fromEntries(states),
  }
}

/** Copies the keys and values of the i-th part of row `r` out of a run's outputs, in the layout that `pastFeeds` reads. */
export function stateOfPart(
  outputs: Readonly<Record<string, ort.Tensor>>,
  rows: readonly Planned[],
  r: number,
  i: number,
  shape: StateShape,
): Pick<Kept, 'tokens' | 'state'> {
  const { layers, heads, dim } = shape
  const { job, past } = rows[r]!
  const start = startOfPart(job, i)
  const tokens = job.row.ends[i]! + 1 - start
  const length = longest(rows.map(row => row.length))
  const state = new Float32Array(2 * layers * heads * tokens * dim)
  let at = 0
  for (const name of stateNames(shape)) {
    const all = outputs[`new_${name}`]!.data as Float32Array
    for (let h = 0; h < heads; h++) {
      const from = ((r * heads + h) * length + start - past) * dim
      state.set(all.subarray(from, from + tokens * dim), at)
      at += tokens * dim
    }
  }
  return { tokens, state }
}

/** Number of parts of a row that can be kept: all before the first scored step without a logit. */
export function keepable({ job, keys }: Planned): number {
  const missing = keys.findIndex((_, i) => {
    const step = job.row.steps[stepOfPart(job, i)]
    return step !== undefined && job.out[step.index] === null
  })
  return missing < 0 ? keys.length : missing
}
