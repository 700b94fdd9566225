// Which problems the game is played on: those the critic can learn most from. Fresh ones of the difficulty where it is fooled about half of
// the time, traffic it doubts wrongly or that its solver is divided on, and the right beginnings of solutions that went wrong.
// Knows no game.
import { generateProblem } from '../problems/generate.ts'
import { splitOf } from '../problems/split.ts'
import type { Difficulty, GeneratedProblem } from '../problems/types.ts'
import { round } from '../recipe/reading.ts'
import type { Rng } from '../rng.ts'
import type { Collected } from './collect.ts'
import type { Figures } from './messages.ts'
import type { TrafficProblem, TrafficSolution } from './outcomes.ts'
import { type CleanSolution, cleanSources, type Judge, type JudgedDuel } from './play.ts'
import type { DifficultyRecord } from './sparring-state.ts'

export interface Proposal {
  /** As `play` takes them. */
  readonly sources: readonly (readonly CleanSolution[])[]
  readonly figures: Figures
}

const DIFFICULTIES: readonly Difficulty[] = [1, 2, 3, 4, 5]
/** Share of fresh problems spread over all difficulties alike. */
const EVEN = 0.25
const FRESH = 600
/** Traffic solutions that the critic reads, and as many drawn for the game (some of them again and again). */
const MOST_TRAFFIC = 240
/** Every traffic solution is worth this much, whatever the critic thinks of it. */
const LEAST_WORTH = 0.05

/**
 * Chance of each difficulty, the sum is 1: in proportion to p(1 - p), where p is how often the critic is fooled at it (what can be
 * learned is most where the outcome is least certain: Tzannetos et al. 2023, arXiv 2304.12877), with one of each outcome taken as seen.
 */
export function difficultyChances(record: DifficultyRecord): number[] {
  const worth = DIFFICULTIES.map(difficulty => {
    const { games, won } = record[difficulty] ?? { games: 0, won: 0 }
    const p = (won + 1) / (games + 2)
    return p * (1 - p)
  })
  const total = worth.reduce((sum, w) => sum + w, 0)
  return worth.map(w => EVEN / DIFFICULTIES.length + (1 - EVEN) * (w / total))
}

/** Proposes problems; the critic reads some traffic for it. */
export async function proposeProblems(
  collected: Collected,
  record: DifficultyRecord,
  critic: Judge,
  threshold: number,
  rng: Rng,
): Promise<Proposal> {
  const chances = difficultyChances(record)
  const generated = freshProblems(rng.fork('fresh'), chances)
  const [, traffic, replay] = cleanSources(collected)
  const offered = rng.shuffle(traffic!).slice(0, MOST_TRAFFIC)
  const worth = await worthOf(offered, collected.train, critic, threshold)
  const drawn = offered.length === 0 ? [] : offered.map(() => offered[rng.weighted(worth)]!)
  const prefixes = collected.train.flatMap(({ solutions }) => solutions.flatMap(rightBeginning))
  return {
    sources: [generated, drawn, prefixes, replay!],
    figures: {
      difficulty_chances: Object.fromEntries(DIFFICULTIES.map((d, i) => [d, round(chances[i]!)])),
      traffic: offered.length,
      traffic_distinct: new Set(drawn).size,
      mean_worth: worth.length === 0 ? null : round(worth.reduce((sum, w) => sum + w, 0) / worth.length),
      beginnings: prefixes.length,
    },
  }
}

/** Distinct problems of the side that may be trained on. */
function freshProblems(rng: Rng, chances: readonly number[]): CleanSolution[] {
  const problems = new Map<string, GeneratedProblem>()
  while (problems.size < FRESH) {
    const problem = generateProblem(rng, { difficulty: DIFFICULTIES[rng.weighted(chances)]! })
    if (splitOf(problem.problem) === 'train') problems.set(problem.problem, problem)
  }
  return [...problems.values()].map(problem => ({ problem, steps: problem.steps }))
}

/**
 * What each right solution is worth: the critic's regret (how far below its threshold it scored a right step) and how divided the
 * solutions of its problem are.
 */
async function worthOf(
  offered: readonly CleanSolution[],
  train: readonly TrafficProblem[],
  critic: Judge,
  threshold: number,
): Promise<number[]> {
  const divided = new Map(train.map(({ problem, solutions }) => [problem, divisionOf(solutions)]))
  const items = offered.map(({ problem, steps }) => ({
    problem: typeof problem === 'string' ? problem : problem.problem,
    steps,
  }))
  const judged = await critic.judge(items)
  return items.map(({ problem }, i) => {
    const scores = judged[i]!.steps.flatMap(({ score }) => score ?? [])
    const regret = Math.max(0, ...scores.map(score => threshold - score))
    return LEAST_WORTH + regret + (divided.get(problem) ?? 0)
  })
}

/** 4 p(1 - p) of the share of right solutions: 1 where half are right, 0 where all or none are. */
function divisionOf(solutions: readonly TrafficSolution[]): number {
  const known = solutions.filter(({ outcome }) => outcome !== null)
  const p = known.filter(({ outcome }) => outcome!.right).length / Math.max(1, known.length)
  return 4 * p * (1 - p)
}

/** The steps before the first wrong one, where somebody labelled them all. */
function rightBeginning({ problem, steps, stepLabels }: TrafficSolution): CleanSolution[] {
  const first = stepLabels?.findIndex(label => label !== null && label < 0.5) ?? -1
  if (first < 1 || stepLabels!.slice(0, first).includes(null)) return []
  return [{ problem, steps: steps.slice(0, first) }]
}

/** The record with a game's duels on generated problems; `difficultyOf` tells null for others. Old duels fade by half, so that it follows the critic. */
export function recordDifficulties(
  record: DifficultyRecord,
  duels: readonly JudgedDuel[],
  difficultyOf: (problem: string) => Difficulty | null,
): DifficultyRecord {
  const fresh = duels.flatMap(duel => {
    const difficulty = difficultyOf(duel.problem)
    return difficulty === null ? [] : [{ difficulty, won: duel.fooled }]
  })
  return Object.fromEntries(
    DIFFICULTIES.map(difficulty => {
      const own = fresh.filter(duel => duel.difficulty === difficulty)
      const before = record[difficulty] ?? { games: 0, won: 0 }
      return [
        difficulty,
        { games: before.games / 2 + own.length, won: before.won / 2 + own.filter(d => d.won).length },
      ]
    }),
  )
}

/** The difficulty of each generated problem of a proposal, by its text. */
export function difficultiesOf(sources: Proposal['sources']): (problem: string) => Difficulty | null {
  const known = new Map(
    sources
      .flat()
      .flatMap(({ problem }) =>
        typeof problem === 'string' ? [] : [[problem.problem, problem.difficulty] as const],
      ),
  )
  return problem => known.get(problem) ?? null
}
