// One chat completion, streamed or not: the optional fields that an endpoint is asked with, what it refuses of them, and what it has
// written when it breaks off. Knows no solution.
import type { AppError } from '../errors.ts'
import { type ChatStream, createChatStream } from './chat-stream.ts'
import { type Completion, mostCharsOf, readCompletion, usageOfPart } from './completion.ts'
import { rejectsTheForm } from './continuation.ts'
import type { Gate } from './gate.ts'
import type { Extra, Manners } from './manners.ts'
import { type Outcome, postJson, type Target } from './post.ts'
import type { ChatPrompt } from './prompt.ts'
import { type RetryPolicy, withRetries } from './retry.ts'
import { SpentError } from './spent.ts'

export interface ChatCall {
  readonly prompt: ChatPrompt
  /** Of the request's body, without what is asked for here. */
  readonly payload: object
  readonly maxTokens: number
  readonly wantsLogprobs: boolean
  readonly wantsStream: boolean
  /** As in chat-stream.ts. */
  readonly isEnough: (piece: string, text: string) => boolean
}

/** `status` as in post.ts. */
export type Called =
  | { readonly ok: true; readonly completion: Completion }
  | { readonly ok: false; readonly status: number | null; readonly error: AppError }

export interface Line {
  readonly target: Target
  readonly gate: Gate
  readonly retry: RetryPolicy
  readonly manners: Manners
}

/** The fields of each extra in the request's body. */
const FIELDS: Readonly<Record<Extra, object>> = {
  logprobs: { logprobs: true },
  stream: { stream: true },
  stream_options: { stream_options: { include_usage: true } },
}

/**
 * Calls with every extra that is wanted and not known to be refused. When the form of the request is rejected, it is asked again with
 * one extra less; the one without which it then works is not asked for any more.
 * @throws {AppError} LLM_BAD_RESPONSE for a body that cannot be read; an abort rejects with the signal's reason
 */
export async function callChat(line: Line, call: ChatCall, signal: AbortSignal): Promise<Called> {
  const { manners, target } = line
  const wanted: Extra[] = [
    ...(call.wantsLogprobs ? (['logprobs'] as const) : []),
    ...(call.wantsStream && !manners.refuses.has('stream') ? (['stream', 'stream_options'] as const) : []),
  ]
  const extras = wanted.filter(extra => !manners.refuses.has(extra))
  let left: Extra | undefined
  for (;;) {
    const { outcome, stream } = await callWith(line, call, extras, signal)
    if (!outcome.ok && rejectsTheForm(outcome.status) && extras.length > 0) {
      left = extras.pop()
      continue
    }
    if (!outcome.ok) return { ...outcome, error: withUsage(outcome, call) }
    // Kept only once it has worked: what was rejected may be something else.
    if (left !== undefined) manners.refuses.add(left)
    if (stream?.isPlain) manners.refuses.add('stream')
    const asked = { name: target.name, messages: call.prompt.messages, maxTokens: call.maxTokens }
    const completion = readCompletion(outcome.body, asked)
    return { ok: true, completion: stream?.hadEnough ? { ...completion, stoppedBy: 'enough' } : completion }
  }
}

async function callWith(
  { target, gate, retry }: Line,
  { payload, prompt, maxTokens, isEnough }: ChatCall,
  extras: readonly Extra[],
  signal: AbortSignal,
): Promise<{ outcome: Outcome; stream: ChatStream | undefined }> {
  const isStream = extras.includes('stream')
  const body = Object.assign({}, payload, prompt, ...extras.map(extra => FIELDS[extra]))
  let stream: ChatStream | undefined
  const post = () => {
    stream = isStream ? createChatStream({ maxChars: mostCharsOf(maxTokens), isEnough }) : undefined
    return postJson(target, body, signal, { reader: stream, isStream })
  }
  const outcome = await gate.pass(() => withRetries(post, retry, signal, gate.takeRetry), signal)
  return { outcome, stream }
}

/** The error of a call that had begun to write carries what that has cost. */
function withUsage({ error, partial }: Extract<Outcome, { ok: false }>, { prompt }: ChatCall): AppError {
  const usage = usageOfPart(partial, prompt.messages)
  return usage === undefined ? error : new SpentError(error, usage)
}
