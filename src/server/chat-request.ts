// Reads a chat completion request as the request of a search. Knows no HTTP and runs nothing.
import { METHOD_PARAMS, PARAMS } from '../search/params.ts'
import type { components } from './api.d.ts'
import { ChatRefusal } from './chat-error.ts'
import type { SearchAsk } from './serve-search.ts'

type Schemas = components['schemas']
type ChatRequest = Schemas['ChatRequest']
type Message = Schemas['ChatMessage']

/** The model that stands for the default upstream. */
export const SPAR_MODEL = 'spar'

export interface ChatContext {
  /** Names of the upstreams, the default one first. */
  readonly upstreams: readonly string[]
  /** Characters a problem may have. */
  readonly maxProblem: number
}

/** @throws {ChatRefusal} CHAT_UNSUPPORTED, UNKNOWN_UPSTREAM, INVALID_REQUEST */
export function toSearch(body: ChatRequest, context: ChatContext): SearchAsk {
  refuseFeatures(body)
  const { llm = llmOf(body.model, context.upstreams), params, ...options } = body.spar
  return {
    ...options,
    llm,
    problem: problemOf(body.messages, context.maxProblem),
    params: { ...sampling(body, options.method), ...params },
    // OpenAI's seeds may be negative or longer than ours.
    ...(typeof body.seed === 'number' && { seed: body.seed >>> 0 }),
  }
}

function llmOf(model: string, upstreams: readonly string[]): Schemas['LlmUpstream'] {
  const upstream = model === SPAR_MODEL ? upstreams[0] : upstreams.find(name => name === model)
  if (upstream === undefined) {
    const known = [SPAR_MODEL, ...upstreams].join(', ')
    throw new ChatRefusal('UNKNOWN_UPSTREAM', 'model', `There is no model of that name; there are: ${known}.`)
  }
  return { upstream }
}

/** OpenAI's names for parameters, where the method has them. */
function sampling(body: ChatRequest, method: Schemas['SearchMethod']): Schemas['SearchParams'] {
  const taken: readonly string[] = METHOD_PARAMS[method]
  const { temperature } = body
  const maxTokens = body.max_completion_tokens ?? body.max_tokens
  return {
    ...(typeof temperature === 'number' && taken.includes('temperature') && { temperature }),
    ...(typeof maxTokens === 'number' &&
      taken.includes('max_tokens') && { max_tokens: Math.min(maxTokens, PARAMS.max_tokens.maximum) }),
  }
}

/** Features that would change the form of the answer: to leave them out silently would be to give a wrong one. */
function refuseFeatures(body: ChatRequest): void {
  const refuse = (param: string, message: string) => {
    throw new ChatRefusal('CHAT_UNSUPPORTED', param, message)
  }
  if ((body.n ?? 1) !== 1) refuse('n', 'A search gives one answer; spar.params.n says how many it samples.')
  if (body.tools?.length) refuse('tools', 'Tools cannot be called.')
  if (body.functions?.length) refuse('functions', 'Functions cannot be called.')
  if ((body.response_format?.type ?? 'text') !== 'text')
    refuse('response_format', 'The answer is plain text.')
  if (body.modalities?.some(modality => modality !== 'text'))
    refuse('modalities', 'The answer is plain text.')
  if (body.stop?.length) refuse('stop', 'Solutions end where the language model ends them.')
  if (body.logprobs)
    refuse('logprobs', 'There are no log probabilities; spar.score has the score of the answer.')
}

/** The last user message, with what came before it put in front. */
function problemOf(messages: readonly Message[], maxLength: number): string {
  const texts = messages.map(textOf)
  const last = messages.length - 1
  const blame = `messages[${last}]`
  if (messages[last]!.role !== 'user')
    throw new ChatRefusal('CHAT_UNSUPPORTED', blame, 'The last message must be the problem, from the user.')
  if (texts[last]!.trim() === '') throw new ChatRefusal('INVALID_REQUEST', blame, 'The problem is blank.')
  const said = messages.map(({ role }, i) => ({ role, text: texts[i]! })).filter(({ text }) => text !== '')
  const rules = said.filter(({ role }) => isRule(role)).map(({ text }) => text)
  const turns = said.filter(({ role }) => !isRule(role))
  const talk =
    turns.length === 1 ? [turns[0]!.text] : turns.map(({ role, text }) => `${SPEAKERS[role]}: ${text}`)
  const problem = [...rules, ...talk].join('\n\n')
  if ([...problem].length > maxLength) {
    const limit = maxLength.toLocaleString('en-US')
    throw new ChatRefusal('INVALID_REQUEST', 'messages', `They may have ${limit} characters together.`)
  }
  return problem
}

const SPEAKERS: Readonly<Partial<Record<Message['role'], string>>> = { user: 'User', assistant: 'Assistant' }

function isRule(role: Message['role']): boolean {
  return role === 'system' || role === 'developer'
}

function textOf({ role, content, tool_calls: toolCalls }: Message, index: number): string {
  const refuse = (param: string, message: string): never => {
    throw new ChatRefusal('CHAT_UNSUPPORTED', `messages[${index}]${param}`, message)
  }
  if (role === 'tool' || role === 'function') return refuse('', 'Tools cannot be called.')
  if (toolCalls?.length) return refuse('.tool_calls', 'Tools cannot be called.')
  if (typeof content === 'string') return content
  const parts = (content ?? []).map(({ type, text }, i) =>
    type === 'text' && text !== undefined ? text : refuse(`.content[${i}]`, 'Only text can be searched.'),
  )
  return parts.join('\n')
}
