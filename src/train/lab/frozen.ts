// Frozen sneaky generators and critics, and how each critic fares against each generator: on the same duels for all critics.
// Knows no round.
import type { Scorer } from '../../critic/scorer.ts'
import { generateProblems } from '../recipe/built-in.ts'
import { createRng } from '../rng.ts'
import { challenge, type Duel, judgeDuels } from '../round/play.ts'
import type { SneakyPolicy } from '../sneaky/policy.ts'

/** A generator as it was at the end of a round, with duels it made of solutions that no critic learns from. */
export interface FrozenGenerator {
  readonly name: string
  readonly duels: readonly Duel[]
}

/** A critic against a generator, in percent. */
export interface Encounter {
  /** Wrong steps that passed for right. */
  readonly success: number
  /** Right and wrong steps read rightly at the critic's τ, both kinds weighing the same. */
  readonly accuracy: number
}

const DUELS = 240

/** Freezes a generator. Every one edits the same solutions, which are none of those that rounds choose candidates on. */
export function freezeGenerator(
  name: string,
  policy: SneakyPolicy,
  seed: number,
  problems = DUELS,
): FrozenGenerator {
  const rng = createRng(seed)
  const draws = rng.fork(`frozen ${name}`)
  const duels = generateProblems(rng.fork('frozen problems'), problems, 'heldout').flatMap(
    problem => challenge(draws, policy, { problem, steps: problem.steps }) ?? [],
  )
  return { name, duels }
}

/** Lets a critic judge a generator's duels; NaN where none was scored. */
export async function encounter(scorer: Scorer, { duels }: FrozenGenerator): Promise<Encounter> {
  const { threshold } = scorer.artifact.manifest.reading!
  const judged = (await judgeDuels(scorer, threshold, duels)).filter(duel => duel !== null)
  const success = judged.filter(duel => duel.fooled).length / judged.length
  const alarms = judged.filter(duel => duel.falseAlarm).length / judged.length
  return { success: 100 * success, accuracy: 100 * (1 - (success + alarms) / 2) }
}

/** Pay-offs by critic's version, then by generator's name; each pair meets once. */
export interface Matrix {
  at(critic: string, generator: string): Encounter | undefined
  set(critic: string, generator: string, encounter: Encounter): void
}

export function createMatrix(): Matrix {
  const cells = new Map<string, Encounter>()
  const key = (critic: string, generator: string) => JSON.stringify([critic, generator])
  return {
    at: (critic, generator) => cells.get(key(critic, generator)),
    set: (critic, generator, value) => void cells.set(key(critic, generator), value),
  }
}

/**
 * How many points of accuracy the last critic is below the best of the critics before it, against the generator where that is
 * most; 0 when it is nowhere below.
 */
export function worstDrop(matrix: Matrix, critics: readonly string[], generators: readonly string[]): number {
  const last = critics.at(-1)!
  const drops = generators.map(generator => {
    const accuracy = (critic: string) => matrix.at(critic, generator)?.accuracy ?? Number.NaN
    return Math.max(...critics.map(accuracy).filter(Number.isFinite), accuracy(last)) - accuracy(last)
  })
  return Math.max(0, ...drops)
}
