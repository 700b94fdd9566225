// Decides whether a critic gets an int8 graph beside its own: only where its scores stay close on held-back solutions.
// Knows no graph's contents.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Manifest, writeArtifact } from '../critic/manifest.ts'
import { INT8_MODEL, INT8_WIDEST, type Precision } from '../critic/precision.ts'
import { openScorer } from '../critic/scorer.ts'
import type { CritiqueItem } from '../critic/types.ts'
import { quantiseModel } from './quantise.ts'

/** Solutions compared beside the canaries, the first of those held back. */
const COMPARED = 64
/** How far a score may move on average. */
const MEAN = 0.002

type Files = Readonly<Record<string, Uint8Array | string>>

export interface Int8Figures {
  /** Distance of the two graphs' scores, at most and on average; null where a score is missing. */
  readonly widest: number | null
  readonly mean: number | null
  readonly kept: boolean
}

/**
 * An artifact's files with the int8 graph of its `model.onnx`, where the scores on `items` and canaries stay close; without one otherwise. The figures
 * hold for the CPU they are measured on: one without exact byte products keeps none.
 */
export async function withInt8(
  files: Files,
  facts: Omit<Manifest, 'format' | 'files'>,
  items: readonly CritiqueItem[],
): Promise<{ readonly files: Files; readonly figures: Int8Figures }> {
  const { [INT8_MODEL]: _, ...others } = files
  const both = { ...others, [INT8_MODEL]: quantiseModel(others['model.onnx'] as Uint8Array) }
  const draft = mkdtempSync(join(tmpdir(), 'spar-int8-'))
  try {
    writeArtifact(draft, both, facts)
    const asked = [...(facts.canaries ?? []), ...items.slice(0, COMPARED)]
    const [want, got] = [await scoresOf(draft, asked, 'float32'), await scoresOf(draft, asked, 'int8')]
    const distances = want.map((score, i) =>
      score === null || got[i] === null ? Number.POSITIVE_INFINITY : Math.abs(score - got[i]!),
    )
    const widest = distances.reduce((a, b) => Math.max(a, b), 0)
    const mean = distances.reduce((a, b) => a + b, 0) / distances.length
    const kept = widest <= INT8_WIDEST && mean <= MEAN
    return { files: kept ? both : others, figures: { widest: finite(widest), mean: finite(mean), kept } }
  } finally {
    rmSync(draft, { recursive: true, force: true })
  }
}

async function scoresOf(
  dir: string,
  items: readonly CritiqueItem[],
  precision: Precision,
): Promise<(number | null)[]> {
  const scorer = await openScorer(dir, { precision })
  const critiques = await scorer.judge(items)
  await scorer.release()
  return critiques.flatMap(({ steps }) => steps.map(({ score }) => score))
}

const finite = (x: number): number | null => (Number.isFinite(x) ? Math.round(x * 1e6) / 1e6 : null)
