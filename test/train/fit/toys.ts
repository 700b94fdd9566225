// Toy solutions of one problem form, right and wrong, as training units. Small enough to learn in seconds.
import type { Comparison, Example } from '../../../src/train/data/example.ts'
import { comparisonUnit, exampleUnit, type Unit } from '../../../src/train/data/units.ts'
import type { Rng } from '../../../src/train/rng.ts'
import { tinyTokenizer } from '../../fakes/tiny-critic.ts'

/** A solution whose only step adds rightly or wrongly. */
export function toyExample(rng: Rng, right: boolean, change: Partial<Example> = {}): Example {
  const [a, b] = [rng.int(2, 9), rng.int(2, 9)]
  const sum = right ? a + b : a + b + rng.pick([-2, -1, 1, 2])
  return {
    problem: `Tom has ${a} clips and ${b} clips.`,
    steps: [`${a} + ${b} = ${sum} clips.`],
    labels: [right ? 1 : 0],
    source: 'human',
    imitate: right,
    ...change,
  }
}

export const toyUnits = (rng: Rng, count: number): Unit[] =>
  Array.from({ length: count }, () => exampleUnit(tinyTokenizer, toyExample(rng, rng.uniform() < 0.5), 64)!)

export const toyPairs = (rng: Rng, count: number): Unit[] =>
  Array.from({ length: count }, () => {
    const comparison: Comparison = { better: toyExample(rng, true), worse: toyExample(rng, false), from: 0 }
    return comparisonUnit(tinyTokenizer, comparison, 64)!
  })
