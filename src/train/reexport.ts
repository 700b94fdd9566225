// Gives a critic that was exported earlier the graph of today, from its own weights and without training. Knows no graph's contents.
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Manifest, openArtifact, writeArtifact } from '../critic/manifest.ts'
import { openScorer } from '../critic/scorer.ts'
import type { CritiqueItem } from '../critic/types.ts'
import { readJsonl } from './data/jsonl.ts'
import { exportCritic, weightsOf } from './export.ts'
import { withInt8 } from './int8.ts'
import { SLICE_FILE } from './recipe/reading.ts'

/** Items that both graphs score, and how far their logits may be apart: they compute the same sums in the same order. */
const COMPARED = 64
const TOLERANCE = 1e-5

/** Compared where an artifact carries no slice. */
const FALLBACK: CritiqueItem = { problem: 'What is 2 + 3?', steps: ['2 + 3 = 5.', 'The answer is 5.'] }

export interface Reexported {
  readonly manifest: Manifest
  /** Items compared. */
  readonly items: number
  /** Widest distance between an old logit and a new one. */
  readonly widest: number
}

/**
 * Writes the critic of `from` to `out`, which may be the same folder, with the scoring graph that `exportCritic` writes now. Its int8 graph is made
 * anew; all else stays as it is, its version too: it is the same critic. Nothing is written unless both graphs give the same logits.
 *
 * @throws {AppError} CRITIC_INVALID when `from` is no valid critic or lacks a weight
 * @throws Error when the logits differ
 */
export async function reexport(from: string, out: string): Promise<Reexported> {
  const artifact = openArtifact(from)
  const { files: hashes, format: _, ...facts } = artifact.manifest
  const files = Object.fromEntries(Object.keys(hashes).map(name => [name, readFileSync(join(from, name))]))
  const model = await exportCritic(facts.model, weightsOf(artifact))
  const items: readonly CritiqueItem[] = existsSync(join(from, SLICE_FILE))
    ? readJsonl<CritiqueItem>(join(from, SLICE_FILE)).slice(0, COMPARED)
    : [FALLBACK]

  const draft = mkdtempSync(join(tmpdir(), 'spar-export-'))
  try {
    writeArtifact(draft, { ...files, 'model.onnx': model }, facts)
    const [before, after] = [await logitsOf(from, items), await logitsOf(draft, items)]
    const distances = before.flatMap((steps, i) => steps.map((logit, k) => distance(logit, after[i]![k]!)))
    const widest = distances.reduce((a, b) => Math.max(a, b), 0)
    if (widest > TOLERANCE)
      throw new Error(
        `the new graph of ${facts.version} gives logits that are off by ${widest}; nothing was written`,
      )
    const { files: all, figures: int8 } = await withInt8({ ...files, 'model.onnx': model }, facts, items)
    mkdirSync(out, { recursive: true })
    const manifest = writeArtifact(out, all, { ...facts, metrics: { ...facts.metrics, int8 } })
    return { manifest, items: items.length, widest }
  } finally {
    rmSync(draft, { recursive: true, force: true })
  }
}

async function logitsOf(dir: string, items: readonly CritiqueItem[]): Promise<(number | null)[][]> {
  const scorer = await openScorer(dir)
  const logits = await scorer.logits(items)
  await scorer.release()
  return logits
}

/** 0 where neither is a number, infinite where one is. */
const distance = (a: number | null, b: number | null): number =>
  a === null || b === null ? (a === b ? 0 : Number.POSITIVE_INFINITY) : Math.abs(a - b)
