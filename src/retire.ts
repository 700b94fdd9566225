// Takes away critics that rounds made and nobody needs any more, or the disk fills with what was refused. Knows no round and no worker.
import { mkdirSync, renameSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { readManifest } from './critic/manifest.ts'
import { foldersOf } from './critic/shelf.ts'
import { readRollout } from './rollout/state.ts'
import type { Store } from './store/types.ts'
import { draftsOf } from './train/round/draft.ts'
import { readSparring } from './train/round/sparring-state.ts'

export interface RetireOptions {
  readonly store: Pick<Store, 'getServing' | 'getNote' | 'listNotes' | 'putNote'>
  readonly trainedDir: string
  /** Whether the job that made a version goes on with it. */
  readonly isUnderWay: (version: string) => Promise<boolean>
}

/** Kept whatever was decided on them, to be looked into or promoted by hand. */
const NEWEST = 8

/**
 * Removes critics that a round made, but for the newest, what serves or served, what is tried out, who stands in the league, and the parents of all
 * these. What was put there by hand stays. Returns the versions that went.
 */
export async function retireCritics({ store, trainedDir, isUnderWay }: RetireOptions): Promise<string[]> {
  const found = foldersOf(trainedDir).flatMap(dir => {
    const manifest = readManifest(dir)
    return manifest?.kind === 'critic' ? [{ dir, manifest }] : []
  })
  const made = found.filter(({ manifest }) => manifest.metrics['round'] !== undefined)
  if (made.length <= NEWEST) return []
  const serving = await store.getServing()
  const rollout = (await readRollout(store))?.rollout
  const { league } = readSparring(trainedDir)
  const needed = [
    ...(serving ? [serving.version, ...serving.history] : []),
    ...(rollout ? [rollout.candidate, rollout.parent] : []),
    ...league.defenders.map(({ name }) => name),
    ...made
      .toSorted((a, b) => (a.manifest.created_at < b.manifest.created_at ? 1 : -1))
      .slice(0, NEWEST)
      .map(({ manifest }) => manifest.version),
  ]
  const parents = new Map(found.map(({ manifest: { version, parent } }) => [version, parent]))
  const stays = new Set([...needed, ...needed.map(version => parents.get(version))])
  const gone: string[] = []
  for (const { dir, manifest } of made) {
    const { version } = manifest
    if (stays.has(version) || (await isUnderWay(version))) continue
    remove(trainedDir, dir, version)
    gone.push(version)
  }
  return gone
}

/** At once for whoever looks for critics; what a kill leaves of it lies among the drafts, which go with their jobs. */
function remove(trainedDir: string, dir: string, version: string): void {
  const drafts = draftsOf(trainedDir)
  const grave = join(drafts, version)
  rmSync(grave, { recursive: true, force: true })
  mkdirSync(drafts, { recursive: true })
  renameSync(dir, grave)
  rmSync(grave, { recursive: true, force: true })
}
