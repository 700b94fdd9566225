// Training speed: one full step (forward, backward, AdamW) of one model on the traced engine, the eager engine and PyTorch.
// npm run -s bench -- train [--threads 2] [--seconds 20] [--python python3] [--size critic|135m]
// The traced engine runs on the device that SPAR_DEVICE names, cpu when it is not set; PyTorch on CUDA where that is no CPU; eager on the CPU.
import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { parseArgs, promisify } from 'node:util'
import * as tf from '@tensorflow/tfjs'
import type { Device } from '../src/critic/device.ts'
import { FEATURE_INPUTS } from '../src/critic/features.ts'
import { FLAGS, SLOTS } from '../src/critic/parts.ts'
import { type EagerBackend, eagerBackend, eagerEngine } from '../src/train/engine/eager.ts'
import { type TracedOptions, tracedEngine } from '../src/train/engine/engine.ts'
import { sizeOf } from '../src/train/engine/memory.ts'
import type { Engine, HostTensor } from '../src/train/engine/port.ts'
import { initWeights, type ModelConfig, weightShapes } from '../src/train/model/config.ts'
import type { BatchShape } from '../src/train/model/loss.ts'
import { createRng, type Rng } from '../src/train/rng.ts'
import { ADAMW, stepSpecs, trainStep } from '../src/train/train-step.ts'
import { benchDevice } from './lib/device.ts'

const CRITIC: ModelConfig = {
  vocab: 4096,
  width: 256,
  layers: 4,
  heads: 8,
  kvHeads: 8,
  mlp: 688,
  ropeTheta: 10_000,
  slots: SLOTS,
  flags: FLAGS,
  features: FEATURE_INPUTS,
  headWidth: 64,
}
/** The shipped critic's sizes, and those of SmolLM2-135M with a key for every head; the eager engine is not timed on the second. */
const MODELS = {
  critic: CRITIC,
  '135m': { ...CRITIC, vocab: 49_152, width: 576, layers: 30, heads: 9, kvHeads: 9, mlp: 1536 },
} satisfies Record<string, ModelConfig>
const TRACED: BatchShape = { rows: 8, length: 256, steps: 82, pairs: 4 }
/** Seconds the single eager step may take by estimate; a slower machine gets a shorter row. */
const EAGER_SECONDS = 60
const MATMUL = 2048

const log = (line: string): unknown => process.stderr.write(`${line}\n`)
const scalar = (x: number): HostTensor => ({ data: Float32Array.of(x), shape: [] })
const tokensOf = ({ rows, length }: BatchShape): number => rows * length

/** Arithmetic of a training step: 2 a multiply-add, backward twice forward; matrix products only. */
function stepFlops({ width, layers, mlp, vocab }: ModelConfig, { rows, length }: BatchShape): number {
  const perToken = layers * (4 * width * width + 3 * width * mlp + 2 * length * width) + width * vocab
  return 3 * 2 * perToken * rows * length
}

/** A batch of noise in which every loss takes part. */
function noiseBatch(
  model: ModelConfig,
  { rows, length, steps, pairs }: BatchShape,
  rng: Rng,
): Record<string, HostTensor> {
  const grid = [rows, length]
  const size = rows * length
  const ints = (top: number): HostTensor => ({
    data: Int32Array.from({ length: size }, () => rng.int(0, top - 1)),
    shape: grid,
  })
  const floats = (shape: number[], value: (i: number) => number): HostTensor => ({
    data: Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, (_, i) => value(i)),
    shape,
  })
  return {
    tokens: ints(model.vocab),
    slots: ints(model.slots),
    flags: ints(model.flags),
    lm_targets: ints(model.vocab),
    lm_weights: floats(grid, () => 1 / size),
    step_index: { data: Int32Array.from({ length: steps }, () => rng.int(0, size - 1)), shape: [steps] },
    features: floats([steps, model.features], () => rng.uniform()),
    text_learns: floats([steps], () => 1),
    gate_weights: floats([steps], () => 1 / steps),
    step_labels: floats([steps], () => rng.int(0, 1)),
    step_weights: floats([steps], () => 1 / steps),
    pair_matrix: floats([pairs, steps], i => (i % 2 === 0 ? 1 : -1) / steps),
    pair_weights: floats([pairs], () => 1 / pairs),
  }
}

/** A compiled step with its state, which stays where the engine computes; each call trains one step and returns its seconds. */
async function prepare(
  engine: Engine,
  model: ModelConfig,
  shape: BatchShape,
): Promise<() => Promise<number>> {
  const rng = createRng('bench train')
  const weights = initWeights(model, rng)
  const state: Record<string, HostTensor> = {}
  for (const [name, dims] of Object.entries(weightShapes(model))) {
    state[`w:${name}`] = { data: weights[name]!, shape: dims }
    state[`m:${name}`] = { data: new Float32Array(weights[name]!.length), shape: dims }
    state[`v:${name}`] = { data: new Float32Array(weights[name]!.length), shape: dims }
  }
  const [step, specs] = [trainStep(model, ADAMW, { lm: true }), stepSpecs(model, shape)]
  const program = await engine.compile(step, specs, Object.keys(state))
  const held = await engine.hold(state)
  const inputs = {
    ...noiseBatch(model, shape, rng),
    lr: scalar(1e-3),
    correct1: scalar(1),
    correct2: scalar(1),
  }
  return async () => {
    const start = performance.now()
    const outputs = await program.run(inputs, held)
    const seconds = (performance.now() - start) / 1000
    if (!Number.isFinite(outputs['loss']!.data[0])) throw new Error('the loss is not finite')
    return seconds
  }
}

/** Runs a step for some seconds after two to warm up; returns the mean seconds a step took. */
async function timeSteps(
  step: () => Promise<number>,
  seconds: number,
): Promise<{ mean: number; steps: number }> {
  await step()
  await step()
  let [total, steps] = [0, 0]
  while (total < seconds || steps < 3) {
    total += await step()
    steps++
  }
  return { mean: total / steps, steps }
}

/** FLOP/s of a session that holds one large matrix product: what this machine can do just now. */
async function matMulSpeed(options: TracedOptions): Promise<number> {
  const shape = [MATMUL, MATMUL]
  const spec = { shape, dtype: 'float32' as const }
  const program = await tracedEngine(options).compile(({ a, b }) => ({ c: tf.matMul(a!, b!) }), {
    a: spec,
    b: spec,
  })
  const ones = { data: new Float32Array(MATMUL * MATMUL).fill(1), shape }
  const { mean } = await timeSteps(async () => {
    const start = performance.now()
    await program.run({ a: ones, b: ones })
    return (performance.now() - start) / 1000
  }, 2)
  await program.release()
  return (2 * MATMUL ** 3) / mean
}

/** Tokens per second of the eager pure-JS backend: one step on one row, the row shortened where that would take too long. */
async function eagerSpeed(backend: EagerBackend): Promise<{ tps: number; shape: BatchShape }> {
  const row = (length: number): BatchShape => ({ rows: 1, length, steps: 10, pairs: 1 })
  const warm = row(16)
  const step = await prepare(eagerEngine(backend), CRITIC, warm)
  const [, seconds] = [await step(), await step()]
  const perFlop = seconds / stepFlops(CRITIC, warm)
  const length = [256, 128, 64].find(l => perFlop * stepFlops(CRITIC, row(l)) < EAGER_SECONDS) ?? 32
  const timed = await (await prepare(eagerEngine(backend), CRITIC, row(length)))()
  return { tps: length / timed, shape: row(length) }
}

/** Tokens per second of the same step in PyTorch; null where it is not installed. */
async function torchSpeed(
  python: string,
  { vocab, width, layers, heads, mlp }: ModelConfig,
  { device, threads, seconds }: { device: Device; threads: number; seconds: number },
): Promise<Record<string, unknown> | null> {
  const { rows, length } = TRACED
  const on = { device: device === 'cpu' ? 'cpu' : 'cuda', threads, seconds }
  const sizes = { vocab, width, layers, heads, mlp, rows, length, ...on }
  const script = join(import.meta.dirname, 'torch_train.py')
  try {
    const { stdout } = await promisify(execFile)(python, [script, JSON.stringify(sizes)], {
      timeout: 300_000,
    })
    return JSON.parse(stdout.trim().split('\n').at(-1)!) as Record<string, unknown>
  } catch (error) {
    log(
      `no PyTorch figure: ${String((error as { stderr?: string }).stderr || error)
        .trim()
        .split('\n')
        .at(-1)}`,
    )
    return null
  }
}

/** Compares the engines in one run. Speeds are tokens per second of whole training steps. */
export async function run(args: readonly string[]) {
  const { values } = parseArgs({
    args: [...args],
    options: {
      threads: { type: 'string', default: '2' },
      seconds: { type: 'string', default: '20' },
      python: { type: 'string', default: 'python3' },
      size: { type: 'string', default: 'critic' },
    },
  })
  const model: ModelConfig | undefined = MODELS[values.size as keyof typeof MODELS]
  if (model === undefined) throw new Error(`--size is one of ${Object.keys(MODELS).join(', ')}`)
  const [threads, seconds] = [Number(values.threads), Number(values.seconds)]
  const on = { device: benchDevice(), threads }
  if (!(threads >= 1 && seconds > 0)) throw new Error('--threads and --seconds must be positive numbers')

  const weights = Object.values(weightShapes(model)).reduce((sum, dims) => sum + sizeOf(dims), 0)
  log(`${weights} weights; a bare ${MATMUL} × ${MATMUL} matrix product first`)
  const before = await matMulSpeed(on)
  log(`${(before / 1e9).toFixed(0)} GFLOP/s; the traced step on ${TRACED.rows} rows of ${TRACED.length}`)
  const traced = await timeSteps(await prepare(tracedEngine(on), model, TRACED), seconds)
  const tracedTps = tokensOf(TRACED) / traced.mean
  const bare = (before + (await matMulSpeed(on))) / 2 // before and after: other work on the machine comes and goes
  log(`${tracedTps.toFixed(0)} tokens/s over ${traced.steps} steps; PyTorch`)
  const torch = await torchSpeed(values.python, model, { ...on, seconds })
  const torchTps = typeof torch?.['tps'] === 'number' ? torch['tps'] : null
  if (model === CRITIC) log('the eager step on one row')
  const eager = model === CRITIC ? await eagerSpeed(await eagerBackend()) : null

  return {
    bench: 'train',
    traced_tps: Math.round(tracedTps),
    eager_tps: eager && round(eager.tps),
    ratio_eager: eager && round(tracedTps / eager.tps),
    torch_tps: torchTps === null ? null : Math.round(torchTps),
    ratio_torch: torchTps === null ? null : round(tracedTps / torchTps),
    flops_fraction: round(stepFlops(model, TRACED) / traced.mean / bare),
    traced_gflops: Math.round(stepFlops(model, TRACED) / traced.mean / 1e9),
    matmul_gflops: Math.round(bare / 1e9),
    model: { ...model, weights },
    traced_shape: [TRACED.rows, TRACED.length],
    eager_shape: eager && [eager.shape.rows, eager.shape.length],
    note: 'eager is timed on one step of the same model with fewer rows: speeds are per token, and eager gains nothing from more rows',
    torch: torch && { version: torch['version'], device: torch['device'], threads: torch['threads'] },
    steps: traced.steps,
    device: on.device,
    threads,
    node: process.version,
  }
}

const round = (x: number): number => Number(x.toPrecision(4))
