// A comparison of two solutions: how it is asked for, and what was found. Knows no transport and no search.

/** What the model is when it compares. */
export const COMPARE =
  'You judge solutions. Two solutions of one problem follow, A and B. Check the steps of each, and decide which one is ' +
  'more likely to be right. Their order and their length mean nothing. Be brief, and end with a last line of the ' +
  'form: Verdict: A, or: Verdict: B.'

const HEADS = { first: 'Solution A:', second: 'Solution B:' } as const

/** The problem with both solutions, as the user's message. */
export function comparison(
  problem: string,
  { first, second }: { readonly first: string; readonly second: string },
): string {
  return [`Problem: ${problem}`, HEADS.first, first, HEADS.second, second].join('\n\n')
}

// A capital letter only: "a better one" names none. "A tie" and "A draw" name none either.
const VERDICT = /(?:verdict|VERDICT|Verdict)\W*(?:is\W+)?(?:[Ss]olution\W+)?([AB])\b(?!\s+(?:tie|draw)\b)/g
const LETTER = /^\W*(?:[Ss]olution\W+)?([AB])\W*$/

/** The verdict of a reply to a comparison, the last where it gives several; null when it names neither solution. */
export function readVerdict(reply: string): 'first' | 'second' | null {
  const letter = [...reply.matchAll(VERDICT)].at(-1)?.[1] ?? LETTER.exec(reply)?.[1]
  if (letter === undefined) return null
  return letter === 'A' ? 'first' : 'second'
}
