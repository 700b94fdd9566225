// The league's side of a round: who is met in the game, who is frozen after it, and the pay-off table. Knows no training.
import { existsSync } from 'node:fs'
import { openScorer, type Scorer } from '../../critic/scorer.ts'
import {
  attackRate,
  freezeAttacker,
  type League,
  type Meeting,
  recordGames,
  withDefender,
} from '../league/league.ts'
import { opponentChances } from '../league/pfsp.ts'
import { generateProblems } from '../recipe/built-in.ts'
import { round } from '../recipe/reading.ts'
import { createRng } from '../rng.ts'
import type { SneakyPolicy } from '../sneaky/policy.ts'
import type { Ablations } from './ablation.ts'
import type { FrozenJudge, Opponents } from './game.ts'
import type { Figures } from './messages.ts'
import { challenge, type Duel, type Judge, judgeDuels } from './play.ts'
import type { FrozenCritic, SparringState } from './sparring-state.ts'

export type SparringLeague = League<SneakyPolicy, FrozenCritic>

/** Solutions that each generator spoils for each critic to judge. */
const GAMES = 60
/** An exploiter is trained in every round of this number: a generator from nothing that meets the serving critic alone. */
const EXPLOITER_EVERY = 3

/** Whether the round after so many others has an exploiter. */
export const hasExploiter = (rounds: number): boolean => rounds % EXPLOITER_EVERY === EXPLOITER_EVERY - 1

/** The duels of a generator on solutions that no critic learns from: always the same solutions, and for the same name and policy the same edits. */
export function meetingDuels(name: string, policy: SneakyPolicy, games = GAMES): Duel[] {
  const rng = createRng('meeting')
  const draws = rng.fork(name)
  return generateProblems(rng.fork('problems'), games, 'heldout').flatMap(
    problem => challenge(draws, policy, { problem, steps: problem.steps }) ?? [],
  )
}

/** How a critic fares against a generator's duels. */
async function meet(critic: Judge, threshold: number, duels: readonly Duel[]): Promise<Meeting> {
  const judged = (await judgeDuels(critic, threshold, duels)).filter(duel => duel !== null)
  return { games: judged.length, won: judged.filter(duel => duel.fooled).length }
}

/** Who is new after a round's game. */
export interface Newcomers {
  /** The critic that was played against; it stays in `dir`. */
  readonly critic: { readonly version: string; readonly dir: string }
  /** By name. */
  readonly generators: Readonly<Record<string, SneakyPolicy>>
}

/** The league with the newcomers frozen, and pay-offs for each pair that has not met. @throws the signal's reason when aborted */
export async function growLeague(
  league: SparringLeague,
  { critic, generators }: Newcomers,
  { threads, signal }: { readonly threads: number; readonly signal?: AbortSignal },
): Promise<SparringLeague> {
  let grown = withDefender(league, { name: critic.version, player: { dir: critic.dir } })
  for (const [name, player] of Object.entries(generators)) grown = freezeAttacker(grown, { name, player })
  for (const { name: defender, player } of grown.defenders) {
    const strangers = grown.attackers.filter(({ name }) => grown.table[defender]?.[name] === undefined)
    if (strangers.length === 0 || !existsSync(player.dir)) continue
    const scorer = await openScorer(player.dir, { threads })
    try {
      for (const { name, player: policy } of strangers) {
        signal?.throwIfAborted()
        const meeting = await meet(
          scorer,
          scorer.artifact.manifest.reading!.threshold,
          meetingDuels(name, policy),
        )
        grown = recordGames(grown, defender, name, meeting)
      }
    } finally {
      await scorer.release()
    }
  }
  return grown
}

/** Frozen critics that the game opens, at most. */
const MOST_JUDGES = 3

/** The league as the game meets it; nobody without it. To be released. */
export async function openOpponents(
  { league, rounds }: Pick<SparringState, 'league' | 'rounds'>,
  serving: string,
  threads: number,
  without: Ablations,
): Promise<Opponents & { release(): Promise<void> }> {
  if (without.has('no-league'))
    return { generators: [], critics: [], exploits: false, release: async () => {} }
  const [newest] = league.attackers.slice(-1)
  const old = league.defenders.filter(({ name, player }) => name !== serving && existsSync(player.dir))
  const scorers: Scorer[] = []
  const critics: FrozenJudge[] = []
  for (const { name, player } of old.slice(-MOST_JUDGES)) {
    const critic = await openScorer(player.dir, { threads })
    scorers.push(critic)
    const { threshold } = critic.artifact.manifest.reading!
    critics.push({ name, critic, threshold, success: newest ? attackRate(league, name, newest.name) : 0.5 })
  }
  return {
    generators: league.attackers.map(({ name, player }) => ({
      name,
      policy: player,
      success: attackRate(league, serving, name),
    })),
    critics,
    exploits: hasExploiter(rounds),
    async release() {
      for (const scorer of scorers) await scorer.release()
    },
  }
}

/** The pay-off table for people: share of wrong steps that passed, by critic and generator, and how likely each generator is met. */
export function leagueFigures(league: League<unknown, unknown>, serving: string): Figures {
  const chances = opponentChances(league.attackers.map(({ name }) => 1 - attackRate(league, serving, name)))
  return {
    generators: Object.fromEntries(
      league.attackers.map(({ name }, i) => [name, { chance: round(chances[i]!) }]),
    ),
    critics: league.defenders.map(({ name }) => name),
    sneaky_success: Object.fromEntries(
      Object.entries(league.table).map(([critic, row]) => [
        critic,
        Object.fromEntries(
          Object.entries(row).map(([name, { games, won }]) => [
            name,
            games === 0 ? null : round(won / games),
          ]),
        ),
      ]),
    ),
  }
}
