// Scores items with one ONNX session on the calling thread: encode, plan, run, calibrate.
// Knows no threads and no queue; the service runs it inside a worker, evaluation runs it directly.
import './quiet-runtime.ts'

import { existsSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import * as ort from 'onnxruntime-node'
import { AppError } from '../errors.ts'
import type { Device } from './device.ts'
import { layOut } from './encode.ts'
import { FEATURES } from './features.ts'
import {
  createScratch,
  keepable,
  pastFeeds,
  stateOfPart,
  stateShape,
  stepsToRun,
  tokenFeeds,
} from './feeds.ts'
import { type Artifact, type Calibration, openArtifact } from './manifest.ts'
import { fastestRun } from './pack.ts'
import { createPartReader, FLAGS, SLOTS } from './parts.ts'
import { type Job, type Kept, type Planned, planRuns, stepOfPart } from './plan.ts'
import { choosePrecision, modelFile, type Precision, type PrecisionChoice } from './precision.ts'
import { createPrefixCache } from './prefix-cache.ts'
import { createTokenizer, type TextTokenizer } from './tokenizer.ts'
import type { Critique, CritiqueItem } from './types.ts'

export interface ScorerOptions {
  readonly device?: Device
  /** Threads inside one operator. */
  readonly threads?: number
  /** Padded tokens in one run at most (one row may be longer); `fastestRun` when absent. */
  readonly runTokens?: number
  /** Memory for what was read and computed of the beginnings of items; 0, nothing is kept, when absent. */
  readonly prefixCacheBytes?: number
  /** float32 when absent. */
  readonly precision?: PrecisionChoice
}

/** An item that was read. Once all its jobs have been run, `logits` is filled and `critique` tells the scores. */
export interface Prepared {
  readonly jobs: readonly Job[]
  readonly logits: readonly (number | null)[]
  critique(): Critique
}

export interface Scorer {
  readonly artifact: Artifact
  readonly precision: Precision
  /** Encodes an item. */
  prepare(item: CritiqueItem): Prepared
  /** The runs that score the jobs, see `planRuns`; each is to be run before the next is asked for. `maxTokens` in place of `runTokens`. */
  plan<T extends Job>(jobs: readonly T[], maxTokens?: number): Iterable<Planned<T>[]>
  /** One run of the session over the rows, or none where all is known. */
  run(rows: readonly Planned[]): Promise<void>
  /** Bytes of what is kept of beginnings. */
  cacheBytes(): number
  /** Calibrated scores with evidence, in the order of `items`. */
  judge(items: readonly CritiqueItem[]): Promise<Critique[]>
  /** Raw logits per step (before calibration), null where unscored, in the order of `items`. */
  logits(items: readonly CritiqueItem[]): Promise<(number | null)[][]>
  release(): Promise<void>
}

/** Part of the prefix cache that holds what was read: text takes about a tenth of what a small model keeps of its tokens. */
const READING_SHARE = 1 / 8

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
  const precision = choosePrecision(options.precision ?? 'float32', manifest, options.device ?? 'cpu')
  const session = await openModel(readFileSync(join(dir, modelFile(precision))), options)
  const { device = 'cpu', threads = 1, runTokens = fastestRun(device, threads) } = options

  function prepare(item: CritiqueItem): Prepared {
    const { rows, features, evidence } = layOut(parts.read(item), manifest.max_length)
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

  // Critics of Spar 0.1.0 have a graph that takes no past: they are served without a cache.
  const takesPast = session.inputNames.includes('key_positions')
  const prefixCacheBytes = takesPast ? (options.prefixCacheBytes ?? 0) : 0
  const readingBytes = Math.floor(prefixCacheBytes * READING_SHARE)
  const stateBytes = prefixCacheBytes - readingBytes
  const parts = createPartReader(tokenizer, manifest.max_length, readingBytes)
  const cache = stateBytes > 0 ? createPrefixCache<Kept>(stateBytes, part => part.state.byteLength) : null
  const shape = stateShape(manifest.model)
  const scratch = createScratch()

  async function compute(rows: readonly Planned[]): Promise<void> {
    const feeds = { ...tokenFeeds(rows), ...(takesPast && pastFeeds(rows, shape, scratch)) }
    const outputs = await (cache === null ? session.run(feeds, ['logits']) : session.run(feeds))
    const logits = outputs['logits']!.data as Float32Array
    let next = 0
    for (const row of rows)
      for (const step of stepsToRun(row)) row.job.out[step.index] = finite(logits[next++]!)
    for (const [r, row] of rows.entries()) {
      const { job, keys, known } = row
      cache?.keep(keys.slice(0, keepable(row)), i => {
        if (i < known.length) return known[i]! // forgotten since it was planned
        const step = job.row.steps[stepOfPart(job, i)]
        const state = stateOfPart(outputs, rows, r, i, shape)
        return { ...state, logit: step === undefined ? null : job.out[step.index]! }
      })
    }
  }

  async function run(rows: readonly Planned[]): Promise<void> {
    for (const { job, known } of rows)
      for (const [i, { logit }] of known.entries()) {
        const step = job.row.steps[stepOfPart(job, i)]
        if (step !== undefined) job.out[step.index] = logit
      }
    const unknown = rows.filter(row => row.length > 0)
    if (unknown.length > 0) await compute(unknown)
  }

  async function score(items: readonly CritiqueItem[]): Promise<Prepared[]> {
    const prepared = items.map(prepare)
    const jobs = prepared.flatMap(item => item.jobs)
    for (const rows of planRuns(jobs, cache, runTokens)) await run(rows)
    return prepared
  }

  return {
    artifact,
    precision,
    prepare,
    plan: (jobs, maxTokens = runTokens) => planRuns(jobs, cache, maxTokens),
    run,
    cacheBytes: () => (cache?.bytes ?? 0) + parts.bytes,
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
