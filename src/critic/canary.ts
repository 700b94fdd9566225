// Canaries: a few solutions whose scores the manifest tells, so that a loaded critic can show that it is the one that was made.
// Hashes show that the files are whole; this shows that they still mean the same to this device and this Spar. Knows no session.
import { AppError } from '../errors.ts'
import type { Canary, Manifest } from './manifest.ts'
import { INT8_WIDEST, type Precision } from './precision.ts'
import type { Critic, CritiqueItem } from './types.ts'

/** What new artifacts are given to score: right and wrong steps, long and short ones, with words and without. */
export const CANARY_ITEMS: readonly CritiqueItem[] = [
  {
    problem:
      'Theo runs a stall with 11 oranges. Each orange is bought for $4 and sold for $11. What is the profit?',
    steps: ['Each orange brings a gain of 11 - 4 = 7 dollars.', 'For all of them it is 11 * 7 = 78 dollars.'],
  },
  {
    problem: 'A box holds 48 pens. Half are sold. How many are left?',
    steps: ['Half of 48 is 48 / 2 = 24.', 'So 48 - 24 = 24 pens are left.', 'The answer is 24.'],
  },
  { problem: 'Find x when 2x + 3 = 11.', steps: ['Take 3 away: 2x = 8.', 'x = 16'] },
  {
    problem: 'Who is older?',
    steps: ['Ann is older than Ben, and Ben is older than Cem.', 'So Cem is older than Ann.'],
  },
]

/**
 * Largest distance that a score may have from its canary, which is of float32. Devices differ by less than .001; other weights, or hand
 * features in another order, by far more.
 */
const FLOAT32_TOLERANCE = 0.01
const TOLERANCE: Readonly<Record<Precision, number>> = {
  float32: FLOAT32_TOLERANCE,
  int8: FLOAT32_TOLERANCE + INT8_WIDEST,
}

/** What a loaded critic must tell to be checked. */
interface Loaded extends Pick<Critic, 'judge'> {
  readonly precision: Precision
}

/** Asks a loaded critic about its manifest's canaries, where there are any. @throws {AppError} CRITIC_INVALID when it scores them otherwise */
export async function checkCanaries(critic: Loaded, manifest: Manifest): Promise<void> {
  const { canaries = [], version } = manifest
  if (canaries.length === 0) return
  const critiques = await critic.judge(canaries)
  const distances = canaries.flatMap(({ scores }, i) =>
    scores.map((want, step) => {
      const score = critiques[i]?.steps[step]?.score ?? null
      return score === null ? 1 : Math.abs(score - want)
    }),
  )
  const furthest = Math.max(...distances)
  const tolerance = TOLERANCE[critic.precision]
  if (furthest <= tolerance) return
  throw new AppError(
    'CRITIC_INVALID',
    `${version} does not give the scores that its manifest tells: one is off by ${furthest.toFixed(3)}, where ${tolerance} is allowed`,
  )
}

/** Canaries as a manifest keeps them. `scores[i]` are those of `CANARY_ITEMS[i]`; a solution that was not scored whole is left out. */
export const toCanaries = (scores: readonly (readonly (number | null)[])[]): Canary[] =>
  CANARY_ITEMS.flatMap((item, i) => {
    const all = scores[i]?.filter(score => score !== null) ?? []
    return all.length === item.steps.length ? [{ ...item, scores: all }] : []
  })
