// Right against wrong solutions of one problem, compared as wholes: of the traffic, and of what is replayed. Knows no model and no share.
import type { Comparison, Example } from '../data/example.ts'
import type { Rng } from '../rng.ts'
import { outcomeExample, type TrafficProblem } from './outcomes.ts'

/** Comparisons of one problem, at most. */
const PAIRS_PER_PROBLEM = 48

/**
 * Right against wrong solutions of a problem, compared as wholes: the more numerous kind once each, the other as often
 * as it takes. `agreed`: at least one side is known by the majority only.
 */
export function outcomePairs(
  { solutions }: TrafficProblem,
  rng: Rng,
): { comparison: Comparison; agreed: boolean }[] {
  const right = rng.shuffle(solutions.filter(s => s.outcome?.right === true))
  const wrong = rng.shuffle(solutions.filter(s => s.outcome?.right === false))
  if (right.length === 0 || wrong.length === 0) return []
  const count = Math.min(PAIRS_PER_PROBLEM, Math.max(right.length, wrong.length))
  return Array.from({ length: count }, (_, i) => {
    const better = right[i % right.length]!
    const worse = wrong[i % wrong.length]!
    const agreed = [better, worse].some(s => s.outcome?.by === 'agreement')
    return { comparison: { better: outcomeExample(better), worse: outcomeExample(worse), from: 0 }, agreed }
  })
}

/** Comparisons that earlier rounds (or the recipe) left in replay as examples with outcomes. */
export function replayPairs(replay: readonly Example[], rng: Rng): Comparison[] {
  const told = replay.flatMap(example =>
    example.outcome === undefined ? [] : { ...example, imitate: false },
  )
  const groups = Map.groupBy(told, example => example.problem)
  return [...groups.values()].flatMap(group => {
    const right = rng.shuffle(group.filter(e => e.outcome === 1))
    const wrong = rng.shuffle(group.filter(e => e.outcome === 0))
    const count = Math.min(right.length, wrong.length, PAIRS_PER_PROBLEM)
    return Array.from({ length: count }, (_, i) => ({ better: right[i]!, worse: wrong[i]!, from: 0 }))
  })
}
