// Words a search's events and its result as the contract has them. Knows no HTTP and no method.
import { AppError } from '../errors.ts'
import type { Candidate, SearchEvent, SearchResult, Usage } from '../search/types.ts'
import type { components } from './api.d.ts'
import { verdictOf } from './verdict.ts'

type Schemas = components['schemas']
type Events = Required<Schemas['SearchEvents']>

/** An event of a streamed search: its name with its data. */
export type WordedEvent = { [Name in keyof Events]: { event: Name; data: Events[Name] } }[keyof Events]

export interface Wording {
  /** The critic's τ. */
  readonly threshold: number
  /** True when tokens of the LLM had to be estimated. */
  readonly estimated: boolean
}

/** What of an event leaves the service: fields of the contract only, and of an error only its code. */
export function wordEvent(event: SearchEvent, wording: Wording): WordedEvent {
  switch (event.type) {
    case 'plan': {
      const { branch, plan, text } = event
      return { event: 'plan', data: { branch, plan, text } }
    }
    case 'step': {
      const { branch, index, text } = event
      return { event: 'step', data: { branch, index, text } }
    }
    case 'score': {
      const { branch, index: first, scores } = event
      const steps = scores.map((score, i) => ({ index: first + i, ...wordScore(score, wording.threshold) }))
      return { event: 'score', data: { branch, steps } }
    }
    case 'candidate': {
      const { branch, candidate } = event
      return { event: 'candidate', data: { branch, candidate: wordCandidate(candidate, wording.threshold) } }
    }
    case 'prune': {
      const { branch, index, reason } = event
      return { event: 'prune', data: { branch, index, reason } }
    }
    case 'best': {
      const { branch, answer, score } = event
      return { event: 'best', data: { branch, answer, score } }
    }
    case 'usage':
      return { event: 'usage', data: wordUsage(event.usage, wording.estimated) }
    case 'failure': {
      const { failed, error } = event
      return { event: 'failure', data: { failed, code: error instanceof AppError ? error.code : 'INTERNAL' } }
    }
  }
}

/** The part of an answer that the search itself found. */
export function wordResult(result: SearchResult, { threshold, estimated }: Wording) {
  const { answer, solution, score, chosen } = result
  const candidates = result.candidates.map(candidate => wordCandidate(candidate, threshold))
  const steps = chosen === null ? [] : candidates[chosen]!.steps
  // The deadline is a budget of time: on the wire both are one.
  const finish_reason = result.finish_reason === 'complete' ? ('complete' as const) : ('budget' as const)
  const usage = wordUsage(result.usage, estimated)
  return { answer, solution, steps, score, candidates, chosen, finish_reason, usage }
}

/** The nodes of the search tree; null where the method grows none. */
export function wordTree({ tree }: SearchResult): Schemas['TreeNode'][] | null {
  if (tree === undefined) return null
  return tree.map(({ parent, depth, step, prior, visits, value_sum, score, state }) => ({
    parent,
    depth,
    step,
    prior,
    visits,
    value_sum,
    score,
    state,
  }))
}

function wordCandidate(candidate: Candidate, threshold: number): Schemas['Candidate'] {
  const { answer, solution, steps, scores, score, aggregates, ended, votes } = candidate
  return {
    answer,
    solution,
    steps: steps.map((text, index) => ({ index, text, ...wordScore(scores[index] ?? null, threshold) })),
    score,
    aggregate: aggregates,
    ended,
    ...(votes !== undefined && { votes }),
  }
}

function wordScore(score: number | null, threshold: number) {
  return { score, verdict: verdictOf(score, threshold) }
}

function wordUsage({ llm, critic }: Usage, estimated: boolean): Schemas['SearchUsage'] {
  return { llm: { ...llm, ...(estimated && { estimated }) }, critic: { ...critic } }
}
