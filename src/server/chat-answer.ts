// Words the answer of a search as a chat completion, whole or in chunks. Knows no HTTP.
import type { components } from './api.d.ts'

type Schemas = components['schemas']
type SearchAnswer = Schemas['SearchAnswer']

export interface ChatHead {
  /** As the client asked for it. */
  readonly model: string
  /** Unix seconds. */
  readonly created: number
}

export function wordCompletion(answer: SearchAnswer, head: ChatHead): Schemas['ChatCompletion'] {
  const message = { role: 'assistant', content: answer.solution ?? '', refusal: null } as const
  return {
    id: answer.id,
    object: 'chat.completion',
    ...head,
    choices: [{ index: 0, message, finish_reason: finishOf(answer), logprobs: null }],
    usage: usageOf(answer),
    spar: searchOf(answer),
  }
}

/** A chunk with the role, one for each line of the solution, one with the end, and one with the usage where it is wanted. */
export function* wordChunks(
  answer: SearchAnswer,
  head: ChatHead,
  withUsage: boolean,
): Generator<Schemas['ChatChunk']> {
  type Choice = Schemas['ChatChunk']['choices'][number]
  const chunk = (...choices: Choice[]): Schemas['ChatChunk'] => ({
    id: answer.id,
    object: 'chat.completion.chunk',
    ...head,
    choices,
    ...(withUsage && { usage: null }),
  })
  const choice = (delta: Choice['delta'], finish: Choice['finish_reason'] = null): Choice => ({
    index: 0,
    delta,
    finish_reason: finish,
    logprobs: null,
  })
  yield chunk(choice({ role: 'assistant', content: '' }))
  for (const content of (answer.solution ?? '').split(/(?<=\n)(?=[^\n])/))
    if (content !== '') yield chunk(choice({ content }))
  yield { ...chunk(choice({}, finishOf(answer))), spar: searchOf(answer) }
  if (withUsage) yield { ...chunk(), usage: usageOf(answer) }
}

function finishOf({ candidates, chosen }: SearchAnswer): Schemas['ChatFinish'] {
  return chosen !== null && candidates[chosen]!.ended ? 'stop' : 'length'
}

function usageOf({ usage }: SearchAnswer): Schemas['ChatUsage'] {
  const { prompt_tokens, completion_tokens } = usage.llm
  return { prompt_tokens, completion_tokens, total_tokens: prompt_tokens + completion_tokens }
}

function searchOf(found: SearchAnswer): Schemas['ChatSearch'] {
  const { id, critic, score, answer, method, finish_reason } = found
  return { id, critic, score, answer, method, finish_reason }
}
