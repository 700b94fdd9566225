// Evaluates a run of tokens as exact arithmetic, or says that it cannot. Knows precedence; knows nothing of equations.
import { apply, factorialOf, negate, type Operand, percentOf, written } from './operand.ts'
import { format } from './rational.ts'
import type { Token } from './tokens.ts'

/** What a run of tokens comes to. */
export interface Value extends Operand {
  /** Operators applied; 0 for a bare number. */
  readonly operations: number
  /** Canonical text of every operand and intermediate result. */
  readonly parts: ReadonlySet<string>
  /** Written so that two readings are common: `100 - 20%`, `-3^2`, `6 / 1/2`, `2\frac{1}{3}`. */
  readonly doubtful: boolean
}

/** Longer runs are refused: nobody writes them, and the work must stay bounded. */
const MAX_TOKENS = 200
const PRECEDENCE: Readonly<Record<string, number>> = {
  '(': 0,
  '+': 1,
  '-': 1,
  '*': 2,
  '/': 2,
  neg: 3,
  '^': 4,
  '&': 5,
  C: 5,
}

/** The stacks of one evaluation (operator precedence, Dijkstra's shunting yard). */
interface Stacks {
  readonly operands: Operand[]
  readonly operators: string[]
  readonly parts: Set<string>
  wantsOperand: boolean
  operations: number
  doubtful: boolean
}

function pushOperand(s: Stacks, operand: Operand | null): boolean {
  if (operand === null) return false
  s.operands.push(operand)
  s.parts.add(format(operand.exact))
  s.wantsOperand = false
  return true
}

/** Applies the topmost operator; false when an operand is missing or the result is out of reach. */
function reduce(s: Stacks): boolean {
  const operator = s.operators.pop()
  const b = s.operands.pop()
  if (operator === undefined || operator === '(' || b === undefined) return false
  if (operator === 'neg') return pushOperand(s, negate(b))
  const a = s.operands.pop()
  if (a === undefined) return false
  if ((operator === '+' || operator === '-') && a.percent !== b.percent) s.doubtful = true
  s.operations++
  return pushOperand(s, apply(operator, a, b))
}

function pushOperator(s: Stacks, operator: string): boolean {
  const precedence = PRECEDENCE[operator]!
  if (operator === '^' && s.operators.at(-1) === 'neg') s.doubtful = true
  for (let top = s.operators.at(-1); top !== undefined && top !== '('; top = s.operators.at(-1)) {
    const above = PRECEDENCE[top]!
    if (above < precedence || (above === precedence && operator === '^')) break
    if (top === '/' && operator === '/') s.doubtful = true
    if (!reduce(s)) return false
  }
  s.operators.push(operator)
  s.wantsOperand = true
  return true
}

/** A bracket after an operand: `2(3)`, `(2)(3)` are products, `2\frac{1}{3}` a mixed number (or a product). */
function pushProduct(s: Stacks, open: Token, before: Token): boolean {
  // `6/2(3)` has two readings, `5 (3)` may be a remark, `5 eggs(3)` is neither.
  if (open.gap || before.kind === 'word' || s.operators.at(-1) === '/') return false
  const isMixed = open.text === 'frac' && before.kind === 'number'
  if (isMixed) s.doubtful = true
  return pushOperator(s, isMixed ? '&' : '*')
}

function closeBracket(s: Stacks): boolean {
  while (s.operators.length > 0 && s.operators.at(-1) !== '(') if (!reduce(s)) return false
  return s.operators.pop() === '('
}

/** Takes one token that follows an operand; false when it is not understood there. */
function afterOperand(
  s: Stacks,
  token: Token,
  tokens: readonly Token[],
  at: number,
  asUnit: boolean,
): boolean {
  const before = tokens[at - 1]!
  switch (token.kind) {
    case 'operator':
      return pushOperator(s, token.text)
    case 'open':
      if (!pushProduct(s, token, before)) return false
      s.operators.push('(')
      return true
    case 'close':
      return closeBracket(s)
    case 'percent': {
      if (before.kind !== 'number' && before.kind !== 'close') return false
      return asUnit || pushOperand(s, percentOf(s.operands.pop()!, before.decimals === 0))
    }
    case 'factorial':
      s.operations++
      return pushOperand(s, factorialOf(s.operands.pop()!))
    case 'of':
      // Only after a per cent or a fraction does `of` mean times.
      return (before.kind === 'percent' || endsFraction(tokens, at)) && pushOperator(s, '*')
    default:
      return token.kind === 'word'
  }
}

/** Takes one token where an operand must begin. */
function beforeOperand(s: Stacks, token: Token, isFirst: boolean): boolean {
  if (token.kind === 'number')
    return token.value !== null && pushOperand(s, written(token.value, token.decimals))
  if (token.kind === 'open') s.operators.push('(')
  else if (token.kind === 'operator' && token.text === '-') s.operators.push('neg')
  else return token.kind === 'operator' && token.text === '+' && isFirst
  return true
}

/**
 * The value of tokens[from, to), or null unless every token is understood: numbers with units after them, + - * / ^ ! %,
 * brackets, `2(3)` as a product, `x% of y`. `percentAsUnit` reads 20% as 20.
 */
export function evaluate(
  tokens: readonly Token[],
  from: number,
  to: number,
  percentAsUnit = false,
): Value | null {
  if (to - from > MAX_TOKENS) return null
  const s: Stacks = {
    operands: [],
    operators: [],
    parts: new Set(),
    wantsOperand: true,
    operations: 0,
    doubtful: false,
  }
  for (let at = from; at < to; at++) {
    const token = tokens[at]!
    const taken = s.wantsOperand
      ? beforeOperand(s, token, at === from)
      : afterOperand(s, token, tokens, at, percentAsUnit)
    if (!taken) return null
  }
  if (s.wantsOperand) return null
  while (s.operators.length > 0) if (!reduce(s)) return null
  return { ...s.operands[0]!, operations: s.operations, parts: s.parts, doubtful: s.doubtful }
}

/** Whether the tokens before `at` end in `a/b` or `\frac{a}{b}`. */
export function endsFraction(tokens: readonly Token[], at: number): boolean {
  let i = at - 1
  while (i > 0 && at - i < 4 && tokens[i]!.kind === 'close') i--
  if (tokens[i]?.kind !== 'number') return false
  i--
  while (i > 0 && at - i < 7 && tokens[i]!.kind === 'open') i--
  return i > 0 && tokens[i]!.text === '/'
}
