// Reads what a served process reward model answers: the body of vLLM's `/pooling` in each of its shapes, and of `/tokenize`.
// Trusts nothing in it. Knows no transport.
import { AppError } from '../errors.ts'

/** How a row of class scores is meant: after the softmax, before it, or whichever the numbers say. */
export type PrmValues = 'auto' | 'probabilities' | 'logits'

/** One item's rows of class scores: one a step, or one a token. */
export type Rows = readonly (readonly number[])[]

export interface Pooled {
  /** In the order of the inputs; null where an entry cannot be read. */
  readonly items: readonly (Rows | null)[]
  readonly tokens: number
}

const bad = (name: string, what: string): AppError =>
  new AppError('LLM_BAD_RESPONSE', `The reward model "${name}" ${what}.`)

const isRecord = (x: unknown): x is Record<string, unknown> =>
  typeof x === 'object' && x !== null && !Array.isArray(x)

/** The rows of `count` inputs. @throws {AppError} LLM_BAD_RESPONSE when the body does not answer as many */
export function readPooled(body: unknown, name: string, count: number): Pooled {
  const data = isRecord(body) ? body['data'] : undefined
  if (!Array.isArray(data) || data.length !== count) throw bad(name, `did not answer ${count} inputs`)
  const items: (Rows | null)[] = Array.from({ length: count }, () => null)
  for (const [place, entry] of data.entries()) {
    const { index = place, data: rows } = isRecord(entry) ? entry : {}
    if (typeof index === 'number' && index in items) items[index] = readRows(rows)
  }
  const usage = isRecord(body) && isRecord(body['usage']) ? body['usage']['prompt_tokens'] : undefined
  return { items, tokens: Number.isSafeInteger(usage) && (usage as number) >= 0 ? (usage as number) : 0 }
}

/** `[[a, b], …]` as classes, `[p, …]` as one class; null for anything else, base64 included. */
function readRows(rows: unknown): Rows | null {
  if (!Array.isArray(rows)) return null
  const read = rows.map(row => (typeof row === 'number' ? [row] : row))
  const width = Array.isArray(read[0]) ? read[0].length : 0
  if (width !== 1 && width !== 2) return null
  const isRow = (row: unknown) =>
    Array.isArray(row) && row.length === width && row.every(x => typeof x === 'number' && Number.isFinite(x))
  return read.every(isRow) ? (read as number[][]) : null
}

/** P(right) of each row, the last class being the right one. */
export function rightProbabilities(rows: Rows, values: PrmValues): number[] {
  const areProbabilities = values === 'auto' ? rows.every(looksNormal) : values === 'probabilities'
  return rows.map(row => {
    const right = row.at(-1)!
    const wrong = row.length === 2 ? row[0]! : areProbabilities ? 1 - right : 0
    if (!areProbabilities) return 1 / (1 + Math.exp(wrong - right))
    // Half precision sums to 1 about; the share of the two does exactly.
    return Math.min(1, Math.max(0, right / (right + wrong || 1)))
  })
}

/** Two numbers that sum to 1 in half precision, or one from 0 to 1. */
function looksNormal(row: readonly number[]): boolean {
  const isShare = row.every(x => x >= 0 && x <= 1)
  return isShare && (row.length === 1 || Math.abs(row[0]! + row[1]! - 1) <= 0.01)
}

/** Token ids of a `/tokenize` body. @throws {AppError} LLM_BAD_RESPONSE */
export function readTokens(body: unknown, name: string): number[] {
  const tokens = isRecord(body) ? body['tokens'] : undefined
  if (!Array.isArray(tokens) || !tokens.every(Number.isSafeInteger))
    throw bad(name, 'did not say how it reads a text')
  return tokens as number[]
}

/**
 * The rows of the steps out of one row for each token.
 * @throws {AppError} LLM_BAD_RESPONSE when rows and tokens do not fit, or not every step has its separator
 */
export function rowsAtSeparators(
  rows: Rows,
  {
    tokens,
    separator,
    steps,
    name,
  }: { tokens: readonly number[]; separator: number; steps: number; name: string },
): Rows {
  if (rows.length !== tokens.length)
    throw bad(name, `gave ${rows.length} rows for ${tokens.length} tokens and ${steps} steps`)
  const found = rows.filter((_, i) => tokens[i] === separator)
  if (found.length !== steps) throw bad(name, `has ${found.length} separators for ${steps} steps`)
  return found
}
