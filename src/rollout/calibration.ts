// How a critic's scores met what clients said about its answers. Knows no critic.
import type { Store } from '../store/types.ts'
import type { Calibration } from './limits.ts'

/** Answers that somebody spoke of. */
const RECORDS = 500
/** What was found out is good for so long: reading feedback takes longer than counting does. */
const GOOD_FOR_MS = 10_000

/**
 * Of the answers of `version` since then, in milliseconds, that clients spoke of last: labelled steps by their score, whole solutions by the mean of
 * their steps, as they are compared in training. What one client said of one answer counts once, as it said it last.
 */
export async function calibrationOf(
  store: Pick<Store, 'readHeard'>,
  version: string,
  since: number,
): Promise<Calibration> {
  const squares: number[] = []
  for (const { record, feedback } of await store.readHeard(RECORDS)) {
    if (record.critic !== version || record.at < since) continue
    const scores = record.candidates[0]?.scores ?? []
    const known = scores.filter(score => score !== null)
    for (const own of Map.groupBy(feedback, ({ client }) => client).values()) {
      const answer = own.findLast(({ answer_correct }) => answer_correct !== undefined)?.answer_correct
      if (answer !== undefined && known.length > 0)
        squares.push((known.reduce((a, b) => a + b, 0) / known.length - Number(answer)) ** 2)
      const labels = own.findLast(({ step_labels }) => step_labels !== undefined)?.step_labels ?? []
      for (const [i, label] of labels.entries()) {
        const score = scores[i] ?? null
        if (label !== null && score !== null) squares.push((score - Number(label)) ** 2)
      }
    }
  }
  const brier = squares.length === 0 ? null : squares.reduce((a, b) => a + b, 0) / squares.length
  return { verdicts: squares.length, brier }
}

/** `calibrationOf` for whoever asks again and again: it looks every ten seconds. `now` in Unix milliseconds. */
export function createCalibrations(store: Pick<Store, 'readHeard'>, now: () => number) {
  const known = new Map<string, { readonly at: number; readonly found: Calibration }>()
  return async (version: string, since: number): Promise<Calibration> => {
    const key = `${since} ${version}`
    const before = known.get(key)
    if (before && now() - before.at < GOOD_FOR_MS) return before.found
    for (const [old, { at }] of known) if (now() - at >= GOOD_FOR_MS) known.delete(old)
    const found = await calibrationOf(store, version, since)
    known.set(key, { at: now(), found })
    return found
  }
}
