// How a critic's scores met what clients said about its answers. Knows no critic.
import type { Store } from '../store/types.ts'
import type { Calibration } from './limits.ts'

const RECORDS = 1000

/**
 * Of the newest answers of `version` since then, in milliseconds: labelled steps by their score, whole solutions by the mean of their
 * steps, as they are compared in training.
 */
export async function calibrationOf(
  store: Pick<Store, 'readTraffic'>,
  version: string,
  since: number,
): Promise<Calibration> {
  const squares: number[] = []
  for (const { record, feedback } of await store.readTraffic({ limit: RECORDS, since })) {
    const scores = record.candidates[0]?.scores ?? []
    if (record.critic !== version) continue
    const known = scores.filter(score => score !== null)
    for (const { answer_correct, step_labels = [] } of feedback) {
      if (answer_correct !== undefined && known.length > 0)
        squares.push((known.reduce((a, b) => a + b, 0) / known.length - Number(answer_correct)) ** 2)
      for (const [i, label] of step_labels.entries()) {
        const score = scores[i] ?? null
        if (label !== null && score !== null) squares.push((score - Number(label)) ** 2)
      }
    }
  }
  const brier = squares.length === 0 ? null : squares.reduce((a, b) => a + b, 0) / squares.length
  return { verdicts: squares.length, brier }
}
