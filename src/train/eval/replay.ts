// The recorded samples of a problem served again as an LLM would serve them, to the real search with recorded step scores for
// its critic. Knows no figure and no method by its rules.
import { setTimeout as sleep } from 'node:timers/promises'
import { canonAnswer } from '../../answer/equal.ts'
import { extractAnswer } from '../../answer/extract.ts'
import type { Aggregation } from '../../search/aggregate.ts'
import type { MethodName } from '../../search/params.ts'
import { runSearch } from '../../search/run.ts'
import type { SearchResult, World } from '../../search/types.ts'
import type { StepScores } from './judge.ts'
import type { Pool } from './pool-data.ts'

export interface ReplayedSearch {
  /** A method that samples whole solutions and nothing else. */
  readonly method: Extract<MethodName, 'best_of_n' | 'weighted_best_of_n' | 'self_consistency'>
  /** Samples: the pool's first ones, in its order; no more than it has. */
  readonly n: number
  readonly aggregation: Aggregation
  /** Step scores of each candidate; none for a search without a critic. */
  readonly scores?: readonly StepScores[]
}

/** Whether the search chose a right candidate. */
export type Replay = (search: ReplayedSearch, signal: AbortSignal) => Promise<boolean>

/**
 * Makes a pool's samples ready for any number of searches. The answer is read from the text, as in a served search; steps are
 * those of the record, for the recorded scores belong to them; whether a candidate is right is what the pool says.
 */
export function createReplay({ problem, candidates }: Pool): Replay {
  const texts = candidates.map(({ steps }) => steps.join('\n\n'))
  // Equal texts are one candidate to every critic: the first stands for all.
  const known = new Map<string, { readonly index: number; readonly answer: string | null }>()
  for (const [index, text] of texts.entries())
    if (!known.has(text)) known.set(text, { index, answer: extractAnswer(text) })
  const createWorld = (scores: readonly StepScores[] | undefined): World => {
    let served = 0
    const scoresOf = (steps: readonly string[]) => {
      const own = scores?.[known.get(steps.join('\n\n'))!.index]
      return steps.map((_, i) => own?.[i] ?? null)
    }
    return {
      propose: async () => ({
        text: texts[served++]!,
        ended: true,
        usage: { calls: 1, prompt_tokens: 0, completion_tokens: 0 },
      }),
      judge: async (_, paths) => ({ scores: paths.map(scoresOf), tokens: 0 }),
      split: text => [...candidates[known.get(text)!.index]!.steps],
      extract: text => known.get(text)!.answer,
      canon: canonAnswer,
      finding: () => null,
      verdict: () => null,
      now: () => 0,
      timeout: (ms, signal) => sleep(ms, undefined, { signal }),
    }
  }
  return async ({ method, n, aggregation, scores }, signal) => {
    const samples = Math.min(n, candidates.length)
    const params = { n: samples, concurrency: samples, aggregation }
    const request = { problem, method, params, seed: 0, threshold: 0, canContinue: false }
    const { chosen, usage } = await resultOf(runSearch(request, createWorld(scores), signal))
    if (usage.llm.calls !== samples)
      throw new Error(`${method} took ${usage.llm.calls} samples of ${samples}`)
    return chosen !== null && candidates[chosen]!.correct
  }
}

async function resultOf(search: ReturnType<typeof runSearch>): Promise<SearchResult> {
  for (;;) {
    const next = await search.next()
    if (next.done === true) return next.value
  }
}
