// Lookahead: how good is a step, seen from some greedy steps later (research/algorithms.md, b6). Knows no tree and no policy.
import { proposeStep } from './extend.ts'
import type { MethodContext } from './method.ts'

export interface PathToLookAhead {
  /** Logical indices of the call that gave its last step; the calls from here on add one index to it. */
  readonly place: readonly number[]
  readonly steps: readonly string[]
}

/**
 * Takes up to `lookahead` further steps behind each path at temperature 0 and judges them. The steps themselves are dropped:
 * only their scores serve. All paths take a step in the same round, so that the budget is spent in an order latencies
 * cannot change.
 *
 * @returns scores of the steps ahead, one list per path; shorter or empty where a path ended or a call did
 * @throws what `Calls.propose` and `Calls.judge` throw
 */
export async function lookAhead(
  context: MethodContext,
  paths: readonly PathToLookAhead[],
): Promise<(number | null)[][]> {
  const { calls, params } = context
  const longer = paths.map(({ steps }) => steps)
  let going = [...paths.keys()]
  for (let round = 0; round < params.lookahead; round++) {
    going = going.filter(i => longer[i]!.length < params.max_steps)
    const drafts = await Promise.all(
      going.map(i => {
        const place = [...paths[i]!.place, round]
        return proposeStep(context, { place, steps: longer[i]!, temperature: 0 })
      }),
    )
    going = going.filter((i, g) => {
      const draft = drafts[g]!
      if (draft.kind !== 'text') return false
      longer[i] = draft.path
      return !draft.ended
    })
  }
  const fresh = longer.map((steps, i) => (steps.length > paths[i]!.steps.length ? steps : []))
  const judged = await calls.judge(fresh)
  return judged.map((scores, i) => scores.slice(paths[i]!.steps.length))
}
