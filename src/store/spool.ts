// The recorder's waiting line: records in order of arrival, bounded in number and in text. Knows no store.
import type { Page } from './journal.ts'
import type { TrafficRecord } from './types.ts'

export interface SpoolEntry {
  readonly record: TrafficRecord
  /** Arrival number, from 1, without gaps. */
  readonly seq: number
  /** Characters of text in the record. */
  readonly chars: number
  /** Where it is on disk; null for nowhere. */
  readonly page: Page | null
}

export interface Spool {
  /** Puts a record at the end; returns its arrival number. */
  push(record: TrafficRecord, page: Page | null): number
  /** Removes and returns the oldest entries: at most `maxRecords`, and no more than `maxChars` but at least one. */
  take(maxRecords: number, maxChars: number): SpoolEntry[]
  /** Returns taken entries to the front. */
  putBack(entries: readonly SpoolEntry[]): void
  /** Removes and returns the oldest entries until the line keeps its bounds. */
  trim(): SpoolEntry[]
  /** Arrival number of the oldest entry; Infinity when there is none. */
  firstSeq(): number
  size(): number
}

/** An empty line for at most `maxRecords` records and `maxChars` characters (a single longer record may stay). */
export function createSpool(maxRecords: number, maxChars: number): Spool {
  let entries: SpoolEntry[] = []
  let chars = 0
  let lastSeq = 0

  return {
    push(record, page) {
      const entry = { record, seq: ++lastSeq, chars: countChars(record), page }
      entries.push(entry)
      chars += entry.chars
      return entry.seq
    },
    take(batchRecords, batchChars) {
      let n = 0
      let taken = 0
      while (
        n < Math.min(batchRecords, entries.length) &&
        (n === 0 || taken + entries[n]!.chars <= batchChars)
      )
        taken += entries[n++]!.chars
      chars -= taken
      return entries.splice(0, n)
    },
    putBack(taken) {
      entries = [...taken, ...entries]
      for (const entry of taken) chars += entry.chars
    },
    trim() {
      let n = 0
      while (entries.length - n > maxRecords || (chars > maxChars && entries.length - n > 1))
        chars -= entries[n++]!.chars
      return entries.splice(0, n)
    },
    firstSeq: () => entries[0]?.seq ?? Infinity,
    size: () => entries.length,
  }
}

function countChars(record: TrafficRecord): number {
  let chars = record.problem.length
  for (const candidate of record.candidates) for (const step of candidate.steps) chars += step.length
  return chars
}
