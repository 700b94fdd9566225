// What clients say of one thing, right or wrong: each has one voice, and the last it said counts. Knows no record.
import type { LabelledTraffic } from '../../store/types.ts'

/** What was said, and when. */
interface Word {
  readonly at: number
  readonly right: boolean
}

/** By client. */
export type Words = Map<string, Word>

/** Who is behind records and feedback without a key: all of them count as one. */
export const ANONYMOUS = ''

export const clientOf = (record: Pick<LabelledTraffic['record'], 'client'>): string =>
  record.client ?? ANONYMOUS

/** Who gave feedback: whoever says so, or else whose record it is on. */
export const speakerOf = (
  item: LabelledTraffic['feedback'][number],
  record: LabelledTraffic['record'],
): string => item.client ?? clientOf(record)

/** Notes a word under whatever words are kept by; of equally late ones the one that arrived last stays. */
export function hear<T extends Word>(words: Map<string, T>, key: string, word: T): void {
  const before = words.get(key)
  if (before === undefined || word.at >= before.at) words.set(key, word)
}

/** What most clients say; null where nobody does, or as many say the opposite: one key must not outvote another by speaking last. */
export function majorityOf(words: Words): boolean | null {
  const right = [...words.values()].filter(word => word.right).length
  return 2 * right === words.size ? null : 2 * right > words.size
}
