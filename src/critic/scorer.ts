// Scores items with one ONNX session on the calling thread: encode, batch by padded tokens, run, calibrate.
// Knows no threads and no queue; the service runs it inside a worker, evaluation runs it directly.
import { existsSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import * as ort from 'onnxruntime-node'
import { AppError } from '../errors.ts'
import { encodeItem, FLAGS, type Row, SLOTS } from './encode.ts'
import { FEATURE_INPUTS, FEATURES, writeFeatureInputs } from './features.ts'
import { type Artifact, type Calibration, openArtifact } from './manifest.ts'
import { BATCH_TOKENS, lengthOf, packRuns } from './pack.ts'
import { createTokenizer, type TextTokenizer } from './tokenizer.ts'
import type { Critique, CritiqueItem } from './types.ts'

export type Device = 'cpu' | 'webgpu' | 'cuda'

export interface ScorerOptions {
  readonly device?: Device
  /** Threads inside one operator. */
  readonly threads?: number
  /** Padded tokens in one run at most (one row may be longer). */
  readonly batchTokens?: number
}

/** A row that waits to be run; `run` writes the logits of its steps into `out`. */
export interface Job {
  readonly row: Row
  readonly features: readonly Float32Array[]
  readonly out: (number | null)[]
}

/** An item that was read. Once all its jobs have been run, `logits` is filled and `critique` tells the scores. */
export interface Prepared {
  readonly jobs: readonly Job[]
  readonly logits: readonly (number | null)[]
  critique(): Critique
}

export interface Scorer {
  readonly artifact: Artifact
  /** Encodes an item. */
  prepare(item: CritiqueItem): Prepared
  /** One run of the session over all the jobs. */
  run(jobs: readonly Job[]): Promise<void>
  /** Calibrated scores with evidence, in the order of `items`. */
  judge(items: readonly CritiqueItem[]): Promise<Critique[]>
  /** Raw logits per step (before calibration), null where unscored, in the order of `items`. */
  logits(items: readonly CritiqueItem[]): Promise<(number | null)[][]>
  release(): Promise<void>
}

/** Calibrated probability of a logit. */
const calibrated = ({ a, b }: Calibration, logit: number): number => 1 / (1 + Math.exp(-(a * logit + b)))

/** The CUDA provider is a file of its own, which an operator adds; asking for it without one prints an alarming native error. */
function cudaIsInstalled(): boolean {
  const dist = createRequire(import.meta.url).resolve('onnxruntime-node')
  const folder = join(dist, '../../bin/napi-v6', process.platform, process.arch)
  return existsSync(join(folder, 'libonnxruntime_providers_cuda.so'))
}

/** Opens an ONNX model on a device. Exported for the solver, which shares the settings. @throws Error when the device cannot be had */
export async function openModel(
  bytes: Uint8Array,
  { device = 'cpu', threads = 1 }: ScorerOptions,
): Promise<ort.InferenceSession> {
  if (device === 'cuda' && !cudaIsInstalled())
    throw new Error('the CUDA provider of onnxruntime-node is not installed')
  return ort.InferenceSession.create(bytes, {
    executionProviders: [device],
    intraOpNumThreads: threads,
    interOpNumThreads: 1,
    enableCpuMemArena: false, // a served model must give memory back, see DESIGN 2
    logSeverityLevel: 3,
  })
}

/**
 * The tokenizer of an artifact. Exported for the solver. @throws {AppError} CRITIC_INVALID when it cannot be read, or when
 * the model's tables are too small for what the encoder writes (a token, slot or flag beyond them fails in every run).
 */
export function openTokenizer({ dir, manifest: { model, version } }: Artifact): TextTokenizer {
  let tokenizer: TextTokenizer
  try {
    tokenizer = createTokenizer(JSON.parse(readFileSync(join(dir, 'tokenizer.json'), 'utf8')))
  } catch (cause) {
    throw new AppError('CRITIC_INVALID', `the tokenizer of ${version} cannot be read`, { cause })
  }
  if (tokenizer.vocab > model.vocab || SLOTS > model.slots || FLAGS > model.flags)
    throw new AppError(
      'CRITIC_INVALID',
      `the model of ${version} is too small for its tokens, slots or flags`,
    )
  return tokenizer
}

/** Opens a critic's folder. @throws {AppError} CRITIC_INVALID when the folder, its hashes or its shapes are wrong. */
export async function openScorer(dir: string, options: ScorerOptions = {}): Promise<Scorer> {
  const artifact = openArtifact(dir)
  const { manifest } = artifact
  const reading = manifest.reading
  if (manifest.kind !== 'critic' || !reading)
    throw new AppError('CRITIC_INVALID', `${manifest.version} is not a critic`)
  if (manifest.features.join() !== FEATURES.join()) {
    throw new AppError(
      'CRITIC_INVALID',
      `${manifest.version} was trained on other hand features than this Spar computes`,
    )
  }
  const tokenizer = openTokenizer(artifact)
  const session = await openModel(readFileSync(join(dir, 'model.onnx')), options)
  const batchTokens = options.batchTokens ?? BATCH_TOKENS

  function prepare(item: CritiqueItem): Prepared {
    const { rows, features, evidence } = encodeItem(tokenizer, item, manifest.max_length)
    const logits: (number | null)[] = item.steps.map(() => null)
    return {
      jobs: rows.map(row => ({ row, features, out: logits })),
      logits,
      critique: () => ({
        steps: logits.map((logit, step) => ({
          score: logit === null ? null : calibrated(reading!.calibration, logit),
          evidence: evidence[step]!,
        })),
        tokens: rows.reduce((sum, row) => sum + row.tokens.length, 0),
      }),
    }
  }

  async function run(jobs: readonly Job[]): Promise<void> {
    const length = Math.max(...jobs.map(lengthOf))
    const outputs = await session.run(toFeeds(jobs, length))
    const logits = outputs['logits']!.data as Float32Array
    let next = 0
    for (const { row, out } of jobs) for (const step of row.steps) out[step.index] = finite(logits[next++]!)
  }

  async function score(items: readonly CritiqueItem[]): Promise<Prepared[]> {
    const prepared = items.map(prepare)
    const jobs = prepared.flatMap(item => item.jobs)
    for (const together of packRuns(jobs, batchTokens)) await run(together)
    return prepared
  }

  return {
    artifact,
    prepare,
    run,
    async logits(items) {
      return (await score(items)).map(({ logits }) => [...logits])
    },
    async judge(items) {
      return (await score(items)).map(item => item.critique())
    },
    release: () => session.release(),
  }
}

const finite = (x: number): number | null => (Number.isFinite(x) ? x : null)

/** Rows padded on the right to `length`: causal attention never looks there, so padding changes no score. */
function toFeeds(jobs: readonly Job[], length: number): Record<string, ort.Tensor> {
  const grid = [jobs.length, length]
  const size = jobs.length * length
  const channel = { tokens: new Int32Array(size), slots: new Int32Array(size), flags: new Int32Array(size) }
  const positions = Float32Array.from({ length: size }, (_, i) => i % length)
  const places: number[] = []
  const values: Float32Array[] = []
  jobs.forEach(({ row, features: all }, r) => {
    for (const name of ['tokens', 'slots', 'flags'] as const) channel[name].set(row[name], r * length)
    for (const step of row.steps) {
      places.push(r * length + step.at)
      values.push(all[step.index]!)
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
