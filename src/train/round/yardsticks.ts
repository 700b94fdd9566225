// Chooses what a round's two critics are measured on, capped so that measuring stays short. Knows no critic.
import type { Example } from '../data/example.ts'
import { hashText, type Rng } from '../rng.ts'
import { createPolicy } from '../sneaky/policy.ts'
import type { Collected } from './collect.ts'
import { type FrozenTraps, setTraps } from './frozen-traps.ts'
import type { SparringLeague } from './opponents.ts'
import type { Evidence, TrafficProblem, TrafficSolution } from './outcomes.ts'
import { challenge, cleanHeldOut, type Duel } from './play.ts'

/** Nothing of it is ever trained on. */
export interface Yardsticks {
  readonly slice: readonly Example[]
  /** Problems with right and wrong solutions. */
  readonly traffic: readonly TrafficProblem[]
  readonly sneaky: readonly Duel[]
  readonly frozen: readonly FrozenTraps[]
}

/**
 * Solutions of the slice, about: of few, chance refuses good candidates, and longer rounds have the time to measure more. What is
 * left of the slice chooses between candidates.
 */
const SLICE_A_MINUTE = 160
const MOST_SLICE = 700
const LEAST_SLICE = 60
/** Problems of duels; shorter rounds make do with fewer, in proportion. */
const MOST_DUELS = 450
const LEAST_DUELS = 60
const FULL_MINUTES = 2.5
/** Fewer problems with both outcomes say nothing. */
export const LEAST_TRAFFIC = 8

/** Held-back problems, and solutions of each kind of one; newest first. */
const MOST_TRAFFIC = 64
const MOST_PER_KIND = 8

/** The held-back problems that have both kinds of solutions; those by majority only where feedback alone is too little. */
export function trafficYardstick(heldBack: readonly TrafficProblem[]): TrafficProblem[] {
  const withBoth = (accept: (by: Evidence) => boolean) =>
    heldBack.flatMap(({ problem, solutions }) => {
      const [right, wrong] = [true, false].map(kind =>
        solutions
          .filter(({ outcome }) => outcome?.right === kind && accept(outcome.by))
          .slice(0, MOST_PER_KIND),
      ) as [TrafficSolution[], TrafficSolution[]]
      return right.length > 0 && wrong.length > 0 ? [{ problem, solutions: [...right, ...wrong] }] : []
    })
  const said = withBoth(by => by !== 'agreement')
  const problems = said.length >= LEAST_TRAFFIC ? said : withBoth(() => true)
  return problems.length >= LEAST_TRAFFIC ? problems.slice(0, MOST_TRAFFIC) : []
}

/** The yardsticks of a round of so many minutes, with the league as it is before the round. */
export function drawYardsticks(
  collected: Collected,
  { attackers }: Pick<SparringLeague, 'attackers'>,
  rng: Rng,
  minutes: number,
): Yardsticks {
  const share = Math.min(1, minutes / FULL_MINUTES)
  // By the untaught policy: duels of one that learned to fool the serving critic would favour the candidate.
  const duels = Math.max(LEAST_DUELS, Math.round(share * MOST_DUELS))
  const sneaky = cleanHeldOut(collected)
    .slice(0, duels)
    .flatMap(clean => challenge(rng, createPolicy(), clean) ?? [])
  return {
    slice: sliceYardstick(
      collected.slice,
      Math.min(MOST_SLICE, Math.max(LEAST_SLICE, minutes * SLICE_A_MINUTE)),
    ),
    traffic: trafficYardstick(collected.heldBack),
    sneaky,
    frozen: setTraps(attackers, rng.fork('frozen'), share),
  }
}

/** Whole problems of the slice, the same ones in every round. */
function sliceYardstick(slice: readonly Example[], most: number): Example[] {
  const byProblem = Map.groupBy(slice, example => example.problem)
  const order = [...byProblem.keys()].toSorted((a, b) => hashText(a) - hashText(b))
  const chosen: Example[] = []
  for (const problem of order) {
    if (chosen.length >= most) break
    chosen.push(...byProblem.get(problem)!)
  }
  return chosen
}
