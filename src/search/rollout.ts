// Rollouts: how good is a path, seen from the end of a solution that goes on from it (research/algorithms.md, b8). Knows no tree
// and no policy.
import { aggregate } from './aggregate.ts'
import type { MethodContext } from './method.ts'

interface PathToRollOut {
  /** Logical indices of the call, unique within the search. */
  readonly place: readonly number[]
  readonly steps: readonly string[]
  /** length = steps.length; kept, whatever the critic says of them as part of the longer path. */
  readonly scores: readonly (number | null)[]
}

/**
 * Lets the LLM finish each path at temperature 0, in one call, and scores the whole. The solutions are dropped: only their scores
 * serve.
 *
 * @returns values in [0, 1], in the order of `paths`; null where nothing came or nothing was scored
 * @throws what `Calls.propose` and `Calls.judge` throw
 */
export async function rollOut(
  { calls, params, world }: MethodContext,
  paths: readonly PathToRollOut[],
): Promise<(number | null)[]> {
  const { max_tokens: maxTokens, aggregation } = params
  const longer = await Promise.all(
    paths.map(async ({ place, steps }) => {
      const outcome = await calls.propose(place, { steps, until: 'end', temperature: 0, maxTokens })
      const fresh = outcome.kind === 'proposal' ? world.split(outcome.proposal.text) : []
      return fresh.length === 0 ? [] : [...steps, ...fresh]
    }),
  )
  const judged = await calls.judge(longer)
  return paths.map(({ scores }, i) => {
    const ahead = judged[i]!.slice(scores.length)
    return ahead.length === 0 ? null : aggregate([...scores, ...ahead])[aggregation]
  })
}
