// A candidate's folder from first file to decision: made where no registry looks, moved into place whole, with the decision in it.
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { type Manifest, readManifest, writeArtifact } from '../../critic/manifest.ts'
import { AppError } from '../../errors.ts'
import type { Verdict } from './gate.ts'

export interface Draft {
  /** Folder to write the artifact into. */
  readonly dir: string
  /** Where it goes when it is decided on. */
  readonly finalDir: string
  /** Removes what is left of it. */
  discard(): void
}

/** Where candidates are until they are decided on. A registry looks for manifests in the folders of `outDir`; those in here are a level deeper. */
export const draftsOf = (outDir: string): string => join(outDir, '.drafts')

/** What a round that ended with this version decided, or null. @throws {AppError} CRITIC_INVALID when the version is taken by another critic */
export function pastDecision(outDir: string, version: string): Verdict | null {
  const manifest = readManifest(join(outDir, version))
  if (manifest === null) return null
  const verdict = manifest.metrics['round'] as Verdict | undefined
  if (verdict?.decision === undefined)
    throw new AppError('CRITIC_INVALID', `there is a critic ${version} already`)
  return verdict
}

/** An empty folder for a candidate: a round that is killed halfway may leave a valid artifact that nobody decided on. */
export function openDraft(outDir: string, version: string): Draft {
  const dir = join(draftsOf(outDir), version)
  const discard = () => rmSync(dir, { recursive: true, force: true })
  discard()
  mkdirSync(dir, { recursive: true })
  return { dir, finalDir: join(outDir, version), discard }
}

/** Writes the decision into the manifest and moves the candidate to where it can be found, rejected or not. */
export function keepCandidate({ dir, finalDir }: Draft, manifest: Manifest, verdict: Verdict): void {
  const { files, format: _, ...facts } = manifest
  const contents = Object.fromEntries(Object.keys(files).map(name => [name, readFileSync(join(dir, name))]))
  writeArtifact(dir, contents, { ...facts, metrics: { ...facts.metrics, round: verdict } })
  if (existsSync(finalDir)) rmSync(finalDir, { recursive: true }) // it has no manifest, see pastDecision
  renameSync(dir, finalDir)
}
