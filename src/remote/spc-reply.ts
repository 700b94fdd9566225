// Reads a chat model's judgement of a step: its verdict, and its critique without it. Pure; knows no endpoint.

/** Longest rationale that is passed on, in UTF-16 units. */
export const MAX_RATIONALE = 4000

const TAG = /<answer>\s*([^<]{0,200}?)\s*<\/answer>/gi
// A model that forgets the tags mostly still ends with a line of the kind that it was asked for, or boxes the word.
const BOX = /\\boxed\s*\{\s*(?:\\text\s*\{)?\s*([a-z ]{1,40}?)\s*\}/gi
const LAST_LINE =
  /^(?:(?:\d\.\s*)?(?:final\s+)?(?:verdict|conclusion|answer|judge?ment))?(?:\s+is)?\W*(?:the\s+(?:last\s+)?step\s+is\s+)?([a-z ]{1,20}?)\W*$/i

const WORDS: ReadonlyMap<string, boolean> = new Map([
  ...['correct', 'right', 'true', 'yes', 'valid'].map(word => [word, true] as const),
  ...['incorrect', 'wrong', 'false', 'no', 'invalid', 'not correct', 'not right', 'not valid'].map(
    word => [word, false] as const,
  ),
])

/**
 * Whether the reply calls the step right; the last tagged verdict where there are several, else a boxed one, else the last line.
 * Null when it gives no verdict: a hedge ("mostly correct") is none.
 */
export function readJudgement(reply: string): boolean | null {
  for (const form of [TAG, BOX]) {
    const last = [...reply.matchAll(form)].at(-1)
    if (last !== undefined) return meaning(last[1]!)
  }
  const line = reply
    .trimEnd()
    .split('\n')
    .at(-1)!
    .replaceAll(/[*_`#]/g, '')
    .trim()
  return meaning(LAST_LINE.exec(line.slice(-200))?.[1] ?? '')
}

const meaning = (words: string): boolean | null =>
  WORDS.get(
    words
      .toLowerCase()
      .replaceAll(/[^a-z]+/g, ' ')
      .trim(),
  ) ?? null

/** The words of a reply without tags of a verdict; an over-long one loses its end. */
export function rationaleOf(reply: string): string {
  const words = reply.replaceAll(TAG, '').trim()
  return words.length <= MAX_RATIONALE ? words : `${words.slice(0, MAX_RATIONALE - 1)}…`
}
