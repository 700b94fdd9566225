// A wrong step made from a right one: how it is asked for (the sneaky role of SPC, arXiv 2504.19162), and what was written. Knows no
// transport and no game.

/** What the model is when it spoils a step. */
export const SPOIL =
  'You set traps for a checker of solutions. You are given a problem, the steps of a solution so far, and the right next step. ' +
  'Rewrite that step so that it is wrong in the way you are told, and hard to notice: same style, about the same length, ' +
  'nothing in it that gives the mistake away. The mistake must matter: from the wrong step on the solution must come to a wrong ' +
  'answer. First say in one or two sentences what you change. Then end with the rewritten step alone, after the words: Wrong step:'

/** What is asked for, beside the problem. */
export interface SpoilTask {
  /** Steps before it, all right; may be empty. */
  readonly previous: readonly string[]
  /** The right step. */
  readonly step: string
  /** The kind of mistake, in words. */
  readonly error: string
  /** What the model is told it is; `SPOIL` when absent. */
  readonly instruction?: string
}

/** The user's message. */
export function spoilMessage(problem: string, { previous, step, error }: SpoilTask): string {
  const sofar = previous.length === 0 ? '(none yet)' : previous.join('\n\n')
  return [
    `Problem: ${problem}`,
    'Steps so far:',
    sofar,
    'Right next step:',
    step,
    `Kind of mistake: ${error}`,
  ].join('\n\n')
}

const MARK = /wrong step\W*?:\**\s*/gi

/** The wrong step of a reply, without quotes or fences around it, on one paragraph; null when the reply has none. */
export function readSpoiled(reply: string): string | null {
  const mark = [...reply.matchAll(MARK)].at(-1)
  if (mark === undefined) return null
  const rest = reply.slice(mark.index + mark[0].length)
  const text = rest
    .replace(/^\s*```\w*\s*|\s*```\s*$/g, '')
    .trim()
    .replace(/^"([\s\S]*)"$/, '$1')
    .replace(/\n\s*\n/g, '\n')
    .trim()
  return text === '' ? null : text
}
