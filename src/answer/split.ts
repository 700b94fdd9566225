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

/** The sentences of a line; an abbreviation, an initial and a list marker end none. */
function cutSentences(text: string, line: Span): Span[] {
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
  return parts
}

/** A single line that clearly holds several sentences, cut into them; otherwise the line as it is. */
function severalSentences(text: string, line: Span): Span[] {
  const parts = cutSentences(text, line)
  const several = parts.length >= MIN_SENTENCES && parts.every(p => p.end - p.start >= MIN_SENTENCE_CHARS)
  return several ? parts : [line]
}

/** Paragraphs when blank lines part at least two, else lines, else (one line) its sentences when they are clearly several. */
function cutAsWritten(text: string, lines: readonly Line[]): Span[] {
  if (lines.some((line, index) => line.gap && index > 0)) return cutParagraphs(lines)
  const [line] = lines
  return lines.length === 1 && !line!.block ? severalSentences(text, line!) : [...lines]
}

const cutParagraphs = (lines: readonly Line[]): Span[] => merge(lines, (_, line) => !line.gap || line.block)

/** `3.`, `3)`, `(3)`, `Step 3`, `**Step 3:**`, `### 3.` */
const MARKER = /^[#*_> \t]{0,8}(?:(?:step|schritt|étape)[ \t]*\d{1,3}\b|\(?\d{1,3}[.):](?=[\s*]|$))/i

const cutNumbered = (text: string, lines: readonly Line[]): Span[] =>
  merge(lines, (_, line) => line.block || !MARKER.test(text.slice(line.start, line.start + 40)))

/** Words, numbers and signs count one each; a token of a language model is about as long. */
const STEP_TOKENS = 64

/** Runs of at most STEP_TOKENS tokens, blocks and headings notwithstanding. */
function cutTokens(text: string): Span[] {
  const parts: Span[] = []
  let tokens = 0
  for (const match of text.matchAll(/[\p{L}\p{M}]+|\d+|\S/gu)) {
    const end = match.index + match[0].length
    if (tokens++ % STEP_TOKENS === 0) parts.push({ start: match.index, end, block: false })
    else parts.at(-1)!.end = end
  }
  return parts
}

/**
 * Ways to cut a solution. `auto`: paragraphs when blank lines part at least two, else lines, else (one line) its sentences when
 * they are clearly several. `numbered`: before each line that begins with `3.`, `3)` or `Step 3`. `tokens`: after every 64
 * words, numbers and signs.
 */
export type SplitBy = 'auto' | 'paragraph' | 'line' | 'numbered' | 'sentence' | 'tokens'

function cut(text: string, by: Exclude<SplitBy, 'tokens'>): Span[] {
  const lines = readLines(text)
  switch (by) {
    case 'auto':
      return cutAsWritten(text, lines)
    case 'paragraph':
      return cutParagraphs(lines)
    case 'line':
      return [...lines]
    case 'numbered':
      return cutNumbered(text, lines)
    case 'sentence':
      return lines.flatMap(line => (line.block ? [line] : cutSentences(text, line)))
  }
}

/**
 * Steps of a solution. Except with `tokens` a code block or display formula stays with the text before it, a Markdown
 * heading with the text after it. Spans are in UTF-16 units, ordered, disjoint and without white space at their ends;
 * together they hold every character that is not white space. Text without any gives []. Linear in the text's length.
 */
export function splitSteps(solution: string, by: SplitBy = 'auto'): Step[] {
  const isHeading = (span: Span) =>
    solution[span.start] === '#' && !solution.slice(span.start, span.end).includes('\n')
  const parts =
    by === 'tokens'
      ? cutTokens(solution)
      : merge(cut(solution, by), (previous, part) => part.block || isHeading(previous))
  return parts.flatMap(part => {
    let { start, end } = part
    while (start < end && isSpace(solution, start)) start++
    while (end > start && isSpace(solution, end - 1)) end--
    return start === end ? [] : [{ text: solution.slice(start, end), start, end }]
  })
}
