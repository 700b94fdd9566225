// The duel: a sneaky edit spoils a right solution, a critic judges both. Knows no policy's learning and no training.
import type { Scorer } from '../../critic/scorer.ts'
import type { Comparison, Example } from '../data/example.ts'
import type { GeneratedProblem } from '../problems/types.ts'
import type { Rng } from '../rng.ts'
import { corruptSolution, type SpoiledSolution } from '../sneaky/apply.ts'
import type { SneakyPolicy } from '../sneaky/policy.ts'
import type { Collected } from './collect.ts'
import type { TrafficProblem } from './outcomes.ts'

/** A solution taken for right. A generated problem makes proofs of what is wrong sharp. */
export interface CleanSolution {
  readonly problem: GeneratedProblem | string
  readonly steps: readonly string[]
}

/** A solution with one wrong step, whoever made it so. */
export type Spoiled = Pick<SpoiledSolution, 'steps' | 'wrong_index' | 'provably_wrong' | 'why'> &
  Partial<Pick<SpoiledSolution, 'propagated' | 'available'>> & {
    /** The kind of error: a sneaky operator or an error type. */
    readonly operator: string
  }

/** A right solution and the same with one step that is wrong for sure. */
export interface Duel<S extends Spoiled = Spoiled> {
  readonly problem: string
  readonly steps: readonly string[]
  readonly spoiled: S
}

/** A duel as a critic judged it. */
export interface JudgedDuel<S extends Spoiled = Spoiled> extends Duel<S> {
  /** The wrong step passed for right: its score is at least τ. */
  readonly fooled: boolean
  /** The right step in the same place was taken for wrong. */
  readonly falseAlarm: boolean
  /** 1 when the right step scored above the wrong one, 0.5 when they tied, else 0. */
  readonly ordered: number
}

export type Judge = Pick<Scorer, 'judge'>

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
): Duel<SpoiledSolution> | null {
  const spoiled = corruptSolution(rng, policy, problem, steps, { provableOnly })
  if (spoiled === null || (provableOnly && !spoiled.provably_wrong)) return null
  return { problem: typeof problem === 'string' ? problem : problem.problem, steps, spoiled }
}

/** The critic's verdicts on both sides of each duel; null where it left one of the two steps unscored. */
export async function judgeDuels<S extends Spoiled>(
  critic: Judge,
  threshold: number,
  duels: readonly Duel<S>[],
): Promise<(JudgedDuel<S> | null)[]> {
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
