// One round of a step-wise search: several paths take one step each, all new paths are judged in one critic call.
// Knows no tree and no policy; guard, mcts, beam search and the particle filter are made of it.
import type { MethodContext } from './method.ts'

export interface PathToExtend {
  /** Logical indices of the call, unique within the search. */
  readonly place: readonly number[]
  readonly steps: readonly string[]
  readonly temperature: number
  /** Texts of this step already tried, which are not judged again; none when left out. */
  readonly known?: ReadonlySet<string>
  /** Whether the likelihood of what comes is wanted. */
  readonly logprobs?: boolean
}

/**
 * What became of a path. `end`: the steps given are the whole solution. `empty`: no text, but the solution goes on.
 * `known`: a text already tried. `stopped`: budget or deadline is over. `failed`: the LLM threw.
 */
export type Extension =
  | (Likely & {
      readonly kind: 'step'
      readonly step: string
      readonly ended: boolean
      readonly score: number | null
    })
  | (Likely & { readonly kind: 'end' })
  | { readonly kind: 'known'; readonly step: string }
  | { readonly kind: 'empty' | 'stopped' | 'failed' }

interface Likely {
  /** Geometric mean of the tokens' probabilities, in [0, 1]; null where the LLM does not tell. */
  readonly likelihood: number | null
}

/** Blank lines before and space after a step belong to the separator; indentation of its first line is its own. */
const cleanStep = (text: string) => text.replace(/^(?:[^\S\n]*\n)+/, '').trimEnd()

type Draft =
  | (Likely & {
      readonly kind: 'text'
      readonly path: readonly string[]
      readonly step: string
      readonly ended: boolean
    })
  | Exclude<Extension, { kind: 'step' }>

/** Null for what is no logarithm of a probability: an LLM may tell anything. */
function likelihoodOf(meanLogprob: number | null | undefined): number | null {
  return typeof meanLogprob === 'number' && meanLogprob <= 0 ? Math.exp(meanLogprob) : null
}

/** Proposes one step and reads what came. */
export async function proposeStep(context: MethodContext, path: PathToExtend): Promise<Draft> {
  const { place, steps, temperature, known, logprobs } = path
  const maxTokens = context.params.step_max_tokens
  const ask = { steps, until: 'step', temperature, maxTokens, ...(logprobs && { logprobs }) } as const
  const outcome = await context.calls.propose(place, ask)
  if (outcome.kind !== 'proposal') return outcome
  const { text, ended, meanLogprob } = outcome.proposal
  const step = cleanStep(text)
  const likelihood = likelihoodOf(meanLogprob)
  if (step === '') return ended ? { kind: 'end', likelihood } : { kind: 'empty' }
  if (known?.has(step)) return { kind: 'known', step }
  return { kind: 'text', path: [...steps, step], step, ended, likelihood }
}

/**
 * Extends every path by one step, concurrently, and judges what is new. Equal paths are judged once; a step keeps the score
 * it gets here, whatever the critic says of it later as part of a longer path.
 *
 * @returns one extension per path, in the order of `paths`
 * @throws what `Calls.propose` and `Calls.judge` throw
 */
export async function extend(context: MethodContext, paths: readonly PathToExtend[]): Promise<Extension[]> {
  const drafts = await Promise.all(paths.map(path => proposeStep(context, path)))
  const fresh = new Map<string, readonly string[]>()
  for (const draft of drafts) {
    if (draft.kind === 'text') fresh.set(JSON.stringify(draft.path), draft.path)
  }
  const judged = await context.calls.judge([...fresh.values()])
  const scores = new Map([...fresh.keys()].map((key, i) => [key, judged[i]!.at(-1) ?? null]))
  return drafts.map(draft => {
    if (draft.kind !== 'text') return draft
    const score = scores.get(JSON.stringify(draft.path)) ?? null
    const { step, ended, likelihood } = draft
    return { kind: 'step', step, ended, score, likelihood }
  })
}
