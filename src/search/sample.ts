// One whole solution: sampled, split, judged. Knows no choice; best-of-N and revision are made of it.
import { type Entry, toEntry } from './candidate.ts'
import type { MethodContext } from './method.ts'
import type { SearchEvent } from './types.ts'

export interface WholeSample {
  /** Logical indices of the call, unique within the search. */
  readonly place: readonly number[]
  /** Number its events carry. */
  readonly branch: number
  readonly temperature: number
  /** Steps to go on from and their scores, of the same length; left out for a solution from scratch. */
  readonly kept?: { readonly steps: readonly string[]; readonly scores: readonly (number | null)[] }
}

const NOTHING_KEPT = { steps: [], scores: [] }

/** `stopped`: budget or deadline is over. `failed`: the LLM threw. */
export type Sampled =
  | { readonly kind: 'sampled'; readonly entry: Entry }
  | { readonly kind: 'stopped' | 'failed' }

/**
 * Samples one solution, or the rest of one, and scores its new steps; those that were kept keep their scores.
 * @throws what `Calls.propose` and `Calls.judge` throw
 */
export async function sampleWhole(context: MethodContext, sample: WholeSample): Promise<Sampled> {
  const { calls, params, world } = context
  const { place, branch, temperature, kept = NOTHING_KEPT } = sample
  const ask = { steps: kept.steps, until: 'end', temperature, maxTokens: params.max_tokens } as const
  const outcome = await calls.propose(place, ask)
  if (outcome.kind !== 'proposal') return outcome
  const { text, ended } = outcome.proposal
  const fresh = world.split(text)
  const steps = [...kept.steps, ...fresh]
  const [judged] = await calls.judge([fresh.length === 0 ? [] : steps])
  const scores = [...kept.scores, ...judged!.slice(kept.steps.length)]
  const draft = { branch, steps, scores, ended }
  const isWhole = kept.steps.length === 0
  return { kind: 'sampled', entry: toEntry(isWhole ? { ...draft, solution: text } : draft, context) }
}

/** The events of a solution's steps from number `from` on. */
export function* stepEvents({ branch, candidate }: Entry, from = 0): Generator<SearchEvent> {
  const { steps, scores } = candidate
  for (let index = from; index < steps.length; index++) {
    yield { type: 'step', branch, index, text: steps[index]! }
  }
  yield { type: 'score', branch, index: from, scores: scores.slice(from) }
}
