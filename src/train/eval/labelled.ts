// Reads solutions with labelled steps: ProcessBench's form and one's own. Checks every record; knows no critic.
import { basename } from 'node:path'
import type { CritiqueItem } from '../../critic/types.ts'
import { readJsonl } from '../data/jsonl.ts'

/** A solution and what is known of its steps. */
export interface LabelledItem extends CritiqueItem {
  /** Per step: right, wrong, or null where nothing is known. */
  readonly truths: readonly (boolean | null)[]
  /** Index of the first wrong step, -1 when all are right; null when the labels leave it open (then F1 passes the item over). */
  readonly firstError: number | null
  readonly kind: string | null
}

/** One file of labelled solutions. */
export interface Subset {
  /** File name without `.jsonl` and `.gz`. */
  readonly name: string
  readonly path: string
  readonly items: readonly LabelledItem[]
}

/** A record: `label` is the index of the first wrong step (-1 none) and wins over `labels`, one truth per step. */
interface LabelledRecord {
  readonly problem?: unknown
  readonly steps?: unknown
  readonly label?: unknown
  readonly labels?: unknown
  readonly kind?: unknown
}

export const subsetName = (path: string): string => basename(path).replace(/\.jsonl(\.gz)?$/, '')

/** Reads subsets from paths parted by commas. @throws Error naming file and record when one is not as documented */
export function readSubsets(paths: readonly string[]): Subset[] {
  const names = paths.map(subsetName)
  const twice = names.find((name, i) => names.indexOf(name) !== i)
  if (twice !== undefined)
    throw new Error(`two files of --data are called ${twice}; their figures would be mixed up`)
  return paths.map((path, i) => {
    const items = readJsonl<LabelledRecord>(path).map((record, n) =>
      readItem(record, `${path}, record ${n + 1}`),
    )
    if (items.length === 0) throw new Error(`${path} has no records`)
    return { name: names[i]!, path, items }
  })
}

function readItem({ problem, steps, label, labels, kind }: LabelledRecord, place: string): LabelledItem {
  const refuse = (what: string) => new Error(`${place}: ${what}`)
  if (typeof problem !== 'string') throw refuse('problem must be a text')
  if (!Array.isArray(steps) || steps.length === 0 || !steps.every(step => typeof step === 'string'))
    throw refuse('steps must be a list of texts, one at least')
  const named = typeof kind === 'string' ? kind : null
  if (label !== undefined) {
    if (!Number.isInteger(label) || (label as number) < -1 || (label as number) >= steps.length)
      throw refuse(`label must be the index of the first wrong step, from 0 to ${steps.length - 1}, or -1`)
    const first = label as number
    const truths = steps.map((_, i) => (first < 0 || i < first ? true : i === first ? false : null))
    return { problem, steps, truths, firstError: first, kind: named }
  }
  if (!Array.isArray(labels) || labels.length !== steps.length)
    throw refuse('needs label (index of the first wrong step, -1 none) or labels (one per step)')
  const truths = labels.map(value => {
    if (value === null || typeof value === 'boolean') return value
    if (typeof value === 'number' && value >= 0 && value <= 1) return value >= 0.5
    throw refuse('labels must be true, false, null, or numbers from 0 (wrong) to 1 (right)')
  })
  const first = truths.indexOf(false)
  const before = first < 0 ? truths : truths.slice(0, first)
  return { problem, steps, truths, firstError: before.includes(null) ? null : first, kind: named }
}

/** A step whose truth is known, and where it stands. */
export interface KnownStep {
  /** Index of its item and, from 0, its index there. */
  readonly item: number
  readonly step: number
  readonly right: boolean
  readonly chars: number
  readonly kind: string | null
}

/** All steps whose truth is known, in order. */
export function knownSteps(items: readonly LabelledItem[]): KnownStep[] {
  return items.flatMap(({ steps, truths, kind }, item) =>
    truths.flatMap((right, step) =>
      right === null ? [] : [{ item, step, right, chars: steps[step]!.length, kind }],
    ),
  )
}

/** For each item the number of its problem, from 0 in order of first appearance: the unit of resampling. */
export function problemNumbers(items: readonly CritiqueItem[]): { of: number[]; count: number } {
  const numbers = new Map<string, number>()
  const of = items.map(({ problem }) => {
    const number = numbers.get(problem) ?? numbers.size
    numbers.set(problem, number)
    return number
  })
  return { of, count: numbers.size }
}
