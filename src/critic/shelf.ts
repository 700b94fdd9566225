// The folders that hold critics, shipped and trained, looked at anew whenever asked: others add to them. Knows no worker and no pointer.
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { AppError } from '../errors.ts'
import { type Manifest, readManifest } from './manifest.ts'

interface Found {
  readonly dir: string
  readonly source: 'shipped' | 'trained'
  readonly manifest: Manifest
}

/** Where a critic comes from. */
export interface Origin {
  readonly data_hash: string
  /** Versions it was trained from, the nearest first. */
  readonly parents: readonly string[]
}

export interface Shelf {
  list(): Found[]
  /** @throws {AppError} UNKNOWN_CRITIC */
  find(version: string): Found
  /** Undefined when none is shipped. */
  newestShipped(): string | undefined
  /** @throws {AppError} UNKNOWN_CRITIC */
  originOf(version: string): Origin
}

/** The critics of two folders, one folder a version; a shipped one hides a trained one of the same version. */
export function openShelf(shippedDir: string, trainedDir: string): Shelf {
  function scan(): Map<string, Found> {
    const found = new Map<string, Found>()
    for (const [root, source] of [
      [trainedDir, 'trained'],
      [shippedDir, 'shipped'],
    ] as const) {
      for (const dir of foldersOf(root)) {
        const manifest = readManifest(dir)
        if (manifest?.kind === 'critic' && manifest.reading)
          found.set(manifest.version, { dir, source, manifest })
      }
    }
    return found
  }

  function find(version: string, among = scan()): Found {
    const found = among.get(version)
    if (!found) throw new AppError('UNKNOWN_CRITIC', 'GET /admin/critics lists the critics there are.')
    return found
  }

  return {
    list: () => [...scan().values()],
    find: version => find(version),
    newestShipped: () =>
      [...scan().values()]
        .filter(({ source }) => source === 'shipped')
        .map(({ manifest }) => manifest.version)
        .toSorted(new Intl.Collator('en', { numeric: true }).compare)
        .at(-1),
    originOf(version) {
      const found = scan()
      const { parent: nearest, data_hash } = find(version, found).manifest
      const parents: string[] = []
      for (let parent = nearest; parent !== null && !parents.includes(parent); ) {
        parents.push(parent)
        parent = found.get(parent)?.manifest.parent ?? null
      }
      return { data_hash, parents }
    },
  }
}

/** Folders in `root`; none where there is no such folder. */
export function foldersOf(root: string): string[] {
  try {
    return readdirSync(root, { withFileTypes: true })
      .filter(entry => entry.isDirectory())
      .map(entry => join(root, entry.name))
  } catch {
    return []
  }
}
