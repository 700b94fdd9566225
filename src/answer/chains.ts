// Finds the chains `a = b = c` that a text writes as formulas, and cuts them into sides. Knows no algebra.
import { FUNCTION_WORDS, SOFT_WORDS } from './lexicon.ts'

/** text.slice(start, end), without white space at its ends. */
export interface Side {
  readonly text: string
  readonly start: number
  readonly end: number
}

/** Sides that are said to be equal, two at least. */
export interface Chain {
  readonly sides: readonly Side[]
  /** Another formula follows after a comma or `or`: `x = 1, 2` states no single value. */
  readonly goesOn: boolean
}

interface Span {
  readonly start: number
  readonly end: number
}

const MAX_CHARS = 20_000
const MAX_CHAINS = 40
const MAX_SIDES = 12

const MATH = [
  ['$$', '$$'],
  ['\\[', '\\]'],
  ['\\(', '\\)'],
  ['$', '$'],
] as const

/** Formulas between math delimiters, and what is left between them. */
function cutMath(text: string): { math: Span[]; prose: Span[] } {
  const math: Span[] = []
  const prose: Span[] = []
  const unclosed = new Set<string>()
  let from = 0
  for (let at = 0; at < text.length; at++) {
    const char = text[at]
    if (char !== '$' && char !== '\\') continue
    const pair = MATH.find(([open]) => text.startsWith(open, at) && !unclosed.has(open))
    if (pair === undefined) {
      if (char === '\\') at++ // `\$`, `\\`
      continue
    }
    const [open, close] = pair
    const end = text.indexOf(close, at + open.length)
    if (end < 0) {
      unclosed.add(open)
      continue
    }
    if (at > from) prose.push({ start: from, end: at })
    math.push({ start: at + open.length, end })
    from = end + close.length
    at = from - 1
  }
  prose.push({ start: from, end: text.length })
  return { math, prose }
}

// What ends a statement inside a formula.
const STATEMENT_END =
  /\\\\|[;\n]|,(?!\d{3}(?!\d))|\\(?:implies|Rightarrow|Longrightarrow|rightarrow|to|iff|Leftrightarrow|quad|qquad|text|mbox|mathrm|textbf|textrm|begin|end)(?![a-zA-Z])|⇒|→|=>|->/g
const WORDS = /(?<![\\\p{L}])(?!sqrt\b)\p{L}{2,}(?:['’-]\p{L}+)*/gu

const isSafe = (word: string): boolean => !FUNCTION_WORDS.has(word) && word !== 'of' && word !== 'times'

/** `x = 72 eggs / 3`: the formula goes on after its unit. */
const goesOnAfter = (formula: string, after: string): boolean =>
  !/[,;.]$/.test(formula.trimEnd()) && /^(?:\s*\p{L}{2,}){1,4}\s*[-+*/×÷^]/u.test(after)

/** Stretches between words and marks of a sentence that hold an equals sign and nothing a word could change. */
function formulasInProse(text: string, { start, end }: Span): Span[] {
  const part = text.slice(start, end)
  const found: Span[] = []
  let from = 0
  let before = ''
  const close = (to: number, after: string) => {
    const formula = part.slice(from, to)
    // A bracket directly after a word holds what a function is of.
    const isArgument = before !== '' && formula.startsWith('(')
    if (!formula.includes('=') || isArgument || !isSafe(before) || !isSafe(after)) return
    if (!goesOnAfter(formula, part.slice(to, to + 60))) found.push({ start: start + from, end: start + to })
  }
  for (const match of part.matchAll(WORDS)) {
    const word = match[0].toLowerCase()
    // Capitals are names of segments and points.
    if (/^[A-Z]{2,4}$/.test(match[0])) continue
    close(match.index, word)
    from = match.index + match[0].length
    before = word
  }
  close(part.length, '')
  return found.flatMap(span => cutSentences(text, span))
}

function cutSentences(text: string, { start, end }: Span): Span[] {
  const spans: Span[] = []
  let from = start
  for (const match of text.slice(start, end).matchAll(/[.:!?](?=\s|$)|["“”]|\*\*/g)) {
    spans.push({ start: from, end: start + match.index })
    from = start + match.index + match[0].length
  }
  spans.push({ start: from, end })
  return spans
}

function trim(text: string, { start, end }: Span): Side {
  while (start < end && /[\s&.:]/.test(text[start]!)) start++
  while (end > start && /[\s&.:,]/.test(text[end - 1]!)) end--
  return { text: text.slice(start, end), start, end }
}

/** Cuts at the signs that `signs` finds outside of brackets. */
function cutAt(text: string, { start, end }: Span, signs: RegExp): Span[] {
  const spans: Span[] = []
  let from = start
  let depth = 0
  let at = start
  for (const match of text.slice(start, end).matchAll(signs)) {
    for (; at < start + match.index; at++) {
      if ('([{'.includes(text[at]!)) depth++
      else if (')]}'.includes(text[at]!)) depth--
    }
    if (depth > 0) continue
    spans.push({ start: from, end: at })
    from = at + match[0].length
    at = from
  }
  spans.push({ start: from, end })
  return spans
}

const RELATION = /[<>≤≥≠≈≡~∈]|\\(?:l|g|n|leq?|geq?|neq?|approx|equiv|sim|in|propto|cong|pm|mp)(?![a-zA-Z])|!=/

function chainsIn(text: string, span: Span): Chain[] {
  const statements = cutAt(text, span, STATEMENT_END)
  return statements.flatMap(({ start, end }, i) => {
    const part = text.slice(start, end)
    if (!part.includes('=') || RELATION.test(part)) return []
    const sides = cutAt(text, { start, end }, /=/g).map(side => trim(text, side))
    if (sides.length < 2 || sides.length > MAX_SIDES) return []
    // A left side may be on the line above: `x &= 3 \\ &= 4`.
    const next = statements[i + 1]
    const goesOn =
      next !== undefined && !/[=\\]/.test(text.slice(end, next.end)) && trim(text, next).text !== ''
    return [{ sides, goesOn }]
  })
}

/**
 * Chains of a text, in order: inside math delimiters, and in prose between words (`so 2x + 3 = 13 and`). A statement with a
 * relation other than `=` is left out, as is prose that a word such as `twice` or `rounded` could change. Linear in the
 * text's length; at most 40 chains.
 */
export function findChains(text: string): Chain[] {
  if (!text.includes('=') || text.length > MAX_CHARS) return []
  const { math, prose } = cutMath(text)
  const isSoft = (span: Span) =>
    text
      .slice(span.start, span.end)
      .toLowerCase()
      .match(/[a-z']+/g)
      ?.some(word => SOFT_WORDS.has(word)) ?? false
  const spans = [...math, ...prose.filter(span => !isSoft(span)).flatMap(span => formulasInProse(text, span))]
  return spans
    .sort((a, b) => a.start - b.start)
    .flatMap(span => chainsIn(text, span))
    .slice(0, MAX_CHAINS)
}
