// Does a candidate lose against a frozen generator? Against all of them together, and against each. Pure; knows no league and no gate.
import type { Rng } from '../rng.ts'
import { bootstrapMean, bootstrapTogether } from './bootstrap.ts'
import type { Check } from './checks.ts'
import type { MetTraps } from './frozen-traps.ts'

/** Fewer solutions on which both can be compared say nothing of a generator. */
const LEAST_SOLUTIONS = 12

/**
 * A check on all frozen generators together, then one on each. There may be a dozen of them, each with few traps: bounds of their own would
 * refuse an equal candidate by chance in one round of five. So the bounds of the single checks hold together: the solutions are
 * resampled for all generators at once, and the largest deviation sets the width (max-T, Westfall and Young 1993).
 */
export function frozenChecks(
  serving: readonly MetTraps[],
  candidate: readonly MetTraps[],
  rng: Rng,
): Check[] {
  const compared = candidate.flatMap(({ name, duels }, g) => {
    const before = serving[g]?.duels ?? []
    const differences = duels.map((duel, i) =>
      duel === null || !before[i] ? null : duel.ordered - before[i].ordered,
    )
    const solutions = differences.filter(difference => difference !== null).length
    return solutions < LEAST_SOLUTIONS ? [] : [{ name, differences, solutions }]
  })
  if (compared.length === 0) return []
  const intervals = bootstrapTogether(
    compared.map(({ differences }) => differences),
    rng.fork('each'),
  )
  const pooled = meanBySolution(compared.map(({ differences }) => differences))
  return [
    {
      limit: 'frozen',
      name: 'frozen_ordered',
      words: 'traps of frozen generators scored below the original',
      interval: bootstrapMean(pooled, rng.fork('all')),
      problems: pooled.length,
    },
    ...compared.map(
      ({ name, solutions }, g): Check => ({
        limit: 'frozen_generator',
        name,
        words: `traps of the frozen ${name}`,
        interval: intervals[g]!,
        problems: solutions,
      }),
    ),
  ]
}

/** Mean over the generators for each solution that at least one of them spoiled. */
function meanBySolution(all: readonly (readonly (number | null)[])[]): number[] {
  return all[0]!.flatMap((_, i) => {
    const own = all.flatMap(differences => differences[i] ?? [])
    return own.length === 0 ? [] : [own.reduce((sum, d) => sum + d, 0) / own.length]
  })
}
