// The evaluate stage of a round: the candidate is made an artifact of in its draft and measured as the serving critic was. Decides nothing.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { FEATURES } from '../../critic/features.ts'
import type { Manifest } from '../../critic/manifest.ts'
import { openScorer, type Scorer } from '../../critic/scorer.ts'
import type { Example } from '../data/example.ts'
import { OPSET } from '../engine/graph.ts'
import { exportCritic } from '../export.ts'
import type { Weights } from '../model/config.ts'
import { passRate } from '../recipe/operating-point.ts'
import { type Finish, finishCritic } from '../recipe/reading.ts'
import { type Cost, compareCost } from './cost.ts'
import type { Draft } from './draft.ts'
import { type Measured, measure } from './measure.ts'
import type { Yardsticks } from './yardsticks.ts'

export interface EvaluateOptions {
  readonly serving: Scorer
  /** The serving critic on the same yardsticks. */
  readonly before: Measured
  readonly draft: Draft
  readonly weights: Weights
  readonly facts: Finish['facts']
  /** What every critic of the line is measured on. */
  readonly slice: readonly Example[]
  readonly yardsticks: Yardsticks
  /** What the candidate takes with it of what it learned. */
  readonly replay: readonly Example[]
  readonly threads: number
  readonly signal?: AbortSignal
}

export interface Evaluated {
  readonly manifest: Manifest
  readonly measured: Measured
  readonly cost: Cost
}

/** Finishes and measures a candidate. @throws the signal's reason when aborted */
export async function evaluate(options: EvaluateOptions): Promise<Evaluated> {
  const { serving, before, draft, facts, yardsticks, signal } = options
  const { dir, manifest: parent } = serving.artifact
  signal?.throwIfAborted()
  const servingRate = passRate(before.slice, before.threshold)
  const manifest = await finishCritic({
    out: draft.dir,
    files: {
      'model.onnx': await exportCritic(parent.model, options.weights),
      'tokenizer.json': readFileSync(join(dir, 'tokenizer.json'), 'utf8'),
    },
    facts,
    slice: options.slice,
    fitOn: yardsticks.slice,
    ...(servingRate !== null && { passRate: servingRate }),
    replay: options.replay,
  })
  const candidate = await openScorer(draft.dir, { threads: options.threads })
  try {
    const measured = await measure(candidate, yardsticks, signal)
    return { manifest, measured, cost: await compareCost(serving, candidate, yardsticks.slice) }
  } finally {
    await candidate.release()
  }
}

/** Time that `evaluate` will take, at most, where measuring the serving critic took so long. */
export const evaluationMs = (measureMs: number): number => 2.2 * measureMs

/** What a candidate's manifest says of where it comes from. */
export function candidateFacts(
  { model, max_length, version: parent }: Manifest,
  {
    version,
    seed,
    minutes,
    createdAt,
  }: {
    readonly version: string
    readonly seed: number
    readonly minutes: number
    /** ISO 8601. */
    readonly createdAt: string
  },
  data_hash: string,
): Finish['facts'] {
  const command = `sparring round, seed ${seed}, ${minutes} minutes`
  const given = { version, created_at: createdAt, parent, data_hash, seed, command }
  return { ...given, kind: 'critic', opset: OPSET, model, max_length, features: FEATURES }
}
