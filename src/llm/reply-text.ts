// Turns what a model wrote into the new text only: no thoughts, no echo of the steps it was given. Pure; knows no endpoint.

/** `none`: all new. `echo`: it repeated the given steps up to the last, then went on. `restart`: it began the solution anew. */
export type Echo = 'none' | 'echo' | 'restart'

/** Drops a thinking block (`<think>…</think>`, of which the opening may stand in the prompt); all of an unclosed one. */
export function stripThinking(text: string): string {
  const end = text.lastIndexOf('</think>')
  if (end >= 0) return text.slice(end + '</think>'.length)
  return /^\s*<think>/.test(text) ? '' : text
}

/**
 * Takes a leading run of the given steps off a reply. Space between words does not matter; a step matches only up to a
 * line end, so that a reply that merely begins like a step is left alone.
 * The text comes back trimmed.
 */
export function stripEcho(reply: string, given: readonly string[]): { text: string; echo: Echo } {
  const text = reply.trim()
  const steps = given.filter(step => step.trim() !== '')
  for (let first = 0; first < steps.length; first++) {
    const run = matchRun(text, steps.slice(first))
    if (run.count > 0 && first + run.count === steps.length)
      return { text: after(text, run.end), echo: 'echo' }
  }
  const fromStart = matchRun(text, steps)
  if (fromStart.count > 0) return { text: after(text, fromStart.end), echo: 'restart' }
  const restarted = steps.length > 0 && FIRST_STEP.test(text)
  return { text, echo: restarted ? 'restart' : 'none' }
}

function after(text: string, at: number): string {
  return text.slice(at).trim()
}

// A label of the first step, as in `Step 1:`, `**Step 1.**`, `1.` or `1)`.
const FIRST_STEP = /^[#*_\s]*(?:step\s*1\b|1[.)]\s)/i

/** How many of `steps` stand one after the other at the start of `text`, and where the last of them ends. */
function matchRun(text: string, steps: readonly string[]): { count: number; end: number } {
  let end = 0
  for (const [index, step] of steps.entries()) {
    const matched = matchStep(text, end, step)
    if (matched === null) return { count: index, end }
    end = matched
  }
  return { count: steps.length, end }
}

/** End of `step` in `text` from `from` on, or null when it does not stand there up to a line end. */
function matchStep(text: string, from: number, step: string): number | null {
  let at = skipSpace(text, from)
  const words = step.trim().split(/\s+/)
  for (const [index, word] of words.entries()) {
    if (index > 0) {
      const past = skipSpace(text, at)
      if (past === at) return null
      at = past
    }
    if (!text.startsWith(word, at)) return null
    at += word.length
  }
  while (at < text.length && (text[at] === ' ' || text[at] === '\t' || text[at] === '\r')) at++
  return at === text.length || text[at] === '\n' ? at : null
}

function skipSpace(text: string, from: number): number {
  let at = from
  while (at < text.length && /\s/.test(text[at]!)) at++
  return at
}

/** The first paragraph, trimmed, and whether there was anything after it. */
export function firstParagraph(text: string): { text: string; more: boolean } {
  const whole = text.trim()
  const at = whole.search(/\n[^\S\n]*\n/)
  return at < 0 ? { text: whole, more: false } : { text: whole.slice(0, at).trimEnd(), more: true }
}

/** True when the text states the final answer in the form that the prompt asks for, or as a boxed one. */
export function statesAnswer(text: string): boolean {
  return /\bthe (?:final )?answer is\b[\s:]*\S|\\boxed\s*\{/i.test(text)
}
