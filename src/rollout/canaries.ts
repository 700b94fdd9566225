// Fixed items that the serving critic scores again and again: the same critic must say the same. Knows no metric.
import type { Critic, CritiqueItem } from '../critic/types.ts'
import type { RolloutStore } from './state.ts'

/** Sums, words and numbers, right and wrong; what they score does not matter, only that it stays. */
const ITEMS: readonly CritiqueItem[] = [
  {
    problem: 'Ann has 3 apples and buys 4 more. How many has she?',
    steps: ['3 + 4 = 7', 'The answer is 7.'],
  },
  {
    problem: 'Ann has 3 apples and buys 4 more. How many has she?',
    steps: ['3 + 4 = 8', 'The answer is 8.'],
  },
  {
    problem: 'A pen costs $2 and a book three times as much. What do two books cost?',
    steps: ['A book costs 2 * 3 = 6 dollars.', 'Two books cost 2 * 6 = 12 dollars.', 'The answer is 12.'],
  },
  {
    problem: 'What is 15 % of 80?',
    steps: ['15 % is 0.15.', '0.15 * 80 = 12.', 'So the answer is \\boxed{12}.'],
  },
]

/**
 * Largest distance, in [0, 1], between the scores of now and the first ones of this version on any server; 1 where a step that had a
 * score has none. @throws {AppError} CRITIC_FAILED, NOT_READY
 */
export async function canaryDrift(store: RolloutStore, critic: Critic): Promise<number> {
  const found = await critic.judge(ITEMS)
  const now = found.flatMap(({ steps }) => steps.map(({ score }) => score))
  const key = `canaries:${critic.version}`
  if ((await store.getNote(key)) === null) await store.putNote(key, now, 0)
  const first = (await store.getNote(key))?.value as (number | null)[] | undefined
  const gap = (was: number | null, is: number | null) =>
    was === null || is === null ? Number(was !== is) : Math.abs(is - was)
  return Math.max(0, ...(first ?? []).map((was, i) => gap(was, now[i] ?? null)))
}
