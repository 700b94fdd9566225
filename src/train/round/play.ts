// The game: a sneaky edit spoils a right solution, the critic judges it, the edit policy learns what fools the critic.
// Knows no training.
import type { Scorer } from '../../critic/scorer.ts'
import type { Comparison, Example } from '../data/example.ts'
import type { GeneratedProblem } from '../problems/types.ts'
import { round } from '../recipe/reading.ts'
import type { Rng } from '../rng.ts'
import { corruptSolution, type SpoiledSolution } from '../sneaky/apply.ts'
import {
  createPolicy,
  entropyOf,
  operatorChances,
  type SneakyPolicy,
  updatePolicy,
} from '../sneaky/policy.ts'
import { SNEAKY_OPERATORS, type SneakyOperator } from '../sneaky/types.ts'
import type { Collected } from './collect.ts'
import type { TrafficProblem } from './outcomes.ts'

/** A solution taken for right. A generated problem makes proofs of what is wrong sharp. */
export interface CleanSolution {
  readonly problem: GeneratedProblem | string
  readonly steps: readonly string[]
}

/** A right solution and the same with one step that is wrong for sure. */
export interface Duel {
  readonly problem: string
  readonly steps: readonly string[]
  readonly spoiled: SpoiledSolution
}

/** A duel as a critic judged it. */
export interface JudgedDuel extends Duel {
  /** The wrong step passed for right: its score is at least τ. */
  readonly fooled: boolean
  /** The right step in the same place was taken for wrong. */
  readonly falseAlarm: boolean
  /** 1 when the right step scored above the wrong one, 0.5 when they tied, else 0. */
  readonly ordered: number
}

export type Judge = Pick<Scorer, 'judge'>

export interface Game {
  readonly duels: readonly JudgedDuel[]
  readonly policy: SneakyPolicy
}

export interface PlayOptions {
  readonly critic: Judge
  readonly threshold: number
  /** Kinds of right solutions; a kind is drawn first, then one of its solutions. */
  readonly sources: readonly (readonly CleanSolution[])[]
  readonly rng: Rng
  /** Most waves; the policy moves after each. */
  readonly waves: number
  readonly waveSize: number
  /** Whether an edit must be wrong for sure to count; default true. */
  readonly provableOnly?: boolean
  readonly signal?: AbortSignal
  /** Asked after each wave; true ends the game. */
  readonly isOver: (wavesPlayed: number) => boolean
}

/** Right solutions of the generator, of traffic and of replay. Edits of held-back problems must not be learned from. */
export function cleanSources({ generated, train, replay }: Collected): CleanSolution[][] {
  return [generated.map(clean), train.flatMap(rightSolutions), replay.filter(isRight)]
}

/** Right solutions that no critic is trained on: of generated problems, and one of each of some traffic problems. */
export function cleanHeldOut({ generatedHeldOut, heldBack }: Collected): CleanSolution[] {
  const traffic = heldBack.flatMap(problem => rightSolutions(problem).slice(0, 1))
  return [...generatedHeldOut.map(clean), ...traffic.slice(0, generatedHeldOut.length >> 1)]
}

const clean = (problem: GeneratedProblem): CleanSolution => ({ problem, steps: problem.steps })
const rightSolutions = ({ solutions }: TrafficProblem): CleanSolution[] =>
  solutions.filter(s => s.outcome?.right === true && s.stepLabels?.includes(0) !== true)
const isRight = ({ labels }: Example): boolean =>
  labels.length > 0 && labels.every(l => l !== null && l >= 0.5)

/** Spoils a solution, or null when no step of it can be shown to be wrong after an edit (or be edited, without `provableOnly`). */
export function challenge(
  rng: Rng,
  policy: SneakyPolicy,
  { problem, steps }: CleanSolution,
  provableOnly = true,
): Duel | null {
  const spoiled = corruptSolution(rng, policy, problem, steps, { provableOnly })
  if (spoiled === null || (provableOnly && !spoiled.provably_wrong)) return null
  return { problem: typeof problem === 'string' ? problem : problem.problem, steps, spoiled }
}

/** The critic's verdicts on both sides of each duel; null where it left one of the two steps unscored. */
export async function judgeDuels(
  critic: Judge,
  threshold: number,
  duels: readonly Duel[],
): Promise<(JudgedDuel | null)[]> {
  const sides = duels.flatMap(({ problem, steps, spoiled }) => [
    { problem, steps },
    { problem, steps: spoiled.steps },
  ])
  const judged = await critic.judge(sides)
  return duels.map((duel, i) => {
    const at = duel.spoiled.wrong_index
    const right = judged[2 * i]?.steps[at]?.score ?? null
    const wrong = judged[2 * i + 1]?.steps[at]?.score ?? null
    if (right === null || wrong === null) return null
    const ordered = right > wrong ? 1 : right === wrong ? 0.5 : 0
    return { ...duel, fooled: wrong >= threshold, falseAlarm: right < threshold, ordered }
  })
}

/** Plays waves of duels. @throws the signal's reason when aborted */
export async function play(options: PlayOptions): Promise<Game> {
  const { critic, threshold, rng, signal } = options
  const sources = options.sources.filter(source => source.length > 0)
  const duels: JudgedDuel[] = []
  let policy = createPolicy()
  for (let wave = 1; wave <= options.waves && sources.length > 0; wave++) {
    signal?.throwIfAborted()
    const drawn = Array.from({ length: options.waveSize }, () =>
      challenge(rng, policy, rng.pick(rng.pick(sources)), options.provableOnly),
    )
    const given = drawn.filter(duel => duel !== null)
    const judged = (await judgeDuels(critic, threshold, given)).filter(duel => duel !== null)
    policy = updatePolicy(
      policy,
      judged.map(({ spoiled: { operator, available }, fooled }) => ({
        operator,
        available,
        reward: fooled ? 1 : -1,
      })),
    )
    duels.push(...judged)
    if (options.isOver(wave)) break
  }
  return { duels, policy }
}

/** A duel as a comparison from the changed step on; what follows the wrong step is neither right nor wrong by itself. */
export function duelComparison({ problem, steps, spoiled }: Duel): Comparison {
  const at = spoiled.wrong_index
  const labels = spoiled.steps.map((_, i) => (i < at ? 1 : i === at ? 0 : null))
  const shared = { problem, source: 'sneaky', imitate: false } as const
  return {
    better: { ...shared, steps, labels: steps.map(() => 1) },
    worse: { ...shared, steps: spoiled.steps, labels },
    from: at,
  }
}

/** Sneaky success overall and by operator, with what the policy came to prefer. Shares in [0, 1]. */
export function gameFigures({ duels, policy }: Game): Record<string, unknown> {
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
    by_operator: byOperator,
    policy_entropy: round(entropyOf(policy.weights)),
    policy,
  }
}

const share = (duels: readonly JudgedDuel[], holds: (duel: JudgedDuel) => boolean): number | null =>
  duels.length === 0 ? null : round(duels.filter(holds).length / duels.length)
