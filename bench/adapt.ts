// Speed and memory of an imported base: the forward pass, a LoRA step, the head alone, and (--full) a step that trains everything.
// npm run -s bench -- adapt --base <dir> [--rank 8] [--rows 2] [--length 256] [--steps 3] [--threads 2] [--full]
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { FEATURES } from '../src/critic/features.ts'
import { openArtifact } from '../src/critic/manifest.ts'
import { tracedEngine } from '../src/train/engine/engine.ts'
import type { HostTensor, Program } from '../src/train/engine/port.ts'
import { readWeights } from '../src/train/export.ts'
import { countWeights, initWeights, type ModelConfig, type Weights } from '../src/train/model/config.ts'
import { everyWeight, initLora, type LoraOptions, lora } from '../src/train/model/lora.ts'
import { type BatchShape, batchLoss, batchSpecs } from '../src/train/model/loss.ts'
import { createRng } from '../src/train/rng.ts'
import { ADAMW, stepSpecs, trainStep } from '../src/train/train-step.ts'

const scalar = (x: number): HostTensor => ({ data: Float32Array.of(x), shape: [] })

/** A batch of noise in which steps and pairs take part. */
function noiseBatch(config: ModelConfig, shape: BatchShape): Record<string, HostTensor> {
  const rng = createRng('bench adapt')
  const top: Record<string, number> = {
    tokens: config.vocab,
    slots: config.slots,
    flags: config.flags,
    lm_targets: config.vocab,
    step_index: shape.rows * shape.length,
  }
  return Object.fromEntries(
    Object.entries(batchSpecs(config, shape)).map(([name, spec]) => {
      const length = spec.shape.reduce((a, b) => a * b, 1)
      const data =
        spec.dtype === 'int32'
          ? Int32Array.from({ length }, () => rng.int(0, top[name]! - 1))
          : Float32Array.from({ length }, () => rng.uniform() / length)
      return [name, { data, shape: spec.shape }]
    }),
  )
}

const gigabytes = (): number => Number((process.memoryUsage().rss / 1e9).toFixed(2))

/** Runs a program some times after one to warm up; tokens per second and resident memory afterwards. */
async function time(
  program: Program,
  feeds: () => Record<string, HostTensor>,
  after: (outputs: Record<string, HostTensor>) => void,
  { steps, tokens }: { steps: number; tokens: number },
) {
  after(await program.run(feeds()))
  let [total, peak] = [0, 0]
  for (let i = 0; i < steps; i++) {
    const start = performance.now()
    const outputs = await program.run(feeds())
    total += (performance.now() - start) / 1000
    peak = Math.max(peak, gigabytes())
    if (!Number.isFinite(outputs['loss']!.data[0])) throw new Error('the loss is not finite')
    after(outputs)
  }
  await program.release()
  const seconds = total / steps
  const figures = {
    tps: Number((tokens / seconds).toPrecision(3)),
    seconds: Number(seconds.toPrecision(3)),
    gb: peak,
  }
  process.stderr.write(`${JSON.stringify(figures)}\n`)
  return figures
}

/** Measures one base. Speeds are tokens per second, `gb` is the process's resident memory in 10^9 bytes at that point. */
export async function run(args: readonly string[]) {
  const { values } = parseArgs({
    args: [...args],
    options: {
      base: { type: 'string' },
      rank: { type: 'string', default: '8' },
      rows: { type: 'string', default: '2' },
      length: { type: 'string', default: '256' },
      steps: { type: 'string', default: '3' },
      threads: { type: 'string', default: '2' },
      full: { type: 'boolean', default: false },
    },
  })
  if (!values.base) throw new Error('--base is missing')
  const [rank, rows, length, steps, threads] = (['rank', 'rows', 'length', 'steps', 'threads'] as const).map(
    name => Number(values[name]),
  ) as [number, number, number, number, number]
  const { manifest } = openArtifact(values.base)
  const config: ModelConfig = { ...manifest.model, features: FEATURES.length }
  const stored = readWeights(config, readFileSync(join(values.base, 'model.onnx')))
  const base: Weights = initWeights(config, createRng('bench adapt'), stored)
  const shape: BatchShape = {
    rows,
    length,
    steps: Math.ceil((rows * length * 60) / 1000),
    pairs: rows >> 1 || 1,
  }
  const engine = tracedEngine({ threads })
  const batch = noiseBatch(config, shape)
  const timing = { steps, tokens: rows * length }

  const weightFeeds = Object.fromEntries(
    Object.entries(everyWeight(config).trained).map(([name, dims]) => [
      name,
      { data: base[name]!, shape: dims },
    ]),
  )
  const specs = Object.fromEntries(
    Object.entries(weightFeeds).map(([name, t]) => [name, { shape: t.shape, dtype: 'float32' as const }]),
  )
  const score = await engine.compile(x => ({ loss: batchLoss(config, x, x, { lm: false }).total }), {
    ...batchSpecs(config, shape),
    ...specs,
  })
  const forward = await time(
    score,
    () => ({ ...weightFeeds, ...batch }),
    () => {},
    timing,
  )

  /** One kind of training: a rank, or null for every weight. */
  async function training(kind: number | null) {
    const options: LoraOptions = { rank: kind ?? 0, alpha: 2 * (kind ?? 0), targets: ['q', 'v'] }
    const adaptation = kind === null ? everyWeight(config) : lora(config, options)
    const weights = { ...base, ...initLora(config, options, createRng('bench adapt')) }
    const specs = stepSpecs(config, shape, adaptation)
    const fixed: Record<string, HostTensor> = { ...batch }
    const state: Record<string, HostTensor> = {}
    for (const [name, { shape: dims }] of Object.entries(specs)) {
      const own = weights[name.slice(2)]
      const isState = name.slice(2) in adaptation.trained
      if (/^[mv]:/.test(name)) state[name] = { data: new Float32Array(own!.length), shape: dims }
      else if (name.startsWith('w:')) (isState ? state : fixed)[name] = { data: own!, shape: dims }
    }
    for (const name of ['lr', 'correct1', 'correct2']) fixed[name] = scalar(name === 'lr' ? 1e-4 : 1)
    const program = await engine.compile(trainStep(config, ADAMW, { lm: false }, adaptation), specs)
    return time(
      program,
      () => ({ ...fixed, ...state }),
      outputs => {
        for (const name of Object.keys(state)) state[name] = outputs[name]!
      },
      timing,
    )
  }
  return {
    bench: 'adapt',
    base: manifest.version,
    weights: countWeights(base),
    trained: Object.values(lora(config, { rank, alpha: rank, targets: ['q', 'v'] }).trained).reduce(
      (sum, dims) => sum + dims.reduce((a, b) => a * b, 1),
      0,
    ),
    rank,
    shape: [rows, length],
    forward,
    head_alone: await training(0),
    lora: await training(rank),
    full: values.full ? await training(null) : null,
    threads,
    node: process.version,
  }
}
