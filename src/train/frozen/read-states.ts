// Reads rows with a frozen decoder, once: the hidden states at the ends of steps go into a file. Knows no labels and no step head.
import * as tf from '@tensorflow/tfjs'
import type { Row } from '../../critic/encode.ts'
import { PAD } from '../../critic/tokenizer.ts'
import type { Engine, HostTensor, HostTensors, Program } from '../engine/port.ts'
import type { TensorFunction, TensorSpec } from '../engine/trace.ts'
import { type ModelConfig, type Weights, weightShapes } from '../model/config.ts'
import { rowPositions } from '../model/loss.ts'
import { trunk } from '../model/trunk.ts'
import type { StateFile } from './state-file.ts'

export interface ReadProgress {
  /** Tokens read in this run, and of all that it has to read; padding not counted. */
  readonly tokens: number
  readonly of: number
  readonly elapsedMs: number
}

export interface ReadOptions {
  readonly engine: Engine
  readonly config: ModelConfig
  readonly weights: Readonly<Weights>
  readonly rows: readonly Row[]
  readonly file: StateFile
  /** Row lengths that rows are padded to, ascending; no row is longer than the last. */
  readonly lengths: readonly number[]
  /** Padded tokens in a batch, about: what memory a batch takes grows with it. */
  readonly batchTokens: number
  /** Milliseconds, monotonic. */
  readonly now: () => number
  readonly signal?: AbortSignal
  readonly onBatch?: (progress: ReadProgress) => void
}

/** Sizes that one compiled graph is for. */
interface ReadShape {
  readonly rows: number
  readonly length: number
}

/** Rows sorted by length together: few enough that what is read first is what stands first. */
const CHUNK = 128
/** Steps end with a token of their own, so that two tokens hold at most one. */
const placesOf = ({ rows, length }: ReadShape): number => Math.ceil((rows * length) / 2)

const isTrunk = (name: string): boolean => !name.startsWith('head.') && name !== 'output'

/** Hidden states at `step_index`, [steps, width], of a batch of padded rows. */
function stateGraph(config: ModelConfig, shape: ReadShape) {
  const { rows, length } = shape
  const grid: TensorSpec = { shape: [rows, length], dtype: 'int32' }
  const shapes = Object.entries(weightShapes(config)).filter(([name]) => isTrunk(name))
  const specs: Record<string, TensorSpec> = {
    ...Object.fromEntries(shapes.map(([name, shape]) => [name, { shape, dtype: 'float32' as const }])),
    ...{ tokens: grid, slots: grid, flags: grid, step_index: { shape: [placesOf(shape)], dtype: 'int32' } },
  }
  const read: TensorFunction = x => {
    const { tokens, slots, flags, step_index } = x as Record<string, tf.Tensor>
    const positions = rowPositions(rows, length)
    const { hidden } = trunk(config, x, {
      ...{ tokens: tokens!, slots: slots!, flags: flags!, positions, keyPositions: positions },
    })
    return { states: tf.gather(hidden, step_index!) }
  }
  return { read, specs }
}

function packRows(batch: readonly Row[], shape: ReadShape): HostTensors {
  const { rows, length } = shape
  const ints = (): Int32Array => new Int32Array(rows * length)
  const [tokens, slots, flags] = [ints().fill(PAD), ints(), ints()]
  const places = batch.flatMap((row, r) => {
    tokens.set(row.tokens, r * length)
    slots.set(row.slots, r * length)
    flags.set(row.flags, r * length)
    return row.steps.map(({ at }) => r * length + at)
  })
  const step_index = new Int32Array(placesOf(shape))
  step_index.set(places)
  const grid = (data: Int32Array): HostTensor => ({ data, shape: [rows, length] })
  return {
    ...{ tokens: grid(tokens), slots: grid(slots), flags: grid(flags) },
    step_index: { data: step_index, shape: [step_index.length] },
  }
}

const tokensIn = (rows: readonly Row[]): number => rows.reduce((sum, { tokens }) => sum + tokens.length, 0)

/** Rows cut into batches of one padded length each: in the order given, but for a chunk, within which rows go by their length. */
function* batchesOf(rows: readonly Row[], { lengths, batchTokens }: ReadOptions) {
  for (let from = 0; from < rows.length; from += CHUNK) {
    const chunk = rows.slice(from, from + CHUNK)
    for (const [i, length] of lengths.entries()) {
      const shape: ReadShape = { rows: Math.max(1, Math.floor(batchTokens / length)), length }
      const ours = chunk.filter(
        ({ tokens }) => tokens.length <= length && tokens.length > (lengths[i - 1] ?? 0),
      )
      for (let at = 0; at < ours.length; at += shape.rows)
        yield { shape, batch: ours.slice(at, at + shape.rows) }
    }
  }
}

/** Rows of `rows` that the file lacks, each once. */
function missingRows(rows: readonly Row[], file: StateFile): Row[] {
  return [...new Set(rows)].filter(row => row.steps.length > 0 && file.get(row) === null)
}

/**
 * Reads every row that the file lacks, those that stand first before others, and puts its states there. What was read stays when the
 * signal aborts it or the process is killed. @throws the signal's reason; RangeError when a row is longer than the last of `lengths`
 */
export async function readStates(options: ReadOptions): Promise<void> {
  const { engine, config, weights, file, now, signal, onBatch } = options
  const missing = missingRows(options.rows, file)
  const longest = options.lengths.at(-1)!
  if (missing.some(row => row.tokens.length > longest))
    throw new RangeError(`a row is longer than ${longest} tokens`)
  if (missing.length === 0) return
  const shapes = Object.entries(weightShapes(config)).filter(([name]) => isTrunk(name))
  const held = await engine.hold(
    Object.fromEntries(shapes.map(([name, shape]) => [name, { data: weights[name]!, shape }])),
  )
  const programs = new Map<number, Program>()
  const programFor = async (shape: ReadShape): Promise<Program> => {
    const { read, specs } = stateGraph(config, shape)
    const program = programs.get(shape.length) ?? (await engine.compile(read, specs))
    programs.set(shape.length, program)
    return program
  }
  const start = now()
  const of = tokensIn(missing)
  let tokens = 0
  try {
    for (const { shape, batch } of batchesOf(missing, options)) {
      signal?.throwIfAborted()
      const { states } = await (await programFor(shape)).run(packRows(batch, shape), held)
      let at = 0
      for (const row of batch) {
        const size = row.steps.length * config.width
        file.add(row, (states!.data as Float32Array).subarray(at, at + size))
        at += size
      }
      tokens += tokensIn(batch)
      onBatch?.({ tokens, of, elapsedMs: now() - start })
      // onnxruntime-node computes inside the call: let signals through between batches.
      await new Promise(resolve => setImmediate(resolve))
    }
  } finally {
    await Promise.all([...programs.values()].map(program => program.release()))
    await held.release()
  }
}
