// Whole solutions: sampled, split, judged, one or many. Best-of-N, revision and auto are made of it.
import { arrivals } from './arrivals.ts'
import { type BestWatch, type Entry, toEntry } from './candidate.ts'
import { ballotsToDecide } from './decide.ts'
import type { MethodContext } from './method.ts'
import type { Choose } from './pick.ts'
import type { Aim, SearchEvent } from './types.ts'

export interface WholeSample {
  /** Logical indices of the call, unique within the search. */
  readonly place: readonly number[]
  /** Number its events carry. */
  readonly branch: number
  readonly temperature: number
  /** Steps to go on from and their scores, of the same length; left out for a solution from scratch. */
  readonly kept?: { readonly steps: readonly string[]; readonly scores: readonly (number | null)[] }
  readonly aim?: Aim | undefined
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
  const { place, branch, temperature, kept = NOTHING_KEPT, aim } = sample
  const ask = { steps: kept.steps, until: 'end', temperature, maxTokens: params.max_tokens } as const
  const outcome = await calls.propose(place, { ...ask, ...(aim && { aim }) })
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

export interface Samples {
  /** Number of the first; it makes the place of its call, and the number its events carry. */
  readonly first: number
  readonly count: number
  /** Takes what comes, in the order of numbers. */
  readonly entries: Entry[]
  readonly watchBest: BestWatch
}

/** Takes solutions as they come in, and tells of them. */
export async function* takeSamples(
  work: readonly Promise<Sampled>[],
  { entries, watchBest }: Pick<Samples, 'entries' | 'watchBest'>,
): AsyncGenerator<SearchEvent> {
  for await (const { value: sampled } of arrivals(work)) {
    if (sampled.kind !== 'sampled') continue
    const { entry } = sampled
    // Ties go to the first, and first means the number of the sample: latencies must not decide.
    const later = entries.findIndex(({ branch }) => branch > entry.branch)
    entries.splice(later === -1 ? entries.length : later, 0, entry)
    yield* stepEvents(entry)
    yield { type: 'candidate', branch: entry.branch, candidate: entry.candidate }
    yield* watchBest(entries)
  }
}

/** Samples `count` solutions from scratch, all at once. */
export async function* sampleMany(
  context: MethodContext,
  { first, count, ...taken }: Samples,
): AsyncGenerator<SearchEvent> {
  const { temperature } = context.params
  const work = Array.from({ length: count }, (_, i) =>
    sampleWhole(context, { place: [first + i], branch: first + i, temperature }),
  )
  yield* takeSamples(work, taken)
}

/**
 * Samples on from number `first` to `n`, and stops once no further sample can change the winning answer. Each wave is as large
 * as it takes to decide the vote: no sample is drawn that could have been spared, and none waits without need.
 */
export async function* sampleToVote(
  context: MethodContext,
  { first, choose, entries, watchBest }: Omit<Samples, 'count'> & { readonly choose: Choose },
): AsyncGenerator<SearchEvent> {
  let next = first
  for (;;) {
    const count = ballotsToDecide(choose, entries, context.params.n - next)
    if (count === 0) return
    yield* sampleMany(context, { first: next, count, entries, watchBest })
    next += count
  }
}
