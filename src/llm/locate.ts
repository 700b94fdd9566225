// The first wrong step of a solution: how a model is asked for it (ProcessBench's form, arXiv 2412.06559), and what it said. Knows no
// transport and nothing of what the verdict is for.

/** What the model is when it looks for the first wrong step. */
export const LOCATE =
  'You check solutions. A problem and a solution in numbered steps follow. Check the steps one by one, and find the first one that is ' +
  'wrong. Be brief, and end with a last line of the form: First wrong step: 3, or: First wrong step: none.'

/** The user's message; steps are numbered from 1. */
export const locateMessage = (problem: string, steps: readonly string[]): string =>
  [`Problem: ${problem}`, ...steps.map((step, i) => `Step ${i + 1}: ${step}`)].join('\n\n')

const VERDICT = /first wrong step\W*?(?:is|:)?\W*?(?:step\s*)?(none\b|\d+)/gi

/** Index (from 0) of the first wrong step, -1 for none, null when the reply names no step that there is. */
export function readLocated(reply: string, steps: number): number | null {
  const said = [...reply.matchAll(VERDICT)].at(-1)?.[1]?.toLowerCase()
  if (said === undefined) return null
  if (said === 'none') return -1
  const index = Number(said) - 1
  return index >= 0 && index < steps ? index : null
}
