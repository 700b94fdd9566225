// The guard's rule: when to accept, when to give up, how to sample again (research/algorithms.md, b11). Shared by the
// step-wise guard and revision.

/** Sampling again at temperature 0 would only repeat what was rejected. */
const RETRY_TEMPERATURE = 0.8

/** Tries without a score after which the critic is taken to be blind here: further tries would cost and tell nothing. */
const UNSCORED_TRIES = 2

/** True when every score is known and at least τ. An unscored step is not accepted on the spot, but neither is it a 0. */
export function passes(scores: readonly (number | null)[], threshold: number): boolean {
  return scores.every(score => score !== null && score >= threshold)
}

/** Temperature of try number `tries` (0 = the first). */
export function tryTemperature(temperature: number, tries: number): number {
  return tries > 0 && temperature === 0 ? RETRY_TEMPERATURE : temperature
}

/**
 * True when the best try must do.
 * @param tries tries so far, all rejected
 * @param regenerations further tries after the first that are allowed
 * @param scores scores of the rejected tries that had a text
 */
export function givesUp(tries: number, regenerations: number, scores: readonly (number | null)[]): boolean {
  return tries > regenerations || scores.filter(score => score === null).length >= UNSCORED_TRIES
}
