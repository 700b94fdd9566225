// A language model's way to set traps: how it is asked, and which kinds of mistakes it prefers. Plain data, so that it can be frozen and met
// again later, by whatever model plays then. Knows no game and no endpoint.
import { SPOIL } from '../../llm/spoil.ts'
import {
  attackRate,
  freezeAttacker,
  type League,
  type Meeting,
  recordGames,
  withDefender,
} from '../league/league.ts'
import type { Rng } from '../rng.ts'
import { ERROR_NAMES, ERROR_TYPES } from '../sneaky/error-types.ts'
import { actionChances, type SoftmaxPolicy } from '../sneaky/softmax-policy.ts'

export interface LlmGenerator {
  /** What the model is told it is. */
  readonly instruction: string
  readonly kinds: readonly {
    readonly name: string
    /** As the model is told. */
    readonly words: string
    /** Softmax logit. */
    readonly weight: number
  }[]
}

/** A frozen one as the game meets it. */
export interface LlmOpponent {
  readonly name: string
  readonly generator: LlmGenerator
  /** Share of its proven wrong steps that passed with the serving critic so far, in (0, 1). */
  readonly success: number
}

/** Attackers by name; defenders are versions of critics. Only who met in a game has games: each costs calls of the model. */
export type LlmLeague = League<LlmGenerator, null>

/** The generator of today's prompt with these preferences, in the order of `ERROR_NAMES`. */
export const generatorOf = ({ weights }: SoftmaxPolicy): LlmGenerator => ({
  instruction: SPOIL,
  kinds: ERROR_NAMES.map((name, i) => ({ name, words: ERROR_TYPES[name], weight: weights[i] ?? 0 })),
})

/** One of its kinds of mistakes, by its preference. */
export function drawKind(rng: Rng, { kinds }: LlmGenerator): LlmGenerator['kinds'][number] {
  const weights = kinds.map(({ weight }) => weight)
  return kinds[rng.weighted(actionChances([...kinds.keys()], { weights, baselines: [] }))]!
}

/** Who can be met by a critic. */
export const llmOpponents = (league: LlmLeague, serving: string): LlmOpponent[] =>
  league.attackers.map(({ name, player }) => ({
    name,
    generator: player,
    success: attackRate(league, serving, name),
  }))

/** The league after a round's game against the critic `serving`: who was met, and the round's own generator, frozen. */
export function growLlmLeague(
  league: LlmLeague,
  serving: string,
  met: Readonly<Record<string, Meeting>>,
  fresh: { readonly name: string; readonly generator: LlmGenerator; readonly games: Meeting },
): LlmLeague {
  let grown = withDefender(league, { name: serving, player: null })
  for (const [name, games] of Object.entries(met)) grown = recordGames(grown, serving, name, games)
  grown = freezeAttacker(grown, { name: fresh.name, player: fresh.generator })
  return recordGames(grown, serving, fresh.name, fresh.games)
}
