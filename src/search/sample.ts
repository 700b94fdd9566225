// One whole solution: sampled, split, judged. Knows no choice; best-of-N and the guard without continuation are made of it.
import { type Entry, toEntry } from './candidate.ts'
import type { MethodContext } from './method.ts'
import type { SearchEvent } from './types.ts'

export interface WholeSample {
  /** Logical indices of the call, unique within the search. */
  readonly place: readonly number[]
  /** Number its events carry. */
  readonly branch: number
  readonly temperature: number
}

/** `stopped`: budget or deadline is over. `failed`: the LLM threw. */
export type Sampled =
  | { readonly kind: 'sampled'; readonly entry: Entry }
  | { readonly kind: 'stopped' | 'failed' }

/**
 * Samples one solution from scratch and scores its steps.
 * @throws what `Calls.propose` and `Calls.judge` throw
 */
export async function sampleWhole(context: MethodContext, sample: WholeSample): Promise<Sampled> {
  const { calls, params, world } = context
  const { place, branch, temperature } = sample
  const ask = { steps: [], until: 'end', temperature, maxTokens: params.max_tokens } as const
  const outcome = await calls.propose(place, ask)
  if (outcome.kind !== 'proposal') return outcome
  const { text: solution, ended } = outcome.proposal
  const steps = world.split(solution)
  const [scores] = await calls.judge([steps])
  return { kind: 'sampled', entry: toEntry({ branch, solution, steps, scores: scores!, ended }, context) }
}

/** The events of a whole solution's steps. */
export function* stepEvents({ branch, candidate }: Entry): Generator<SearchEvent> {
  for (const [index, text] of candidate.steps.entries()) yield { type: 'step', branch, index, text }
  yield { type: 'score', branch, index: 0, scores: candidate.scores }
}
