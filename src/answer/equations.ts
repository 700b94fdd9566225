// The exact equation checker: finds `expr = expr` in a text and decides it where it can. Knows no problem and no history.
import { decide } from './decide.ts'
import { evaluate } from './expression.ts'
import { SOFT_WORDS } from './lexicon.ts'
import { format } from './rational.ts'
import { scan } from './scan.ts'
import { leftSide, matchBrackets, type Range, rightSide } from './sides.ts'
import type { Token } from './tokens.ts'
import type { Evidence } from './types.ts'

/** What the checker found in one text. */
export interface Equations {
  readonly evidence: Evidence[]
  /**
   * By the offset where a number ends: whether the equation up to and with it holds. Unlike `evidence` this looks at
   * nothing after the number, so it says false only of a first number that is no part of the left side either.
   */
  readonly verdicts: Map<number, boolean>
}

/** One text's tokens and where its doubts begin. */
interface Line {
  readonly text: string
  readonly tokens: readonly Token[]
  /** Index of the first word that takes the ground from a verdict of false; tokens.length when there is none. */
  readonly softAt: number
}

/** Right sides with more tokens than this get no verdict on their inner numbers. */
const MAX_PREFIX = 24

/** What must follow a number for it to be complete: a longer one or a product would need a verdict of its own. */
const ENDS_NUMBER = /^[\s,.;:!?$>)\]]?$/

/** The verdicts on the numbers of a right side, each from what stands before its end. */
function judgePrefixes(
  line: Line,
  left: Range,
  right: Range,
  sign: Token,
  verdicts: Map<number, boolean>,
): void {
  const { tokens, text } = line
  const a = evaluate(tokens, ...left)
  if (a === null || a.operations === 0) return
  let numbers = 0
  for (let at = right[0]; at < right[1] && at - right[0] < MAX_PREFIX; at++) {
    const token = tokens[at]!
    if (token.kind === 'number') numbers++
    else if (token.kind !== 'close' && token.kind !== 'percent') continue
    const prefix = evaluate(tokens, right[0], at + 1)
    if (prefix === null) continue
    const verdict = decide(tokens, left, [right[0], at + 1], at + 1)
    if (verdict === true) verdicts.set(token.end, true)
    if (verdict !== false || numbers > 1 || sign.kind === 'approx' || at >= line.softAt) continue
    const next = text.slice(token.end, token.end + 1)
    if (!a.parts.has(format(prefix.exact)) && ENDS_NUMBER.test(next)) verdicts.set(token.end, false)
  }
}

/** text[start, end) with the braces that close what it opened: `3 = \boxed{3}`. */
function quote(text: string, start: number, end: number): string {
  let open = 0
  for (let at = start; at < end; at++) open += text[at] === '{' ? 1 : text[at] === '}' ? -1 : 0
  for (; open > 0 && text[end] === '}'; open--) end++
  return text.slice(start, end)
}

/** What the two sides of a decided equation come to. */
function explain(tokens: readonly Token[], left: Range, right: Range): string {
  const [a, b] = [left, right].map(range => format(evaluate(tokens, ...range)!.exact))
  return a === b ? `both sides are ${a}` : `the left side is ${a}, the right side ${b}`
}

function checkLine(text: string, tokens: readonly Token[], found: Equations): void {
  const soft = tokens.findIndex(token => SOFT_WORDS.has(token.text))
  const line: Line = { text, tokens, softAt: soft < 0 ? tokens.length : soft }
  const openOf = matchBrackets(tokens)
  let floor = 0
  tokens.forEach((sign, at) => {
    const isEquation = sign.kind === 'equal' || sign.kind === 'approx'
    const left = isEquation ? leftSide(tokens, at, floor, openOf) : null
    const right = left === null ? null : rightSide(tokens, at + 1)
    if (left !== null && right !== null) {
      const holds = decide(tokens, left, right)
      const isCertain = holds === true || (holds === false && sign.kind !== 'approx' && soft < 0)
      if (isCertain) {
        const words = quote(text, tokens[left[0]]!.start, tokens[right[1] - 1]!.end)
        found.evidence.push({ kind: 'equation', text: words, holds, detail: explain(tokens, left, right) })
      }
      judgePrefixes(line, left, right, sign, found.verdicts)
    }
    if (isEquation || ['relation', 'stop', 'comma'].includes(sign.kind)) floor = at + 1
  })
}

/**
 * Checks every equation of a text whose two sides are plain arithmetic, exactly. Says true for equal or correctly rounded
 * sides, false only when no common reading makes them equal, and nothing where it cannot tell. Linear in the text's length.
 */
export function checkEquations(text: string): Equations {
  const found: Equations = { evidence: [], verdicts: new Map() }
  if (!/[=≈]|equals|approx/.test(text)) return found
  const tokens = scan(text)
  const marked = tokens.filter(token => token.marked)
  if (marked.length === 0) checkLine(text, tokens, found)
  else {
    checkLine(
      text,
      tokens.filter(token => !token.marked),
      found,
    )
    checkLine(text, marked, found)
  }
  return found
}
