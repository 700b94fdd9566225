// The state of a rollout as servers and trainers share it through the store: one at a time, changed only as it was read.
import type { Note, Store } from '../store/types.ts'
import type { Calibration } from './limits.ts'
import { type ArmFigures, addTallies, type Tally } from './tally.ts'

/** Scored beside what serves; serves a share; serves, and is watched. */
export type Stage = 'shadow' | 'canary' | 'watch'

export interface Rollout {
  /** The job that made the candidate. */
  readonly id: string
  readonly candidate: string
  /** What served when it began. */
  readonly parent: string
  readonly stage: Stage
  /** Unix milliseconds. */
  readonly since: number
  readonly until: number
  /** Share of the traffic that is compared or served, in (0, 1]. */
  readonly share: number
  /** What an operator wants: the next stage now, or its end. */
  readonly wish?: 'skip' | 'abort'
  /** What it is watched against. */
  readonly baseline?: { readonly arm: ArmFigures; readonly calibration: Calibration }
}

export type RolloutStore = Pick<Store, 'getNote' | 'listNotes' | 'putNote'>

const KEY = 'rollout'
const tallyPrefix = ({ id, stage }: Rollout): string => `tally:${id}:${stage}:`

/** The rollout there is, with the note it is in. */
export async function readRollout(store: RolloutStore): Promise<{ rollout: Rollout; note: Note } | null> {
  const note = await store.getNote(KEY)
  return note === null ? null : { rollout: note.value as Rollout, note }
}

/** Changes it as `change` says, trying again when another process was faster; `change` returns null to leave it as it is. */
export async function changeRollout(
  store: RolloutStore,
  change: (now: Rollout | null) => Rollout | 'end' | null,
): Promise<Rollout | null> {
  for (;;) {
    const found = await readRollout(store)
    const next = change(found?.rollout ?? null)
    if (next === null || (next === 'end' && found === null)) return found?.rollout ?? null
    const value = next === 'end' ? null : next
    if (!(await store.putNote(KEY, value, found?.note.revision ?? 0))) continue
    if (found && value?.id !== found.rollout.id) await removeTallies(store, found.rollout.id)
    return value
  }
}

/** What all servers counted in this stage. */
export async function readTallies(store: RolloutStore, rollout: Rollout): Promise<Tally> {
  const notes = await store.listNotes(tallyPrefix(rollout))
  return addTallies(notes.map(note => note.value as Tally))
}

/** Writes what this server counted in this stage. */
export async function writeTally(
  store: RolloutStore,
  rollout: Rollout,
  owner: string,
  tally: Tally,
): Promise<void> {
  const key = tallyPrefix(rollout) + owner
  for (;;) {
    const note = await store.getNote(key)
    if (await store.putNote(key, tally, note?.revision ?? 0)) return
  }
}

async function removeTallies(store: RolloutStore, id: string): Promise<void> {
  for (const { key, revision } of await store.listNotes(`tally:${id}:`))
    await store.putNote(key, null, revision)
}
