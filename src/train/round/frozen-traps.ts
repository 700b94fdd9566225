// The traps that every frozen generator of the league sets on the same solutions, and how a critic fares in them: what the gate compares
// critics on, generator by generator. Knows no gate.
import type { CritiqueItem } from '../../critic/types.ts'
import { mean } from '../eval/metrics.ts'
import { generateProblems } from '../recipe/built-in.ts'
import { round } from '../recipe/reading.ts'
import type { Rng } from '../rng.ts'
import type { Figures } from './messages.ts'
import type { SparringLeague } from './opponents.ts'
import { challenge, type Duel, type Judge, type JudgedDuel, judgeDuels } from './play.ts'

/** One place for each solution, the same solutions for every generator; null where a generator found nothing to spoil. */
export interface FrozenTraps<D = Duel> {
  /** Of the generator. */
  readonly name: string
  readonly duels: readonly (D | null)[]
}

/** As a critic judged them; null also where it left a step unscored. */
export type MetTraps = FrozenTraps<JudgedDuel>

/** Traps in all, and solutions each generator is given; fewer solutions say nothing of a generator. */
const MOST_TRAPS = 480
const MOST_SOLUTIONS = 60
const LEAST_SOLUTIONS = 20

/** Sets the traps on fresh solutions that no critic learns from or is chosen on. `share` in (0, 1]: of what a long round sets. */
export function setTraps(attackers: SparringLeague['attackers'], rng: Rng, share: number): FrozenTraps[] {
  if (attackers.length === 0) return []
  const wanted = Math.round((share * MOST_TRAPS) / attackers.length)
  const count = Math.min(MOST_SOLUTIONS, Math.max(LEAST_SOLUTIONS, wanted))
  const problems = generateProblems(rng.fork('problems'), count, 'heldout')
  return attackers.map(({ name, player }) => {
    const draws = rng.fork(name)
    return {
      name,
      duels: problems.map(problem => challenge(draws, player, { problem, steps: problem.steps })),
    }
  })
}

/** Lets a critic judge all traps; a solution that several generators spoiled is judged once. */
export async function meetTraps(
  critic: Judge,
  threshold: number,
  traps: readonly FrozenTraps[],
): Promise<MetTraps[]> {
  const given = traps.flatMap(({ duels }) => duels.filter(duel => duel !== null))
  const judged = (await judgeDuels(onceEach(critic), threshold, given)).values()
  return traps.map(({ name, duels }) => ({
    name,
    duels: duels.map(duel => (duel === null ? null : judged.next().value!)),
  }))
}

/** Asks about equal items once. */
const onceEach = (critic: Judge): Judge => ({
  async judge(items: readonly CritiqueItem[]) {
    const keys = items.map(({ problem, steps }) => JSON.stringify([problem, steps]))
    const places = new Map(keys.map((key, i) => [key, i]))
    const judged = await critic.judge([...places.values()].map(i => items[i]!))
    const found = new Map([...places.keys()].map((key, i) => [key, judged[i]!]))
    return keys.map(key => found.get(key)!)
  },
})

/** By generator: share of wrong steps that passed, and of wrong steps scored below the right one. */
export function trapFigures(met: readonly MetTraps[]): Figures {
  return Object.fromEntries(
    met.map(({ name, duels }) => {
      const judged = duels.filter(duel => duel !== null)
      const share = (of: (duel: JudgedDuel) => number) =>
        judged.length === 0 ? null : round(mean(judged.map(of)))
      return [
        name,
        { traps: judged.length, success: share(d => (d.fooled ? 1 : 0)), ordered: share(d => d.ordered) },
      ]
    }),
  )
}
