// The decision record's chain: each entry holds the hash of the one before, so that none can be changed, dropped or put in between
// without breaking what follows. Knows no database.
import { createHash } from 'node:crypto'
import { parseJson } from './rows.ts'
import type { Decision, DecisionFacts } from './types.ts'

/** What the first entry names as the one before. */
export const GENESIS = '0'.repeat(64)

const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex')

/** JSON with one spelling for each value: keys sorted by UTF-16 units, no spaces (RFC 8785). Takes what JSON can say. */
export function canonicalJson(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(item => canonicalJson(item ?? null)).join()}]`
  if (typeof value !== 'object' || value === null) return JSON.stringify(value)
  const fields = Object.entries(value).filter(([, field]) => field !== undefined)
  const sorted = fields.toSorted(([a], [b]) => (a < b ? -1 : 1))
  return `{${sorted.map(([name, field]) => `${JSON.stringify(name)}:${canonicalJson(field)}`).join()}}`
}

/** Where a chain ends: how many entries there are and the text of the last one. */
export interface ChainEnd {
  readonly length: number
  readonly last: string | null
}

/** The entry that comes next. One that was damaged stays in the chain: what follows names the hash of what is left of it. */
export function nextDecision({ length, last }: ChainEnd, facts: DecisionFacts): Decision {
  const plain = JSON.parse(JSON.stringify(facts)) as DecisionFacts
  const before = last === null ? null : readDecision(last)
  const previous = last === null ? GENESIS : (before?.hash ?? sha256(last))
  return seal({ ...plain, seq: length + 1, previous })
}

const seal = (open: Omit<Decision, 'hash'>): Decision => ({ ...open, hash: sha256(canonicalJson(open)) })

/** An entry from its JSON text; null when it is not one. Says nothing about its hash. */
export function readDecision(text: unknown): Decision | null {
  const value = parseJson(text) as Partial<Decision> | null | undefined
  const isText = (x: unknown) => typeof x === 'string'
  return typeof value === 'object' &&
    value !== null &&
    [value.id, value.kind, value.by, value.critic, value.reason, value.previous, value.hash].every(isText) &&
    [value.seq, value.at].every(Number.isFinite)
    ? (value as Decision)
    : null
}

/** What checking a chain found. */
export type ChainCheck =
  | { readonly ok: true; readonly entries: number; readonly head: string; readonly broken_at: null }
  | { readonly ok: false; readonly entries: number; readonly head: string; readonly broken_at: number }

/**
 * Checks every link; `broken_at` is the number, from 1, of the first entry that is not what was written. A chain cannot tell that its
 * end was cut off: for that, compare `head` with one noted elsewhere, or give it as `wantedHead`, which must be one of the hashes.
 */
export function checkChain(texts: readonly string[], wantedHead?: string): ChainCheck {
  let previous = GENESIS
  let isSeen = wantedHead === undefined || wantedHead === GENESIS
  for (const [i, text] of texts.entries()) {
    const entry = readDecision(text)
    const { hash, ...open } = entry ?? { hash: '' }
    const isWhole =
      entry?.seq === i + 1 && entry.previous === previous && seal(open as Decision).hash === hash
    if (!isWhole) return { ok: false, entries: texts.length, head: previous, broken_at: i + 1 }
    previous = hash
    isSeen ||= hash === wantedHead
  }
  if (!isSeen) return { ok: false, entries: texts.length, head: previous, broken_at: texts.length + 1 }
  return { ok: true, entries: texts.length, head: previous, broken_at: null }
}
