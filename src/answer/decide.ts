// Decides whether two sides are equal, rounded, or may have been meant as equal. Knows tokens only to excuse a mismatch.
import { evaluate, type Value } from './expression.ts'
import { CLAUSE_WORDS, UNIT_FACTORS } from './lexicon.ts'
import { equals, type Rational, toNumber } from './rational.ts'
import type { Range } from './sides.ts'
import type { Token } from './tokens.ts'

/** A running calculation is looked for in this many tokens of a right side. */
const MAX_RUN = 24

/** True when a bare decimal or per cent is the other side rounded to its digits. */
function isRounded(bare: Value, full: Value): boolean {
  if (bare.operations > 0 || bare.low === bare.high) return false
  const size = toNumber(full.exact)
  const edge = 1e-9 * Math.abs(size)
  return size >= bare.low - edge && size <= bare.high + edge
}

/** True when the two may be meant as equal: within the rounding of their decimals, cut off, or rounded to a whole. */
function mayAgree(a: Value, b: Value): boolean {
  const slackOf = (value: Value) => (value.operations === 0 ? (value.high - value.low) / 2 : 0)
  const slack = Math.max(slackOf(a), slackOf(b))
  if (a.low <= b.high + slack && b.low <= a.high + slack) return true
  const x = toNumber(a.exact)
  const y = toNumber(b.exact)
  if (Math.abs(x - y) < 1 && (a.exact.d === 1n) !== (b.exact.d === 1n)) return true
  return Math.abs(x / y) === 100 || Math.abs(y / x) === 100 // Per cent or cents, not marked as such.
}

function compareValues(left: Value, right: Value): boolean | null {
  if (equals(left.exact, right.exact) || isRounded(left, right) || isRounded(right, left)) return true
  return left.doubtful || right.doubtful || mayAgree(left, right) ? null : false
}

/** `5 * 2 = 10 + 3`, `3/3 - 2/3 = 1/3 of $150`: the right side begins with the result and goes on from it. */
function isRunning(tokens: readonly Token[], right: Range, left: Rational): boolean {
  for (let to = right[0] + 1; to < right[1] && to - right[0] < MAX_RUN; to++) {
    if (tokens[to]!.kind !== 'operator' && tokens[to]!.kind !== 'of') continue
    const prefix = evaluate(tokens, right[0], to)
    if (prefix !== null && equals(prefix.exact, left)) return true
  }
  return false
}

/** `Hours on day 4 = 8 * 3`, `24 ounces = 8 + 24`: the number belongs to a name for the right side. */
function isLabel(tokens: readonly Token[], left: Range): boolean {
  const before = tokens[left[0] - 1]
  const named = before?.kind === 'word' && !CLAUSE_WORDS.has(before.text)
  return named || tokens[left[1] - 1]!.kind === 'word'
}

/** `3 feet * 2 = 72 inches`: sides in different units that differ by a factor between units. */
function isConversion(
  tokens: readonly Token[],
  left: Range,
  right: Range,
  ratio: number,
  seen: number,
): boolean {
  if (!UNIT_FACTORS.has(ratio) && !UNIT_FACTORS.has(1 / ratio)) return false
  const units = new Set<string>()
  for (let at = left[0]; at < left[1]; at++) if (tokens[at]!.kind === 'word') units.add(tokens[at]!.text)
  const unit = right[1] < seen ? tokens[right[1]] : undefined
  return units.size > 0 && unit?.kind === 'word' && !units.has(unit.text)
}

/** The verdict when per cent may be a unit on either side: true if any reading holds, false if none may. */
function tryPercents(
  tokens: readonly Token[],
  left: Range,
  right: Range,
  a: Value,
  b: Value,
): boolean | null {
  const plainA = evaluate(tokens, ...left, true)
  const plainB = evaluate(tokens, ...right, true)
  if (plainA === null || plainB === null) return null
  const verdicts = [compareValues(plainA, b), compareValues(a, plainB), compareValues(plainA, plainB)]
  return verdicts.includes(true) ? true : verdicts.includes(null) ? null : false
}

/**
 * Whether `left = right` holds: true for equal or correctly rounded sides, false only when no common reading makes them
 * equal, null when it cannot be told or when neither side computes anything. Looks at no token from `seen` on.
 */
export function decide(
  tokens: readonly Token[],
  left: Range,
  right: Range,
  seen = tokens.length,
): boolean | null {
  const a = evaluate(tokens, ...left)
  const b = a === null ? null : evaluate(tokens, ...right)
  if (a === null || b === null || a.operations + b.operations === 0) return null
  let verdict = compareValues(a, b)
  if (verdict !== true && tokens.slice(left[0], right[1]).some(token => token.kind === 'percent')) {
    const other = tryPercents(tokens, left, right, a, b)
    if (other !== false) verdict = other
  }
  if (verdict !== false) return verdict
  const ratio = toNumber(a.exact) / toNumber(b.exact)
  if (isRunning(tokens, right, a.exact) || isConversion(tokens, left, right, ratio, seen)) return null
  return a.operations === 0 && isLabel(tokens, left) ? null : false
}
