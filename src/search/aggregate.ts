// From step scores to one score for a solution. Knows no candidates and no answers (research/algorithms.md, b0).

export const AGGREGATIONS = ['last', 'min', 'prod', 'mean'] as const
export type Aggregation = (typeof AGGREGATIONS)[number]

/** Every aggregate in [0, 1]; all null when no step was scored. */
export type Aggregates = { readonly [K in Aggregation]: number | null }

/**
 * All aggregates of one solution's step scores. Unscored steps (null) are left out, never taken for 0: `last` is the last
 * scored step. `prod` of a very long solution underflows to 0; rank by `logAggregate`.
 *
 * @param scores P(step right) in [0, 1], one per step, null where unscored
 */
export function aggregate(scores: readonly (number | null)[]): Aggregates {
  const known = scores.filter(score => score !== null)
  if (known.length === 0) return { last: null, min: null, prod: null, mean: null }
  return {
    last: known[known.length - 1]!,
    min: known.reduce((least, score) => Math.min(least, score)),
    prod: known.reduce((product, score) => product * score, 1),
    mean: known.reduce((sum, score) => sum + score, 0) / known.length,
  }
}

/** Natural logarithm of one aggregate, for ranking and summing; null when no step was scored, -Infinity for a score of 0. */
export function logAggregate(scores: readonly (number | null)[], aggregation: Aggregation): number | null {
  if (aggregation === 'prod') {
    const known = scores.filter(score => score !== null)
    return known.length === 0 ? null : known.reduce((sum, score) => sum + Math.log(score), 0)
  }
  const value = aggregate(scores)[aggregation]
  return value === null ? null : Math.log(value)
}

/** log(Σ exp(x)) without underflow; null for an empty list. */
export function logSum(logs: readonly number[]): number | null {
  if (logs.length === 0) return null
  const greatest = logs.reduce((most, log) => Math.max(most, log))
  if (greatest === Number.NEGATIVE_INFINITY) return greatest
  return greatest + Math.log(logs.reduce((sum, log) => sum + Math.exp(log - greatest), 0))
}
