// From trained weights to a finished critic artifact: calibration and threshold on held-back data, then the manifest, written last.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { type Manifest, type Reading, writeArtifact } from '../../critic/manifest.ts'
import { openScorer, type Scorer } from '../../critic/scorer.ts'
import type { Example } from '../data/example.ts'
import { writeJsonl } from '../data/jsonl.ts'
import { auc, fitReading, judgedSteps, type Located, processBench } from '../eval/metrics.ts'

/** Held-back examples every candidate is measured on, inside the artifact. */
export const SLICE_FILE = 'slice.jsonl.gz'
/** Training examples kept against forgetting, inside the artifact. */
export const REPLAY_FILE = 'replay.jsonl.gz'

/** Scores examples whose labels locate the first error; examples with gaps before it are left out. */
export async function locate(
  scorer: Pick<Scorer, 'logits'>,
  examples: readonly Example[],
): Promise<Located[]> {
  const usable = examples.flatMap(example => {
    const firstError = example.labels.findIndex(label => label !== null && label < 0.5)
    const before = firstError < 0 ? example.labels : example.labels.slice(0, firstError)
    return before.every(label => label !== null && label >= 0.5) ? [{ example, firstError }] : []
  })
  const logits = await scorer.logits(usable.map(({ example }) => example))
  return usable.map(({ firstError }, i) => ({ scores: logits[i]!, firstError }))
}

const UNREAD: Reading = { calibration: { kind: 'platt', a: 1, b: 0 }, threshold: 0.5, ece: 1 }

export interface Finish {
  readonly out: string
  readonly files: Readonly<Record<string, Uint8Array | string>>
  readonly facts: Omit<Manifest, 'format' | 'files' | 'reading' | 'metrics'>
  readonly slice: readonly Example[]
  readonly replay: readonly Example[]
}

/** Fits calibration and τ on the slice and writes the artifact with the figures it has there. */
export async function finishCritic({ out, files, facts, slice, replay }: Finish): Promise<Manifest> {
  writeJsonl(join(out, SLICE_FILE), slice)
  writeJsonl(join(out, REPLAY_FILE), replay)
  const all = {
    ...files,
    [SLICE_FILE]: readFileSync(join(out, SLICE_FILE)),
    [REPLAY_FILE]: readFileSync(join(out, REPLAY_FILE)),
  }
  // The scorer opens valid artifacts only: write one that reads raw logits, measure it, write the final manifest over it.
  writeArtifact(out, all, { ...facts, metrics: {}, reading: UNREAD })
  const scorer = await openScorer(out, { threads: 2 })
  const located = await locate(scorer, slice)
  await scorer.release()
  const reading = fitReading(located)
  const { a, b } = reading.calibration
  const scored = located.map(l => ({
    ...l,
    scores: l.scores.map(z => (z === null ? null : 1 / (1 + Math.exp(-(a * z + b))))),
  }))
  const metrics = {
    slice_solutions: located.length,
    slice_step_auc: round(auc(judgedSteps(located))),
    slice_f1: round(processBench(scored, reading.threshold).f1),
    ece: round(reading.ece),
  }
  return writeArtifact(out, all, { ...facts, metrics, reading })
}

export const round = (x: number): number => Math.round(x * 1e4) / 1e4
