// Reads the body of a chat completion: text, how it ended, usage. Trusts nothing in it. Knows no HTTP.
import { AppError } from '../errors.ts'
import { field } from './field.ts'
import type { ChatMessage } from './prompt.ts'
import type { LlmUsage } from './types.ts'

export interface Completion {
  readonly text: string
  /** True when it was cut by `max_tokens`. */
  readonly cutByLength: boolean
  /**
   * What ended it, where the endpoint tells the two kinds of `stop` apart (vLLM's `stop_reason`); else unknown. `enough`: it was left
   * while it wrote on behind what was asked for.
   */
  readonly stoppedBy: 'stop_sequence' | 'end_of_text' | 'enough' | 'unknown'
  readonly usage: LlmUsage
  /** Mean of the tokens' log-probabilities, at most 0; null where there are none that can be read. */
  readonly meanLogprob: number | null
}

/** A token has about four characters; one of blanks may have a hundred. */
const MOST_CHARS_PER_TOKEN = 32
const MOST_CHARS_BESIDE = 1024

/** Characters that so many tokens can have, generously: what an endpoint writes beyond that is not read. */
export const mostCharsOf = (maxTokens: number): number => MOST_CHARS_BESIDE + MOST_CHARS_PER_TOKEN * maxTokens

/** What was asked for. */
interface Asked {
  /** Of the endpoint, for messages. */
  readonly name: string
  readonly messages: readonly ChatMessage[]
  readonly maxTokens: number
}

/**
 * The first choice of a chat completion body. A text longer than `maxTokens` can be is cut: everything behind this costs time by the
 * character.
 * @throws {AppError} LLM_BAD_RESPONSE when there is no choice or no text in it.
 */
export function readCompletion(body: unknown, { name, messages, maxTokens }: Asked): Completion {
  const choices = field(body, 'choices')
  const choice: unknown = Array.isArray(choices) ? choices[0] : undefined
  if (typeof choice !== 'object' || choice === null) {
    const isError = typeof field(body, 'error') === 'object' && field(body, 'error') !== null
    throw bad(name, isError ? 'sent an error in the place of an answer' : 'sent an answer without choices')
  }
  const message = field(choice, 'message')
  const finish = field(choice, 'finish_reason')
  const written = readContent(message, finish === 'length')
  if (written === null) throw bad(name, 'sent an answer without text')
  const mostChars = mostCharsOf(maxTokens)
  const cutByLength = finish === 'length' || written.length > mostChars
  const text = written.length > mostChars ? copyOf(written.slice(0, mostChars)) : written
  return {
    text,
    cutByLength,
    stoppedBy: readStop(choice, cutByLength),
    usage: readUsage(field(body, 'usage'), messages, written),
    meanLogprob: readMeanLogprob(field(choice, 'logprobs')),
  }
}

function bad(name: string, what: string): AppError {
  return new AppError('LLM_BAD_RESPONSE', `The LLM "${name}" ${what}.`)
}

/** A text of its own: a slice would keep all that it was cut from in memory, for as long as a search is remembered. */
function copyOf(text: string): string {
  return Buffer.from(text).toString()
}

function readContent(message: unknown, cutByLength: boolean): string | null {
  const content = field(message, 'content')
  if (typeof content === 'string') return content
  // Some endpoints answer in parts; only text can be part of a solution.
  if (Array.isArray(content)) {
    const texts = content.map(part => field(part, 'text')).filter(part => typeof part === 'string')
    return texts.length > 0 ? texts.join('') : null
  }
  // A reasoning model that was cut before it began to answer has thoughts and no content: that is an empty answer.
  const thought = field(message, 'reasoning_content') ?? field(message, 'reasoning')
  return content === null && (cutByLength || typeof thought === 'string') ? '' : null
}

function readStop(choice: object, cutByLength: boolean) {
  if (cutByLength || !Object.hasOwn(choice, 'stop_reason')) return 'unknown'
  return typeof field(choice, 'stop_reason') === 'string' ? 'stop_sequence' : 'end_of_text'
}

function readMeanLogprob(logprobs: unknown): number | null {
  const tokens = field(logprobs, 'content')
  if (!Array.isArray(tokens) || tokens.length === 0) return null
  // Some endpoints round probabilities, so that a logarithm comes out a hair above 0.
  const each = tokens.map(token => Math.min(Number(field(token, 'logprob') ?? Number.NaN), 0))
  const mean = each.reduce((sum, logprob) => sum + logprob, 0) / each.length
  return Number.isFinite(mean) ? mean : null
}

function readUsage(usage: unknown, messages: readonly ChatMessage[], text: string): LlmUsage {
  const prompt = field(usage, 'prompt_tokens')
  const completion = field(usage, 'completion_tokens')
  // Zero completion tokens for a text that is there is a counter that does not count.
  if (isCount(prompt) && isCount(completion) && (completion > 0 || text === '')) {
    return { calls: 1, prompt_tokens: prompt, completion_tokens: completion }
  }
  const promptChars = messages.reduce((sum, message) => sum + message.content.length, 0)
  return {
    calls: 1,
    prompt_tokens: isCount(prompt) && prompt > 0 ? prompt : estimateTokens(promptChars),
    completion_tokens: estimateTokens(text.length),
    estimated: true,
  }
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0
}

function estimateTokens(chars: number): number {
  return Math.ceil(chars / 4)
}

/** What a completion has cost that broke off, by as much of its body as came; undefined where nothing did. Marked as estimated. */
export function usageOfPart(body: unknown, messages: readonly ChatMessage[]): LlmUsage | undefined {
  const choices = field(body, 'choices')
  const text = Array.isArray(choices) ? readContent(field(choices[0], 'message'), true) : null
  return text === null ? undefined : { ...readUsage(field(body, 'usage'), messages, text), estimated: true }
}

/** Sum of the usage of two calls; estimated when either is. */
export function addUsage(a: LlmUsage, b: LlmUsage): LlmUsage {
  return {
    calls: a.calls + b.calls,
    prompt_tokens: a.prompt_tokens + b.prompt_tokens,
    completion_tokens: a.completion_tokens + b.completion_tokens,
    ...(a.estimated || b.estimated ? { estimated: true } : {}),
  }
}
