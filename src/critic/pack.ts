// Packs rows into runs of a session: like lengths together, within a budget of padded tokens. Knows no model and no queue.

/** Padded tokens in one run on a GPU, at most on any device. */
const LARGEST_RUN = 4096
/** Padded tokens in one run, for each core that computes it: what it works on then fits in the core's own cache. */
const CORE_RUN = 512

/** Padded tokens in one run at which a device is fastest. @param threads those of a run on a CPU */
export const fastestRun = (device: string, threads: number): number =>
  device === 'cpu' ? Math.min(LARGEST_RUN, CORE_RUN * threads) : LARGEST_RUN

const SHORTEST_BUCKET = 32
const BUCKETS_PER_DOUBLING = 2

/** How much of a row runs: `length` tokens, after `past` tokens whose keys and values are known. */
export interface Lengths {
  readonly length: number
  readonly past: number
}

/**
 * Which rows may share a run: those whose lengths differ by less than a factor of √2, so that less than 30 % of a run is
 * padding. All rows of up to 32 tokens are alike: a run costs more than their padding does. Rows of none need no run.
 */
export function bucketOf(length: number): number {
  if (length === 0) return -1
  return Math.ceil(BUCKETS_PER_DOUBLING * Math.log2(Math.max(length, SHORTEST_BUCKET) / SHORTEST_BUCKET))
}

/**
 * The rows in runs, the shortest bucket first, in it the shortest pasts. Rows × the longest stays within `maxTokens`, and so does
 * rows × the longest past, except for one row that is longer than that.
 */
export function packRuns<T extends Lengths>(rows: readonly T[], maxTokens: number): T[][] {
  const runs: T[][] = []
  let bucket = Number.NaN
  let longest = { length: 0, past: 0 }
  const sorted = rows.toSorted(
    (x, y) => bucketOf(x.length) - bucketOf(y.length) || x.past - y.past || x.length - y.length,
  )
  for (const row of sorted) {
    const run = runs.at(-1)
    const wider = { length: Math.max(longest.length, row.length), past: Math.max(longest.past, row.past) }
    const fits = run !== undefined && (run.length + 1) * Math.max(wider.length, wider.past) <= maxTokens
    if (fits && bucketOf(row.length) === bucket) {
      run.push(row)
      longest = wider
    } else {
      runs.push([row])
      bucket = bucketOf(row.length)
      longest = { length: row.length, past: row.past }
    }
  }
  return runs
}
