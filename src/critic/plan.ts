// Which rows run together and in what order: what is known of a row does not run, and a row waits for another that is about to
// compute its beginning. Knows no session.
import type { Row } from './encode.ts'
import { type Lengths, packRuns } from './pack.ts'
import type { PrefixCache } from './prefix-cache.ts'

/** What a model computed of one part of a row, after one certain beginning. */
export interface Kept {
  /** Tokens of the part. */
  readonly tokens: number
  /** Keys and values of its tokens, in whatever layout the owner writes and reads. */
  readonly state: Float32Array
  /** Of the step that the part is; null where no step is scored. */
  readonly logit: number | null
}

/** A row that waits to be run; the logits of its steps are written into `out`. */
export interface Job {
  readonly row: Row
  readonly features: readonly Float32Array[]
  readonly out: (number | null)[]
}

/** A job as it will run: the tokens after those that are known. */
export interface Planned<T extends Job = Job> extends Lengths {
  readonly job: T
  /** What tells the row's parts apart, for the cache; none where there is no cache. */
  readonly keys: readonly string[]
  /** What is kept of the row's first parts: those of `past` tokens. */
  readonly known: readonly Kept[]
}

/** A shorter beginning is computed twice rather than waited for: a run costs about as much as so many tokens. */
const WORTH_WAITING = 32

/** Number of the step that ends the row's i-th part, among its scored ones; negative for the problem and for steps that are context. */
export const stepOfPart = ({ row: { ends, steps } }: Job, i: number): number =>
  i - (ends.length - steps.length)

/** First token of the row's i-th part. */
export const startOfPart = ({ row: { ends } }: Job, i: number): number => (i === 0 ? 0 : ends[i - 1]! + 1)

/**
 * All that what is kept of a part depends on, beside the parts before it: its tokens with their channels, and the features of its
 * step, which depend on the text, of which a long step's tokens may not tell everything.
 */
function keyOf(job: Job, i: number): string {
  const { row, features } = job
  const [from, to] = [startOfPart(job, i), row.ends[i]! + 1]
  const channels = [row.tokens, row.slots, row.flags].map(channel => Int32Array.from(channel.slice(from, to)))
  const step = row.steps[stepOfPart(job, i)]
  const parts = step === undefined ? channels : [...channels, features[step.index]!]
  return (
    `${step === undefined ? 'context' : 'step'} ${to - from} ` +
    parts
      .map(({ buffer, byteOffset, byteLength }) =>
        Buffer.from(buffer, byteOffset, byteLength).toString('latin1'),
      )
      .join('')
  )
}

interface Waiting<T extends Job> {
  readonly job: T
  readonly keys: readonly string[]
  /** Tokens that were known when it last waited. */
  readonly past: number
}

/** Beginnings that are computed in this wave, by their keys. */
interface Claim extends Map<string, Claim> {}

/** Tokens that `claims` cover of a row's parts after the first `known`. */
function shared({ job, keys }: Waiting<Job>, known: number, claims: Claim): number {
  let at = claims
  let covered = known
  for (const [i, key] of keys.entries()) {
    const next = at.get(key)
    if (next === undefined) break
    at = next
    covered = Math.max(covered, i + 1)
  }
  return startOfPart(job, covered) - startOfPart(job, known)
}

function claim(keys: readonly string[], claims: Claim): void {
  let at = claims
  for (const key of keys) {
    const next = at.get(key) ?? new Map()
    at.set(key, next)
    at = next
  }
}

/**
 * The runs that score all the jobs, each to be run before the next is asked for: what it computes may be known to later ones. Rows of
 * which all is known make runs of their own, of length 0. Without a cache all rows run whole.
 *
 * @param maxTokens see `packRuns`
 */
export function* planRuns<T extends Job>(
  jobs: readonly T[],
  cache: PrefixCache<Kept> | null,
  maxTokens: number,
): Generator<Planned<T>[], void> {
  let waiting: Waiting<T>[] = jobs.map(job => ({
    job,
    keys: cache === null ? [] : job.row.ends.map((_, i) => keyOf(job, i)),
    past: -1,
  }))
  while (waiting.length > 0) {
    const claims: Claim = new Map()
    const now: Planned<T>[] = []
    const later: Waiting<T>[] = []
    for (const row of waiting) {
      const { job, keys } = row
      const known = cache?.find(keys) ?? []
      const past = startOfPart(job, known.length)
      // Who waited in vain does not wait again: what it waited for may have been forgotten at once.
      if (past > row.past && shared(row, known.length, claims) >= WORTH_WAITING)
        later.push({ job, keys, past })
      else {
        claim(keys, claims)
        now.push({ job, keys, known, past, length: job.row.tokens.length - past })
      }
    }
    yield* packRuns(now, maxTokens)
    waiting = later
  }
}
