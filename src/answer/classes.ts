// Groups the answers of one search: equal answers get one key, that of the first of them. Knows no vote and no library.
import { canonAnswer } from './equal.ts'
import { mayBeSame, type SameAnswer } from './equivalence.ts'

export interface AnswerClasses {
  /**
   * Finds out to which earlier answers these are equal; `keyOf` knows it once this resolves. Never rejects.
   * @param makeSignal of what ends the comparing; only asked where something has to be compared
   */
  learn(answers: readonly string[], makeSignal: () => AbortSignal): Promise<void>
  /** The key of an answer: that of an equal one learned before it, else its canonical form. */
  keyOf(answer: string): string
}

/** A new answer is compared with this many earlier ones that are no plain number and differ from each other. */
const MAX_COMPARED = 12

/** An empty set of classes. Plain numbers never wait: their canonical form is their key. */
export function createAnswerClasses(same: SameAnswer): AnswerClasses {
  /** By canonical form: the key of its class. */
  const keys = new Map<string, string>()
  /** Keys in order of first appearance. */
  const firsts: string[] = []
  let last: Promise<void> = Promise.resolve()

  async function classify(canonical: string, signalOf: () => AbortSignal): Promise<void> {
    if (keys.has(canonical)) return
    const rivals = firsts.filter(first => mayBeSame(first, canonical)).slice(0, MAX_COMPARED)
    for (const first of rivals) {
      if (!(await same(first, canonical, signalOf()))) continue
      keys.set(canonical, first)
      return
    }
    keys.set(canonical, canonical)
    firsts.push(canonical)
  }

  return {
    async learn(answers, makeSignal) {
      const fresh = answers.map(canonAnswer).filter(canonical => !keys.has(canonical))
      if (fresh.length === 0) return
      // One after the other: of two new equal answers the second must see the first.
      last = last.then(async () => {
        let signal: AbortSignal | undefined
        for (const canonical of fresh) await classify(canonical, () => (signal ??= makeSignal()))
      })
      await last
    },
    keyOf(answer) {
      const canonical = canonAnswer(answer)
      return keys.get(canonical) ?? canonical
    },
  }
}
