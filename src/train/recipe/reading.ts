// From trained weights to a finished critic artifact: calibration and threshold on held-back data, then the manifest, written last.
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { CANARY_ITEMS, toCanaries } from '../../critic/canary.ts'
import { type Manifest, type Reading, writeArtifact } from '../../critic/manifest.ts'
import { openScorer, type Scorer } from '../../critic/scorer.ts'
import type { Example } from '../data/example.ts'
import { writeJsonl } from '../data/jsonl.ts'
import { auc, calibrationError, judgedSteps, labelledSteps, processBench } from '../eval/metrics.ts'
import { withInt8 } from '../int8.ts'
import { fitBySource, probabilities, readWith, type Sourced } from './operating-point.ts'

/** Held-back examples every candidate is measured on, inside the artifact. */
export const SLICE_FILE = 'slice.jsonl.gz'
/** Training examples kept against forgetting, inside the artifact. */
export const REPLAY_FILE = 'replay.jsonl.gz'

/** Scores examples whose labels locate the first error; examples with gaps before it are left out. */
export async function locate(
  scorer: Pick<Scorer, 'logits'>,
  examples: readonly Example[],
): Promise<Sourced[]> {
  const usable = examples.flatMap(example => {
    const firstError = example.labels.findIndex(label => label !== null && label < 0.5)
    const before = firstError < 0 ? example.labels : example.labels.slice(0, firstError)
    return before.every(label => label !== null && label >= 0.5) ? [{ example, firstError }] : []
  })
  const logits = await scorer.logits(usable.map(({ example }) => example))
  return usable.map(({ example, firstError }, i) => ({
    scores: logits[i]!,
    firstError,
    source: example.source,
  }))
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
  /** Share of its right solutions that τ is to let pass, see `passRate`; when absent τ is what finds first errors best. */
  readonly passRate?: number
  /** Scores the slice where the recipe has read it already; the artifact itself does when absent. */
  readonly scored?: Pick<Scorer, 'logits'>
  /** Figures of the recipe's own, for the manifest. */
  readonly metrics?: Readonly<Record<string, unknown>>
}

/** Fits calibration and τ on the slice and writes the artifact with its figures there, each half measured with what the other half fitted. */
export async function finishCritic({
  out,
  files,
  facts,
  slice,
  replay,
  fitOn = slice,
  scored,
  passRate,
  metrics: own = {},
}: Finish): Promise<Manifest> {
  writeJsonl(join(out, SLICE_FILE), slice)
  writeJsonl(join(out, REPLAY_FILE), replay)
  const all = {
    ...files,
    [SLICE_FILE]: readFileSync(join(out, SLICE_FILE)),
    [REPLAY_FILE]: readFileSync(join(out, REPLAY_FILE)),
  }
  const { located, canaryLogits } = await withDraft(all, facts, async scorer => ({
    located: await locate(scored ?? scorer, fitOn),
    canaryLogits: await scorer.logits(CANARY_ITEMS),
  }))
  const fitted = (part: readonly Sourced[]): Reading => fitBySource(part, passRate)
  const reading = fitted(located)
  const canaries = toCanaries(canaryLogits.map(logits => probabilities(reading, logits)))
  const [even, odd] = [0, 1].map(side => located.filter((_, i) => i % 2 === side)) as [Sourced[], Sourced[]]
  const halves = [
    { reading: fitted(odd), measured: even },
    { reading: fitted(even), measured: odd },
  ].map(half => ({ threshold: half.reading.threshold, scored: readWith(half.reading, half.measured) }))
  const f1 = halves.map(({ scored, threshold }) => processBench(scored, threshold).f1)
  const crossed = halves.flatMap(({ scored }) => scored)
  const metrics = {
    ...own,
    slice_solutions: located.length,
    slice_step_auc: round(auc(judgedSteps(located))),
    slice_f1: round((f1[0]! + f1[1]!) / 2),
    ece: round(calibrationError(judgedSteps(crossed))),
  }
  const finished = { ...facts, metrics, reading: { ...reading, ece: metrics.ece }, canaries }
  const { files: allFiles, figures: int8 } = await withInt8(all, finished, slice)
  return writeArtifact(out, allFiles, { ...finished, metrics: { ...metrics, int8 } })
}

/** What `use` makes of a throw-away artifact that reads logits as they are. */
async function withDraft<T>(
  files: Finish['files'],
  facts: Finish['facts'],
  use: (scorer: Scorer) => Promise<T>,
): Promise<T> {
  const draft = mkdtempSync(join(tmpdir(), 'spar-draft-'))
  try {
    writeArtifact(draft, files, { ...facts, metrics: {}, reading: UNREAD })
    const scorer = await openScorer(draft, { threads: 2 })
    const made = await use(scorer)
    await scorer.release()
    return made
  } finally {
    rmSync(draft, { recursive: true, force: true })
  }
}

/** Step AUC on each list of examples, over all of their labels. */
export const stepAucOf = (
  files: Finish['files'],
  facts: Finish['facts'],
  lists: readonly (readonly Example[])[],
): Promise<number[]> =>
  withDraft(files, facts, async scorer => {
    const reached: number[] = []
    for (const examples of lists) reached.push(auc(labelledSteps(examples, await scorer.logits(examples))))
    return reached
  })

/** Four decimals. */
export const round = (x: number): number => Math.round(x * 1e4) / 1e4
