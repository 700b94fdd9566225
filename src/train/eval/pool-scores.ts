// Who scores the candidates of pools: the judges that are asked, and the critics whose scores came with the file. Knows no figure.
import type { StepJudge, StepScores } from './judge.ts'
import { type Pool, publishedCritics } from './pool-data.ts'

/** Numbers of candidates that a choice is made from. */
const SIZES = [4, 8, 16, 32] as const

/** The sizes that some pool fills, and always the smallest. */
export function sizesFor(pools: readonly Pool[]): number[] {
  const largest = Math.max(...pools.map(({ candidates }) => candidates.length))
  return SIZES.filter((n, i) => n <= largest || i === 0)
}

/** One critic's step scores of every candidate. */
export interface Scored {
  readonly critic: string
  /** `tested`: the first judge. `published`: its scores came with the pool. */
  readonly source: 'tested' | 'baseline' | 'published'
  readonly isProbability: boolean
  /** By pool, then by candidate. */
  readonly scores: readonly (readonly StepScores[])[]
}

/** One judge's step scores of every candidate, by pool, then by candidate; all are asked about at once. */
export async function scorePools(
  judge: StepJudge,
  pools: readonly Pool[],
  signal: AbortSignal | undefined,
): Promise<StepScores[][]> {
  const items = pools.flatMap(({ problem, candidates }) =>
    candidates.map(({ steps }) => ({ problem, steps })),
  )
  const flat = (await judge.judge(items, signal)).values()
  return pools.map(({ candidates }) => candidates.map(() => flat.next().value!))
}

/** Asks every judge, then reads what came with the pools. */
export async function scoreAll(
  pools: readonly Pool[],
  judges: readonly StepJudge[],
  signal: AbortSignal | undefined,
): Promise<Scored[]> {
  const scored: Scored[] = []
  for (const [i, judge] of judges.entries()) {
    const { name: critic, isProbability } = judge
    const scores = await scorePools(judge, pools, signal)
    scored.push({ critic, source: i === 0 ? 'tested' : 'baseline', isProbability, scores })
  }
  for (const critic of publishedCritics(pools)) {
    const scores = pools.map(({ candidates }) => candidates.map(c => c.published[critic] ?? []))
    scored.push({ critic, source: 'published', isProbability: true, scores })
  }
  return scored
}
