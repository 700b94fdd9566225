// Cuts the text of a solution into steps with their exact places. Knows nothing of what a step says.
import { isSpace } from './chars.ts'
import type { Step } from './types.ts'

/** A stretch of text [start, end) that is not cut further. */
interface Span {
  start: number
  end: number
  /** A code block or display formula: belongs to the text that introduces it. */
  block: boolean
}

interface Line extends Span {
  readonly gap: boolean
}

const BLOCKS = [
  ['```', '```'],
  ['\\[', '\\]'],
  ['$$', '$$'],
  ['\\begin{', '\\end{'],
] as const
// Fewer or shorter sentences than this on a single line stay one step.
const MIN_SENTENCES = 3
const MIN_SENTENCE_CHARS = 20

/** Index just after the block that opens at `at`, or -1 when none opens there or it never closes. */
function blockEnd(text: string, at: number, unclosed: Set<string>): number {
  for (const [open, close] of BLOCKS) {
    if (!text.startsWith(open, at) || unclosed.has(open)) continue
    const found = text.indexOf(close, at + open.length)
    if (found >= 0) return found + close.length
    if (open === '```') return text.length // A fence that never closes runs to the end (CommonMark).
    unclosed.add(open) // Searched to the end once: not again from a later place, which would take quadratic time.
  }
  return -1
}

/** Every line that is not blank; a block makes its lines one. `gap` says that a blank line stood before it. */
function readLines(text: string): Line[] {
  const lines: Line[] = []
  const unclosed = new Set<string>()
  let gap = false
  let at = 0
  while (at < text.length) {
    while (at < text.length && text[at] !== '\n' && isSpace(text, at)) at++
    const start = at
    let block = false
    while (at < text.length && text[at] !== '\n') {
      const char = text[at]
      const after = char === '`' || char === '\\' || char === '$' ? blockEnd(text, at, unclosed) : -1
      if (after >= 0 && at === start) block = true
      at = after >= 0 ? after : at + 1
    }
    if (at > start) lines.push({ start, end: at, block, gap })
    gap = at === start
    at++
  }
  return lines
}

/** Joins neighbours: `joins(previous, next)` says that next goes on where previous stopped. */
function merge<T extends Span>(parts: readonly T[], joins: (previous: Span, next: T) => boolean): Span[] {
  const merged: Span[] = []
  for (const part of parts) {
    const last = merged.at(-1)
    if (last !== undefined && joins(last, part)) last.end = part.end
    else merged.push({ start: part.start, end: part.end, block: part.block })
  }
  return merged
}

/** A single line that clearly holds several sentences, cut into them; otherwise the line as it is. */
function sentences(text: string, line: Span): Span[] {
  const parts: Span[] = []
  let start = line.start
  for (let at = line.start; at < line.end; at++) {
    const char = text[at]
    if (char !== '.' && char !== '!' && char !== '?') continue
    if (!/^ +["'(]?(?:[A-Z][a-z' ]|\\\(|\$)/.test(text.slice(at + 1, at + 8))) continue
    const before = text.slice(Math.max(line.start, at - 8), at)
    if (/(?:^|[\s(])(?:[A-Z]|Mrs?|Ms|Dr|St|vs|No|Eq|Fig|approx|e\.g|i\.e)$/.test(before)) continue
    if (parts.length === 0 && /^\d+$/.test(before)) continue // A list marker.
    parts.push({ start, end: at + 1, block: false })
    start = at + 2
  }
  parts.push({ start, end: line.end, block: false })
  const several = parts.length >= MIN_SENTENCES && parts.every(p => p.end - p.start >= MIN_SENTENCE_CHARS)
  return several ? parts : [line]
}

/**
 * Steps of a solution: paragraphs parted by blank lines when there are at least two, else lines, else (one line) its
 * sentences when they are clearly several. A code block or display formula stays with the text before it, a Markdown
 * heading with the text after it. Spans are in UTF-16 units, ordered, disjoint and without white space at their ends;
 * together they hold every character that is not white space. Text without any gives [].
 */
export function splitSteps(solution: string): Step[] {
  const lines = readLines(solution)
  const isHeading = (span: Span) =>
    solution[span.start] === '#' && !solution.slice(span.start, span.end).includes('\n')
  let parts: Span[] = lines
  if (lines.some((line, index) => line.gap && index > 0)) {
    parts = merge(lines, (_, line) => !line.gap || line.block)
  } else if (lines.length === 1 && !lines[0]!.block) {
    parts = sentences(solution, lines[0]!)
  }
  parts = merge(parts, (previous, part) => part.block || isHeading(previous))
  return parts.map(part => {
    let { start, end } = part
    while (start < end && isSpace(solution, start)) start++
    while (end > start && isSpace(solution, end - 1)) end--
    return { text: solution.slice(start, end), start, end }
  })
}
