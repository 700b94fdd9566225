// One chat completion, streamed or not: the optional fields that an endpoint is asked with, what it refuses of them, and what it has
// written when it breaks off. Knows no solution.
import type { AppError } from '../errors.ts'
import { type ChatStream, createChatStream } from './chat-stream.ts'
import { type Completion, mostCharsOf, readCompletion, usageOfPart } from './completion.ts'
import { rejectsTheForm } from './continuation.ts'
import type { Gate } from './gate.ts'
import type { Extra, Manners, Usual } from './manners.ts'
import { type Outcome, postJson, type Target } from './post.ts'
import type { ChatPrompt } from './prompt.ts'
import { type RetryPolicy, withRetries } from './retry.ts'
import { SpentError } from './spent.ts'

export interface ChatCall {
  readonly prompt: ChatPrompt
  /** Of the request's body, without what is asked for here. */
  readonly payload: { readonly [field in Usual]?: unknown } & { readonly model: string }
  readonly maxTokens: number
  readonly wantsLogprobs: boolean
  readonly wantsStream: boolean
  /** As in chat-stream.ts. */
  readonly isEnough: (piece: string, text: string) => boolean
}

/** `status` as in post.ts; `stops`: whether the stop sequence was sent and taken. */
export type Called =
  | { readonly ok: true; readonly completion: Completion; readonly stops: boolean }
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

/** Fields that are left out where they are refused, and the name that goes in place of another one. */
const INSTEAD: Readonly<Record<Usual, string | null>> = {
  seed: null,
  temperature: null,
  stop: null,
  max_tokens: 'max_completion_tokens',
}
const USUAL = Object.keys(INSTEAD) as readonly Usual[]

type Field = Usual | Extra

const isExtra = (field: Field | undefined): field is Extra =>
  field !== undefined && Object.hasOwn(FIELDS, field)

/**
 * Calls with every field that is wanted and not known to be refused. When the form of the request is rejected, it is asked again without
 * the field that the endpoint names, or, where it names none, with one extra less; the one without which it then works is not sent any more.
 * @throws {AppError} LLM_BAD_RESPONSE for a body that cannot be read; an abort rejects with the signal's reason
 */
export async function callChat(line: Line, call: ChatCall, signal: AbortSignal): Promise<Called> {
  const { manners, target } = line
  const wanted: Field[] = [
    ...USUAL.filter(field => call.payload[field] !== undefined),
    ...(call.wantsLogprobs ? (['logprobs'] as const) : []),
    ...(call.wantsStream && !manners.refuses.has('stream') ? (['stream', 'stream_options'] as const) : []),
  ]
  let fields = wanted.filter(field => !manners.refuses.has(field))
  const blamed = new Set<Field>()
  let left: Extra | undefined
  for (;;) {
    const { outcome, stream } = await callWith(line, call, fields, signal)
    if (!outcome.ok && rejectsTheForm(outcome.status)) {
      const named = namedIn(outcome.said ?? '', fields)
      const last = fields.at(-1)
      if (named !== undefined) blamed.add(named)
      else if (isExtra(last)) left = last
      else return outcome
      const dropped = named ?? left
      fields = fields.filter(
        field => field !== dropped && !(dropped === 'stream' && field === 'stream_options'),
      )
      continue
    }
    if (!outcome.ok) return { ...outcome, error: withUsage(outcome, call) }
    // Kept only once it has worked: what was rejected may be something else.
    for (const field of blamed) manners.refuses.add(field)
    if (left !== undefined) manners.refuses.add(left)
    if (stream?.isPlain) manners.refuses.add('stream')
    const asked = { name: target.name, messages: call.prompt.messages, maxTokens: call.maxTokens }
    const read = readCompletion(outcome.body, asked)
    const completion = stream?.hadEnough ? ({ ...read, stoppedBy: 'enough' } as const) : read
    return { ok: true, completion, stops: fields.includes('stop') }
  }
}

/** The first of `fields` that an endpoint names in what it says of a rejected request; none where it repeats the request. */
function namedIn(said: string, fields: readonly Field[]): Field | undefined {
  if (/"messages\\*"\s*:/.test(said)) return undefined
  return fields.find(field => new RegExp(`(?<!\\w)${field}(?!\\w)`).test(said))
}

async function callWith(
  { target, gate, retry }: Line,
  { payload, prompt, maxTokens, isEnough }: ChatCall,
  fields: readonly Field[],
  signal: AbortSignal,
): Promise<{ outcome: Outcome; stream: ChatStream | undefined }> {
  const isStream = fields.includes('stream')
  const body: Record<string, unknown> = { ...payload, ...prompt }
  for (const field of USUAL) {
    if (fields.includes(field)) continue
    const name = INSTEAD[field]
    if (name !== null && body[field] !== undefined) body[name] = body[field]
    delete body[field]
  }
  Object.assign(body, ...fields.filter(isExtra).map(extra => FIELDS[extra]))
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
