// The sparring stage of a round: problems are proposed, the sneaky generators play against the serving critic and the league, the league
// grows. What comes out are duels to learn from and what sparring will remember. Knows no training.
import type { Scorer } from '../../critic/scorer.ts'
import type { Llm } from '../../llm/types.ts'
import type { Rng } from '../rng.ts'
import { type Ablations, NO_ABLATION } from './ablation.ts'
import type { Collected } from './collect.ts'
import { gameFigures, play } from './game.ts'
import { type LlmGame, playLlm } from './llm-game.ts'
import { generatorOf, growLlmLeague, type LlmLeague, llmOpponents } from './llm-generators.ts'
import { interruptible } from './measure.ts'
import type { Figures } from './messages.ts'
import { growLeague, leagueFigures, openOpponents } from './opponents.ts'
import { cleanSources, type JudgedDuel } from './play.ts'
import { difficultiesOf, proposeProblems, recordDifficulties } from './proposer.ts'
import type { SparringState } from './sparring-state.ts'

export interface SparOptions {
  /** The candidate's version: the names of what is frozen are made of it. */
  readonly version: string
  readonly servingDir: string
  /** Time of each of the two games. */
  readonly budgetMs: number
  readonly threads: number
  readonly rng: Rng
  /** Milliseconds, monotonic. */
  readonly now: () => number
  readonly sneakyLlm?: Llm
  readonly without?: Ablations
  readonly signal?: AbortSignal
}

export interface Sparred {
  readonly duels: readonly JudgedDuel[]
  /** Notes are those of before: the round has not ended yet. */
  readonly state: SparringState
  readonly figures: Figures
}

const WAVE = 48
const MAX_WAVES = 40
/** Steps the language model is asked to spoil, at most. */
const LLM_ATTEMPTS = 64

/** Plays and lets the league grow. @throws the signal's reason when aborted */
export async function spar(
  serving: Scorer,
  collected: Collected,
  state: SparringState,
  options: SparOptions,
): Promise<Sparred> {
  const { version, servingDir, threads, rng, now, signal, without = NO_ABLATION, sneakyLlm } = options
  const { version: parent, reading } = serving.artifact.manifest
  const { threshold } = reading!
  const critic = interruptible(serving, signal)
  const signalled = signal ? { signal } : {}
  const within = (start: number) => () => now() - start > options.budgetMs

  const proposal = await proposeProblems(
    collected,
    state.difficulties,
    critic,
    threshold,
    rng.fork('propose'),
  )
  const opponents = await openOpponents(state, parent, threads, without)
  const game = await play({
    critic,
    threshold,
    policy: state.generator,
    opponents,
    sources: proposal.sources,
    rng: rng.fork('play'),
    waves: MAX_WAVES,
    waveSize: WAVE,
    provableOnly: !without.has('no-validity'),
    ...signalled,
    isOver: within(now()),
  }).finally(() => opponents.release())
  const llmGame =
    sneakyLlm &&
    (await playLlm({
      llm: sneakyLlm,
      critic,
      threshold,
      ...(state.llmGenerator && { policy: state.llmGenerator }),
      opponents: without.has('no-league') ? [] : llmOpponents(state.llmLeague, parent),
      sources: cleanSources(collected),
      rng: rng.fork('llm'),
      attempts: LLM_ATTEMPTS,
      signal: signal ?? new AbortController().signal,
      isOver: within(now()),
    }))
  const league = await growLeague(
    state.league,
    {
      critic: { version: parent, dir: servingDir },
      generators: {
        [`generator of ${version}`]: game.policy,
        ...(game.exploiter && { [`exploiter of ${version}`]: game.exploiter }),
      },
    },
    { threads, ...signalled },
  )
  const llmLeague = llmGame
    ? growLlmLeague(state.llmLeague, parent, llmGame.met, {
        name: `LLM generator of ${version}`,
        generator: generatorOf(llmGame.policy),
        games: llmGame.own,
      })
    : state.llmLeague
  const duels = [...game.duels, ...(llmGame?.duels ?? [])]
  return {
    duels,
    state: {
      ...state,
      league,
      generator: game.policy,
      llmGenerator: llmGame?.policy ?? state.llmGenerator,
      llmLeague,
      difficulties: recordDifficulties(state.difficulties, game.duels, difficultiesOf(proposal.sources)),
    },
    figures: {
      proposed: proposal.figures,
      play: gameFigures(game),
      ...llmFigures(llmGame, llmLeague, parent),
      league: leagueFigures(league, parent),
    },
  }
}

/** Frozen generators of a language model cannot play where there is none: that is said. */
function llmFigures(game: LlmGame | undefined, league: LlmLeague, parent: string): Figures {
  const frozen = league.attackers.length
  if (game) return { llm_play: game.figures, llm_league: leagueFigures(league, parent) }
  return frozen === 0
    ? {}
    : { llm_play: { skipped: 'no language model is set to play', frozen_generators: frozen } }
}
