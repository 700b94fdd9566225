// Finds where the two sides of an equation begin and end among words. Knows tokens; computes nothing.
import { endsFraction } from './expression.ts'
import { CLAUSE_WORDS, LINK_WORDS } from './lexicon.ts'
import type { Token } from './tokens.ts'

/** Tokens [from, to). */
export type Range = readonly [from: number, to: number]

/** Words that may stand between a number and the next operator and still be its unit. */
const MAX_UNIT_WORDS = 4
/** How far back a word still bears on the number where an expression begins. */
const REACH = 4

/** For each closing bracket the index of its opening one, else -1. */
export function matchBrackets(tokens: readonly Token[]): Int32Array {
  const openOf = new Int32Array(tokens.length).fill(-1)
  const stack: number[] = []
  tokens.forEach((token, index) => {
    if (token.kind === 'open') stack.push(index)
    else if (token.kind === 'close') openOf[index] = stack.pop() ?? -1
  })
  return openOf
}

/** Whether an expression may begin at `at` after the word before it: not after `per`, `root of`, `3 boxes of`. */
function beginsAfterWord(tokens: readonly Token[], at: number, floor: number): boolean {
  const word = tokens[at - 1]!
  const ties = word.kind === 'of' || LINK_WORDS.has(word.text)
  // `1 and 1/4`
  if (
    word.text === 'and' &&
    at - 2 >= floor &&
    tokens[at - 2]!.kind === 'number' &&
    tokens[at + 1]!.text === '/'
  )
    return false
  for (let i = at - 1; i >= floor && i >= at - REACH; i--) {
    const kind = tokens[i]!.kind
    if (kind === 'function' || kind === 'operator') return false
    if (kind !== 'word' && kind !== 'of') return !ties
  }
  return true
}

/** Where the operand that ends before `to` begins, its units skipped; -1 when there is none. */
function operandStart(tokens: readonly Token[], to: number, floor: number, openOf: Int32Array): number {
  let words = 0
  for (let at = to - 1; at >= floor; at--) {
    const { kind, text } = tokens[at]!
    if (kind === 'number') return at
    if (kind === 'close') return openOf[at]! >= floor ? openOf[at]! : -1
    if (kind === 'word' && (++words > MAX_UNIT_WORDS || CLAUSE_WORDS.has(text))) return -1
    if (kind !== 'word' && kind !== 'percent' && kind !== 'factorial') return -1
  }
  return -1
}

/** Whether the operator at `at` is a sign: no operand stands before it. */
function isSign(tokens: readonly Token[], at: number, floor: number): boolean {
  const before = at > floor ? tokens[at - 1]!.kind : 'stop'
  return before === 'operator' || before === 'open' || before === 'stop'
}

/** The longest expression that ends at the equals sign `to` and begins at `floor` or later, or null. */
export function leftSide(
  tokens: readonly Token[],
  to: number,
  floor: number,
  openOf: Int32Array,
): Range | null {
  for (let end = to; ; ) {
    let from = operandStart(tokens, end, floor, openOf)
    if (from < 0) return null
    if (from > floor && tokens[from - 1]!.kind === 'operator' && isSign(tokens, from - 1, floor)) {
      if (tokens[from - 1]!.text !== '-') return null
      from--
    }
    const before = from > floor ? tokens[from - 1]! : null
    if (before === null || before.kind === 'open') return [from, to]
    const isFactor =
      before.kind === 'of' && (tokens[from - 2]?.kind === 'percent' || endsFraction(tokens, from - 1))
    const isProduct = tokens[from]!.kind === 'open' && !tokens[from]!.gap
    if (before.kind === 'operator' || isFactor) end = from - 1
    else if (before.kind === 'word' || before.kind === 'of') {
      return beginsAfterWord(tokens, from, floor) ? [from, to] : null
    } else if (isProduct && (before.kind === 'number' || before.kind === 'close')) end = from
    else return null
  }
}

/**
 * What the walk over a right side does at a token that follows an operand: take it into the expression, take it as a
 * unit (`word`), want an operand next, end before it, or give up.
 */
function afterOperand(
  tokens: readonly Token[],
  at: number,
  words: number,
): 'take' | 'word' | 'want' | 'end' | 'fail' {
  const token = tokens[at]!
  switch (token.kind) {
    case 'operator':
      // A dash after words and before words is a remark, not a minus.
      return words > 0 && token.text === '-' && tokens[at + 1]?.kind === 'word' ? 'end' : 'want'
    case 'percent':
    case 'factorial':
    case 'close':
      return 'take'
    case 'of':
      if (tokens[at - 1]!.kind === 'percent' || endsFraction(tokens, at)) return 'want'
      return 'word'
    case 'word':
      return CLAUSE_WORDS.has(token.text) ? 'end' : 'word'
    case 'open':
      if (words > 0) return 'end'
      if (!token.gap) return 'want'
      return tokens[at + 1]?.kind === 'function' ? 'fail' : 'end' // 3 (mod 5)
    case 'number':
    case 'strange':
    case 'function':
      return words === 0 ? 'fail' : 'end'
    default:
      return 'end'
  }
}

/** The expression that begins at `from`, as far as it goes, or null. */
export function rightSide(tokens: readonly Token[], from: number): Range | null {
  let depth = 0
  let words = 0
  let wantsOperand = true
  let end = from
  for (let at = from; at < tokens.length; at++) {
    const { kind } = tokens[at]!
    if (wantsOperand) {
      if (kind === 'open') depth++
      else if (kind === 'number') wantsOperand = false
      else if (kind !== 'operator') return null
      end = at + 1
      words = 0
      continue
    }
    const next = kind === 'close' && depth === 0 ? 'end' : afterOperand(tokens, at, words)
    if (next === 'fail') return null
    if (next === 'end' || (next === 'word' && words === MAX_UNIT_WORDS)) break
    if (next === 'word') words++
    else if (next === 'want') {
      wantsOperand = true
      if (kind === 'open') depth++
    } else {
      end = at + 1
      if (kind === 'close') {
        depth--
        words = 0
      }
    }
  }
  return wantsOperand || depth > 0 ? null : [from, end]
}
