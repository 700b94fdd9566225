// What sparring remembers from round to round, beside the critics it made: the league, the generator as it stands, how rounds ended.
// One small JSON file, replaced whole. Knows no game.
import { mkdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { emptyLeague, type League, type Meeting } from '../league/league.ts'
import type { Difficulty } from '../problems/types.ts'
import { replaceFile } from '../replace-file.ts'
import { createPolicy, type SneakyPolicy } from '../sneaky/policy.ts'
import type { SoftmaxPolicy } from '../sneaky/softmax-policy.ts'
import type { LlmLeague } from './llm-generators.ts'

/** A critic that served, frozen: where its artifact lies. */
export interface FrozenCritic {
  readonly dir: string
}

/** Duels on generated problems so far, by difficulty. */
export type DifficultyRecord = Readonly<Partial<Record<Difficulty, Meeting>>>

/** How a round ended. */
export interface RoundNote {
  /** The candidate's version. */
  readonly version: string
  readonly decision: 'promoted' | 'rejected'
}

export interface SparringState {
  readonly format: 1
  /** Attackers are edit policies, defenders critics that served. */
  readonly league: League<SneakyPolicy, FrozenCritic>
  /** The main generator, which each round goes on with. */
  readonly generator: SneakyPolicy
  /** The language model's preference among error types; null before its first game. */
  readonly llmGenerator: SoftmaxPolicy | null
  /** The language model's ways to set traps after earlier rounds, and how they fared against critics. */
  readonly llmLeague: LlmLeague
  /** How often the critic was fooled on generated problems. */
  readonly difficulties: DifficultyRecord
  /** Rounds that have ended. */
  readonly rounds: number
  /** The newest of them, newest last. */
  readonly notes: readonly RoundNote[]
}

const MOST_NOTES = 50
const FILE = 'sparring.json'
/** A registry looks for manifests in the folders of `outDir`; this one has none. */
const folderOf = (outDir: string): string => join(outDir, '.league')

const freshState = (): SparringState => ({
  format: 1,
  league: emptyLeague(),
  generator: createPolicy(),
  llmGenerator: null,
  llmLeague: emptyLeague(),
  difficulties: {},
  rounds: 0,
  notes: [],
})

/** The state beside these critics; a fresh one where there is none, or none that can be read. */
export function readSparring(outDir: string): SparringState {
  try {
    const state = JSON.parse(readFileSync(join(folderOf(outDir), FILE), 'utf8')) as SparringState
    return state.format === 1 ? { ...freshState(), ...state } : freshState() // a field of later is not in an earlier file
  } catch {
    return freshState() // an older or a damaged file: the league begins anew, the critics are not touched
  }
}

/** Puts a state in the place of the one before: a reader sees either, whole. */
export function writeSparring(outDir: string, state: SparringState): void {
  const dir = folderOf(outDir)
  mkdirSync(dir, { recursive: true })
  replaceFile(join(dir, FILE), [Buffer.from(`${JSON.stringify(state)}\n`)], 0o666)
}

/** The state after a round has ended; a round that is run again is noted and counted once. */
export function afterRound(state: SparringState, note: RoundNote): SparringState {
  const others = state.notes.filter(({ version }) => version !== note.version)
  const isNew = others.length === state.notes.length
  return { ...state, notes: [...others, note].slice(-MOST_NOTES), rounds: state.rounds + (isNew ? 1 : 0) }
}
