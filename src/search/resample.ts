// Who lives on in a particle filter: weights from values, and systematic resampling. Pure numbers; knows no tree.

/** Values are kept this far from 0 and 1: no score is certain enough to decide alone. */
const CLIP = 1e-7

/**
 * Weight of a particle up to a common factor: the odds of its value, so that weights in proportion are the softmax of its
 * logits (Puri et al. 2025, its_hub).
 * @param value in [0, 1]
 */
export function oddsOf(value: number): number {
  const clipped = Math.min(1 - CLIP, Math.max(CLIP, value))
  return clipped / (1 - clipped)
}

/**
 * Systematic resampling (Kitagawa 1996): one draw places `count` even points on the stacked weights. A particle of share w
 * gets ⌊count · w⌋ or ⌈count · w⌉ copies, and count · w on average: equals all stay, which independent draws would not give.
 *
 * @param weights at least one, each > 0
 * @param draw in [0, 1)
 * @returns indices into weights, ascending
 */
export function resample(weights: readonly number[], count: number, draw: number): number[] {
  const total = weights.reduce((sum, weight) => sum + weight, 0)
  let index = 0
  let reached = weights[0]!
  return Array.from({ length: count }, (_, k) => {
    const point = ((k + draw) / count) * total
    while (reached <= point && index < weights.length - 1) {
      index += 1
      reached += weights[index]!
    }
    return index
  })
}
