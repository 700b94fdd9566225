// What clients say of one thing, right or wrong: each has one voice, and the last it said counts. Knows no record.
import type { LabelledTraffic } from '../../store/types.ts'

/** By client; `at` is when it said so. */
export type Words = Map<string, { readonly at: number; readonly right: boolean }>

/** Who is behind records and feedback without a key: all of them count as one. */
export const ANONYMOUS = ''

/** Who gave feedback: whoever says so, or else whose record it is on. */
export const speakerOf = (
  item: LabelledTraffic['feedback'][number],
  record: LabelledTraffic['record'],
): string => item.client ?? record.client ?? ANONYMOUS

/** Notes a word; of equally late ones of a client the one that arrived last stays. */
export function hear(words: Words, speaker: string, at: number, right: boolean): void {
  const before = words.get(speaker)
  if (before === undefined || at >= before.at) words.set(speaker, { at, right })
}

/** What most clients say; null where nobody does, or as many say the opposite: one key must not outvote another by speaking last. */
export function majorityOf(words: Words): boolean | null {
  const right = [...words.values()].filter(word => word.right).length
  return 2 * right === words.size ? null : 2 * right > words.size
}
