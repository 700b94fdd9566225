// The game: waves of duels between the sneaky generator and the critic, and between each of them and the frozen ones of the league.
// The generator learns what fools a critic; every duel the serving critic judged becomes a lesson. Knows no training of critics.
import { opponentChances } from '../league/pfsp.ts'
import { round } from '../recipe/reading.ts'
import type { Rng } from '../rng.ts'
import type { SpoiledSolution } from '../sneaky/apply.ts'
import { createPolicy, operatorChances, type SneakyPolicy, updatePolicy } from '../sneaky/policy.ts'
import { entropyOf } from '../sneaky/softmax-policy.ts'
import { SNEAKY_OPERATORS, type SneakyOperator } from '../sneaky/types.ts'
import { type CleanSolution, challenge, type Judge, type JudgedDuel, judgeDuels } from './play.ts'

type EditDuel = JudgedDuel<SpoiledSolution>

/** A generator that learns no more. */
interface FrozenGenerator {
  readonly name: string
  readonly policy: SneakyPolicy
  /** Share of its wrong steps that passed with the serving critic so far, in [0, 1]. */
  readonly success: number
}

/** A critic that no longer serves. */
export interface FrozenJudge {
  readonly name: string
  readonly critic: Judge
  readonly threshold: number
  /** Share of the main generator's wrong steps that passed with it so far, in [0, 1]. */
  readonly success: number
}

export interface Opponents {
  readonly generators: readonly FrozenGenerator[]
  readonly critics: readonly FrozenJudge[]
  /** Whether a generator from nothing trains against the serving critic alone. */
  readonly exploits: boolean
}

const ALONE: Opponents = { generators: [], critics: [], exploits: false }

export interface PlayOptions {
  /** The serving critic. */
  readonly critic: Judge
  readonly threshold: number
  /** The main generator as it starts; uniform when absent. */
  readonly policy?: SneakyPolicy
  /** Nobody when absent: plain self-play. */
  readonly opponents?: Opponents
  /** Kinds of right solutions; a kind is drawn first, then one of its solutions. */
  readonly sources: readonly (readonly CleanSolution[])[]
  readonly rng: Rng
  /** Most waves; a generator that learns moves after each of its own. */
  readonly waves: number
  readonly waveSize: number
  /** Whether an edit must be wrong for sure to count; default true. */
  readonly provableOnly?: boolean
  readonly signal?: AbortSignal
  /** Asked after each wave; true ends the game. */
  readonly isOver: (wavesPlayed: number) => boolean
}

/** Who meets whom in a wave, and how often that is played where there is such an opponent (AlphaStar's main agent: 35 % self-play). */
const WAVES = { self: 0.35, 'frozen generator': 0.35, 'frozen critic': 0.15, exploiter: 0.3 } as const
type WaveKind = keyof typeof WAVES
const KINDS = Object.keys(WAVES) as WaveKind[]

export interface Game {
  /** All duels, as the serving critic judged them. */
  readonly duels: readonly EditDuel[]
  /** The main generator as it ended. */
  readonly policy: SneakyPolicy
  /** Null when there was none. */
  readonly exploiter: SneakyPolicy | null
  /** Duels by kind of wave; those of `self` are the main generator's against the serving critic. */
  readonly byWave: Readonly<Record<WaveKind, readonly EditDuel[]>>
}

/** Plays waves of duels. @throws the signal's reason when aborted */
export async function play(options: PlayOptions): Promise<Game> {
  const { critic, threshold, rng, signal, opponents = ALONE } = options
  const sources = options.sources.filter(source => source.length > 0)
  const byWave: Record<WaveKind, EditDuel[]> = {
    self: [],
    'frozen generator': [],
    'frozen critic': [],
    exploiter: [],
  }
  const isThere: Record<WaveKind, boolean> = {
    self: true,
    'frozen generator': opponents.generators.length > 0,
    'frozen critic': opponents.critics.length > 0,
    exploiter: opponents.exploits,
  }
  const generators = createRates(opponents.generators)
  const critics = createRates(opponents.critics)
  let policy = options.policy ?? createPolicy()
  let exploiter = createPolicy()

  const duelsOf = async (by: SneakyPolicy, judge: Judge, at: number): Promise<EditDuel[]> => {
    const drawn = Array.from({ length: options.waveSize }, () =>
      challenge(rng, by, rng.pick(rng.pick(sources)), options.provableOnly),
    )
    const given = drawn.filter(duel => duel !== null)
    return (await judgeDuels(judge, at, given)).filter(duel => duel !== null)
  }
  const playWave: Record<WaveKind, () => Promise<EditDuel[]>> = {
    async self() {
      const duels = await duelsOf(policy, critic, threshold)
      policy = taught(policy, duels)
      return duels
    },
    async 'frozen generator'() {
      // The critic's chance to win is what the generator fails in.
      const met = generators.draw(rng, ({ success }) => 1 - success)
      const duels = await duelsOf(met.policy, critic, threshold)
      generators.tell(met, duels)
      return duels
    },
    async 'frozen critic'() {
      const met = critics.draw(rng, ({ success }) => success)
      const duels = await duelsOf(policy, met.critic, met.threshold)
      critics.tell(met, duels)
      policy = taught(policy, duels)
      return (await judgeDuels(critic, threshold, duels)).filter(duel => duel !== null)
    },
    async exploiter() {
      const duels = await duelsOf(exploiter, critic, threshold)
      exploiter = taught(exploiter, duels)
      return duels
    },
  }
  for (let wave = 1; wave <= options.waves && sources.length > 0; wave++) {
    signal?.throwIfAborted()
    const kind = KINDS[rng.weighted(KINDS.map(name => (isThere[name] ? WAVES[name] : 0)))]!
    byWave[kind].push(...(await playWave[kind]()))
    if (options.isOver(wave)) break
  }
  return {
    duels: KINDS.flatMap(kind => byWave[kind]),
    policy,
    exploiter: opponents.exploits ? exploiter : null,
    byWave,
  }
}

/** The policy after duels of its own. */
const taught = (policy: SneakyPolicy, duels: readonly EditDuel[]): SneakyPolicy =>
  updatePolicy(
    policy,
    duels.map(({ spoiled: { operator, available }, fooled }) => ({
      operator,
      available,
      reward: fooled ? 1 : -1,
    })),
  )

/** What was known of an opponent's success counts as much as this many duels. */
const KNOWN = 60

/** Opponents whose success follows what happens in the game. */
function createRates<T extends { readonly name: string; readonly success: number }>(opponents: readonly T[]) {
  const rates = new Map(opponents.map(({ name, success }) => [name, { won: KNOWN * success, games: KNOWN }]))
  const now = (opponent: T): T => {
    const { won, games } = rates.get(opponent.name)!
    return { ...opponent, success: won / games }
  }
  return {
    /** By prioritised fictitious self-play; `winRate` is that of the side that learns. */
    draw(rng: Rng, winRate: (opponent: T) => number): T {
      return opponents[rng.weighted(opponentChances(opponents.map(o => winRate(now(o)))))]!
    },
    tell({ name }: T, duels: readonly EditDuel[]): void {
      const { won, games } = rates.get(name)!
      rates.set(name, {
        won: won + duels.filter(d => d.fooled).length,
        games: games + duels.length,
      })
    },
  }
}

/** Sneaky success overall, by wave and by operator, with what the policy came to prefer, and how diverse the edits were. Shares in [0, 1]. */
export function gameFigures({ duels, policy, byWave }: Omit<Game, 'exploiter'>): Record<string, unknown> {
  const chances = operatorChances(policy)
  const byOperator: Partial<
    Record<SneakyOperator, { duels: number; success: number | null; chance: number }>
  > = {}
  SNEAKY_OPERATORS.forEach((operator, i) => {
    const own = duels.filter(duel => duel.spoiled.operator === operator)
    if (own.length > 0)
      byOperator[operator] = {
        duels: own.length,
        success: share(own, d => d.fooled),
        chance: round(chances[i]!),
      }
  })
  return {
    duels: duels.length,
    sneaky_success: share(duels, d => d.fooled),
    false_alarms: share(duels, d => d.falseAlarm),
    by_wave: Object.fromEntries(
      Object.entries(byWave)
        .filter(([, own]) => own.length > 0)
        .map(([kind, own]) => [kind, { duels: own.length, success: share(own, d => d.fooled) }]),
    ),
    by_operator: byOperator,
    proven_wrong: share(duels, d => d.spoiled.provably_wrong),
    distinct_steps: round(
      new Set(duels.map(({ spoiled }) => spoiled.steps[spoiled.wrong_index])).size /
        Math.max(1, duels.length),
    ),
    policy_entropy: round(entropyOf(policy.weights)),
    policy,
  }
}

const share = (duels: readonly EditDuel[], holds: (duel: EditDuel) => boolean): number | null =>
  duels.length === 0 ? null : round(duels.filter(holds).length / duels.length)
