// Packs rows into runs of a session: like lengths together, within a budget of padded tokens. Knows no model and no queue.

/** Padded tokens in one run. */
export const BATCH_TOKENS = 4096

const SHORTEST_BUCKET = 32
const BUCKETS_PER_DOUBLING = 2

/**
 * Which rows may share a run: those whose lengths differ by less than a factor of √2, so that less than 30 % of a run is
 * padding. All rows of up to 32 tokens are alike: a run costs more than their padding does.
 */
export function bucketOf(length: number): number {
  return Math.ceil(BUCKETS_PER_DOUBLING * Math.log2(Math.max(length, SHORTEST_BUCKET) / SHORTEST_BUCKET))
}

/** Tokens of a row that waits to be run. */
export const lengthOf = ({ row }: { readonly row: { readonly tokens: readonly number[] } }): number =>
  row.tokens.length

/** The rows in runs, shortest first. Rows × the longest stays within `maxTokens`, except for one row that is longer than that. */
export function packRuns<T extends Parameters<typeof lengthOf>[0]>(
  rows: readonly T[],
  maxTokens: number,
): T[][] {
  const runs: T[][] = []
  let bucket = -1
  for (const row of rows.toSorted((x, y) => lengthOf(x) - lengthOf(y))) {
    const length = lengthOf(row)
    const run = runs.at(-1)
    if (run !== undefined && bucketOf(length) === bucket && (run.length + 1) * length <= maxTokens)
      run.push(row)
    else {
      runs.push([row])
      bucket = bucketOf(length)
    }
  }
  return runs
}
