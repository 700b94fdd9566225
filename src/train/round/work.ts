// What a round that has not ended has done, on disk: what its stages made, and how far its learning came. One that is killed or paused goes
// on from it. Knows no stage.
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { deserialize, serialize } from 'node:v8'
import { type CheckpointStore, keptCheckpoints } from '../fit/checkpoint.ts'
import { replaceFile } from '../replace-file.ts'
import { draftsOf } from './draft.ts'

export interface Work {
  /** What was kept under a name; null when nothing was, or it cannot be read. The caller knows its shape. */
  load<T>(name: string): T | null
  /** Keeps plain data, durably; typed arrays and NaN come back as they were. */
  keep(name: string, value: unknown): void
  /** What was kept under the name, else what `make` makes, which is kept. */
  once<T>(name: string, make: () => T | Promise<T>): Promise<T>
  /** Checkpoints of a part of the learning. */
  checkpoints(part: string, everyMs: number): CheckpointStore
  /** Removes all of it. */
  discard(): void
}

/** A registry looks for manifests in the folders of `outDir`; those in here are a level deeper, and have none. */
const folderOf = (outDir: string): string => join(outDir, '.rounds')
const OF = 'of'

/**
 * The work of the round that makes this version. What another round left under its name (`of` says what makes it another: its parent,
 * seed, length …) is removed first. Holds traffic: it goes when the round has ended.
 */
export function openWork(outDir: string, version: string, of: Readonly<Record<string, unknown>>): Work {
  const dir = join(folderOf(outDir), version)
  const discard = () => dropRound(outDir, version)
  const load = <T>(name: string): T | null => {
    try {
      return deserialize(readFileSync(join(dir, name))) as T
    } catch {
      return null // not there, or of another Node: the stage is run again
    }
  }
  const keep = (name: string, value: unknown) => {
    mkdirSync(dir, { recursive: true, mode: 0o700 })
    replaceFile(join(dir, name), [serialize(value)])
  }
  const identity = JSON.stringify(of)
  if (load(OF) !== identity) {
    discard()
    keep(OF, identity)
  }
  return {
    load,
    keep,
    async once<T>(name: string, make: () => T | Promise<T>): Promise<T> {
      const kept = load<{ made: T }>(name)
      if (kept !== null) return kept.made
      const made = await make()
      keep(name, { made })
      return made
    },
    checkpoints: (part, everyMs) => keptCheckpoints(join(dir, 'learning', part), everyMs),
    discard,
  }
}

/** Versions of rounds beside these critics that have work left, or a draft. */
export const roundsLeft = (outDir: string): string[] => [...new Set(placesOf(outDir).flatMap(namesIn))]

/** Removes what a round left. */
export function dropRound(outDir: string, version: string): void {
  for (const place of placesOf(outDir)) rmSync(join(place, version), { recursive: true, force: true })
}

const placesOf = (outDir: string): string[] => [folderOf(outDir), draftsOf(outDir)]
const namesIn = (dir: string): string[] => (existsSync(dir) ? readdirSync(dir) : [])
