// Decides whether two answers are equal as mathematics: exact numbers, then computer algebra within a deadline, then values at
// points. Knows no solution and no vote.
import { canonAnswer, splitTuple } from './equal.ts'
import { parseFormula } from './formula-parse.ts'
import { probeSame } from './probe.ts'
import type { SymbolicThread } from './symbolic-thread.ts'

/** Whether two canonical answers are equal; resolves within the deadline of the symbolic thread for each pair of elements. */
export type SameAnswer = (a: string, b: string, signal?: AbortSignal) => Promise<boolean>

const NUMBER = /^-?\d+(?:\/\d+)?$/
/** Elements of a tuple that are looked at. */
const MAX_ELEMENTS = 16

/** Whether a canonical answer may be a formula at all: words are compared as words. */
function isFormula(canonical: string): boolean {
  const bare = canonical.replace(/\\[a-zA-Z]+/g, ' ')
  return /[\d\\+*/^|(-]/.test(canonical) && !/\p{L}{3}/u.test(bare)
}

/** Whether two different canonical answers are worth asking about. */
export function mayBeSame(a: string, b: string): boolean {
  return !(NUMBER.test(a) && NUMBER.test(b)) && isFormula(a) && isFormula(b)
}

async function sameFormula(
  thread: Pick<SymbolicThread, 'ask'>,
  a: string,
  b: string,
  signal?: AbortSignal,
): Promise<boolean> {
  if (a === b) return true
  if (!mayBeSame(a, b)) return false
  const [x, y] = [parseFormula(a), parseFormula(b)]
  if (x === null || y === null) return false
  // Most different answers differ at the first point: they cost no question.
  const probed = probeSame(x, y)
  if (probed === false) return false
  return (await thread.ask(a, b, signal)) ?? probed === true
}

/** An equality that asks `thread` where exact numbers and single points cannot tell. Never rejects. */
export function createSameAnswer(thread: Pick<SymbolicThread, 'ask'>): SameAnswer {
  return async (left, right, signal) => {
    const [a, b] = [canonAnswer(left), canonAnswer(right)]
    if (a === b) return true
    const [s, t] = [splitTuple(a), splitTuple(b)]
    if (s === null || t === null) return s === t && sameFormula(thread, a, b, signal)
    if (s.open !== t.open || s.close !== t.close || s.parts.length !== t.parts.length) return false
    if (s.parts.length > MAX_ELEMENTS) return false
    for (const [i, part] of s.parts.entries()) {
      if (!(await sameFormula(thread, part, t.parts[i]!, signal))) return false
    }
    return true
  }
}
