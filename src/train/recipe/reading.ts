// From trained weights to a finished critic artifact: calibration and threshold on held-back data, then the manifest, written last.
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Manifest, type Reading, writeArtifact } from '../../critic/manifest.ts'
import { openScorer, type Scorer } from '../../critic/scorer.ts'
import type { Example } from '../data/example.ts'
import { writeJsonl } from '../data/jsonl.ts'
import {
  auc,
  calibrationError,
  fitReading,
  judgedSteps,
  type Located,
  processBench,
} from '../eval/metrics.ts'

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
  /** Part of the slice that calibration, τ and the figures come from; all of it when absent. */
  readonly fitOn?: readonly Example[]
}

/** Fits calibration and τ on the slice and writes the artifact with its figures there, each half measured with what the other half fitted. */
export async function finishCritic({
  out,
  files,
  facts,
  slice,
  replay,
  fitOn = slice,
}: Finish): Promise<Manifest> {
  writeJsonl(join(out, SLICE_FILE), slice)
  writeJsonl(join(out, REPLAY_FILE), replay)
  const all = {
    ...files,
    [SLICE_FILE]: readFileSync(join(out, SLICE_FILE)),
    [REPLAY_FILE]: readFileSync(join(out, REPLAY_FILE)),
  }
  const located = await measureDraft(all, facts, fitOn)
  const reading = fitReading(located)
  const [even, odd] = [0, 1].map(side => located.filter((_, i) => i % 2 === side)) as [Located[], Located[]]
  const halves = [
    { reading: fitReading(odd), measured: even },
    { reading: fitReading(even), measured: odd },
  ].map(half => ({ threshold: half.reading.threshold, scored: readWith(half.reading, half.measured) }))
  const f1 = halves.map(({ scored, threshold }) => processBench(scored, threshold).f1)
  const crossed = halves.flatMap(({ scored }) => scored)
  const metrics = {
    slice_solutions: located.length,
    slice_step_auc: round(auc(judgedSteps(located))),
    slice_f1: round((f1[0]! + f1[1]!) / 2),
    ece: round(calibrationError(judgedSteps(crossed))),
  }
  return writeArtifact(out, all, { ...facts, metrics, reading: { ...reading, ece: metrics.ece } })
}

/** Raw logits of the slice, from a throw-away artifact that reads logits as they are. */
async function measureDraft(
  files: Finish['files'],
  facts: Finish['facts'],
  slice: readonly Example[],
): Promise<Located[]> {
  const draft = mkdtempSync(join(tmpdir(), 'spar-draft-'))
  try {
    writeArtifact(draft, files, { ...facts, metrics: {}, reading: UNREAD })
    const scorer = await openScorer(draft, { threads: 2 })
    const located = await locate(scorer, slice)
    await scorer.release()
    return located
  } finally {
    rmSync(draft, { recursive: true, force: true })
  }
}

/** Scores as a reading would give them. */
function readWith({ calibration: { a, b } }: Reading, located: readonly Located[]): Located[] {
  return located.map(item => ({
    ...item,
    scores: item.scores.map(z => (z === null ? null : 1 / (1 + Math.exp(-(a * z + b))))),
  }))
}

/** Four decimals. */
export const round = (x: number): number => Math.round(x * 1e4) / 1e4
