// One HTTP call to a model endpoint: deadlines, size cap, and every failure as an error code. Knows no chat format, no retry.
import { AppError, type ErrorCode } from '../errors.ts'
import { inSpan, traceHeaders } from '../tracing.ts'
import { type BodyReader, createJsonReader, Unreadable } from './body-reader.ts'
import { createDeadlines } from './deadlines.ts'
import type { Exchange, HttpAnswer } from './exchange.ts'
import { parseRetryAfter } from './retry-after.ts'
import { createTurns } from './turns.ts'

export interface Target {
  /** For messages. The address itself never appears in one: it may be internal. */
  readonly name: string
  readonly url: URL
  readonly apiKey: string | undefined
  /** Until there is a connection, where a new one is needed. */
  readonly connectTimeoutMs: number
  /** From the start until the model begins to write, where that can be seen: in a stream. */
  readonly firstTokenTimeoutMs: number
  /** For the whole call, from connect to the last byte. */
  readonly timeoutMs: number
  /** Of the decoded body, so that a compressed bomb counts at its full size. */
  readonly maxResponseBytes: number
  readonly exchange: Exchange
  /** Unix milliseconds, to read a `Retry-After` date. */
  readonly now: () => number
}

/** `status` is null when no HTTP status was seen. */
export type Outcome =
  | { readonly ok: true; readonly body: unknown }
  | {
      readonly ok: false
      readonly status: number | null
      readonly error: AppError
      /** The body as far as it came, where its reader can make use of a part. */
      readonly partial?: unknown
      /** What the endpoint says of a form that it rejects: to be searched for names of fields, never shown or logged. */
      readonly said?: string
    }

/** What is made of an answer, and the calls that follow on it, take longer than to receive it. */
const turn = createTurns()

interface Reading {
  /** A reader for this one answer. Default: of JSON. */
  readonly reader?: BodyReader | undefined
  /** True for a stream: its first token has a deadline. */
  readonly isStream?: boolean
}

/**
 * Posts JSON and reads the answer. A failure of the endpoint is a value; an abort of `signal` rejects with its reason at once and
 * closes the connection. Redirects are not followed: they would lead past the URL guard.
 * No error carries a cause: a cause may hold the upstream's bytes (HTTP parser errors do) or header values.
 */
export function postJson(
  target: Target,
  payload: unknown,
  signal: AbortSignal,
  reading: Reading = {},
): Promise<Outcome> {
  const facts = { 'spar.upstream': target.name, 'http.request.method': 'POST' }
  return inSpan(
    'upstream call',
    facts,
    async span => {
      const outcome = await post(target, payload, signal, reading)
      const status = outcome.ok ? 200 : outcome.status
      span.add({
        ...(status !== null && { 'http.response.status_code': status }),
        ...(!outcome.ok && { 'error.type': outcome.error.code }),
      })
      return outcome
    },
    'client',
  )
}

async function post(
  target: Target,
  payload: unknown,
  signal: AbortSignal,
  { reader = createJsonReader(), isStream = false }: Reading,
): Promise<Outcome> {
  signal.throwIfAborted()
  const call = new AbortController()
  const onAbort = () => call.abort(signal.reason)
  signal.addEventListener('abort', onAbort, { once: true })
  const deadlines = createDeadlines(target, isStream, () => call.abort())
  let answer: HttpAnswer | undefined
  try {
    const message = {
      headers: { ...headersFor(target.apiKey, isStream), ...traceHeaders() },
      body: JSON.stringify(payload),
      connectTimeoutMs: target.connectTimeoutMs,
    }
    answer = await target.exchange(target.url, message, call.signal)
    if (answer.status < 200 || answer.status > 299) {
      const said = await readRejection(answer, deadlines.hear)
      signal.throwIfAborted()
      return { ...refusal(target, answer), said }
    }
    await readBody(target, answer, reader, deadlines.hear)
    await turn()
    signal.throwIfAborted()
    return { ok: true, body: reader.end() }
  } catch (error) {
    if (signal.aborted) throw signal.reason
    if (reader.complete) return { ok: true, body: reader.partial() }
    return { ...failureOf(target, error, answer, deadlines.passed()), partial: reader.partial() }
  } finally {
    deadlines.clear()
    signal.removeEventListener('abort', onAbort)
    answer?.discard()
  }
}

/** Leaves what is not wanted unread, and closes the connection then. */
function readBody(
  { maxResponseBytes }: Target,
  answer: HttpAnswer,
  reader: BodyReader,
  hear: (reader: BodyReader) => void,
): Promise<void> {
  let bytes = 0
  return answer.read(chunk => {
    bytes += chunk.byteLength
    if (bytes > maxResponseBytes) throw new Unreadable(`more than ${maxResponseBytes} bytes`)
    if (reader.push(chunk)) return true
    hear(reader)
    return false
  })
}

/** Longer explanations are none. */
const MAX_REJECTION_BYTES = 16 * 1024

/** What is said of a form that is rejected; '' for any other refusal, and of what does not come soon as much as came. */
async function readRejection(
  { status, read }: HttpAnswer,
  hear: (reader: Pick<BodyReader, 'begun' | 'complete'>) => void,
): Promise<string> {
  if (status !== 400 && status !== 422) return ''
  // All that must be known is here: the rest is waited for only a little.
  hear({ begun: true, complete: true })
  const decoder = new TextDecoder()
  let text = ''
  let bytes = 0
  const take = (chunk: Uint8Array) => {
    text += decoder.decode(chunk.subarray(0, MAX_REJECTION_BYTES - bytes), { stream: true })
    bytes += chunk.byteLength
    return bytes >= MAX_REJECTION_BYTES
  }
  await read(take).catch(() => {})
  return text
}

/** True when `key` can stand in an HTTP header: a header that cannot be sent would be an error of its own, late. */
export function isHeaderSafe(key: string): boolean {
  return /^[\x21-\x7e]+$/.test(key)
}

function headersFor(apiKey: string | undefined, isStream: boolean): Record<string, string> {
  const accept = isStream ? 'text/event-stream, application/json' : 'application/json'
  const headers = { 'content-type': 'application/json', accept, 'user-agent': 'spar' }
  return apiKey === undefined ? headers : { ...headers, authorization: `Bearer ${apiKey}` }
}

type Failure = Extract<Outcome, { ok: false }>

function fail(code: ErrorCode, message: string, status: number | null = null, retryAfterS?: number): Failure {
  const error = new AppError(code, message, retryAfterS === undefined ? {} : { retryAfterS })
  return { ok: false, status, error }
}

function refusal(target: Target, { status, header }: HttpAnswer): Failure {
  const retryAfterS = parseRetryAfter(header('retry-after'), target.now())
  const who = `The LLM "${target.name}"`
  if (status === 429)
    return fail('LLM_RATE_LIMITED', `${who} is limiting its rate (HTTP 429).`, status, retryAfterS)
  if (status === 408) return fail('LLM_TIMEOUT', `${who} gave up waiting (HTTP 408).`, status)
  if (status >= 500) return fail('LLM_ERROR', `${who} failed (HTTP ${status}).`, status, retryAfterS)
  if (status >= 400)
    return fail('LLM_REFUSED', `${who} refused the request (HTTP ${status}${hint(status)}).`, status)
  if (status >= 300) {
    const message = `${who} answered with a redirect (HTTP ${status}), which is not followed; give its final address.`
    return fail('LLM_REFUSED', message, status)
  }
  return fail('LLM_BAD_RESPONSE', `${who} answered HTTP ${status} where 200 was expected.`, status)
}

function hint(status: number): string {
  if (status === 401 || status === 403) return ': check its key'
  if (status === 404) return ': check its address and model'
  return ''
}

function failureOf(
  target: Target,
  error: unknown,
  answer: HttpAnswer | undefined,
  passed: 'first token' | 'call' | null,
): Failure {
  const who = `The LLM "${target.name}"`
  if (error instanceof Unreadable) return fail('LLM_BAD_RESPONSE', `${who} sent ${error.message}.`, 200)
  if (passed === 'call')
    return fail('LLM_TIMEOUT', `${who} did not answer within ${target.timeoutMs / 1000} s.`)
  if (passed === 'first token')
    return fail('LLM_TIMEOUT', `${who} wrote nothing within ${target.firstTokenTimeoutMs / 1000} s.`)
  return answer === undefined ? unreachable(who, error) : interrupted(who, error)
}

function unreachable(who: string, error: unknown): Failure {
  // Of the look-up: an address that must not be connected to.
  if (error instanceof AppError) return { ok: false, status: null, error }
  const code = errorCode(error)
  // Codes of Node's HTTP parser.
  if (code?.startsWith('HPE_')) return fail('LLM_BAD_RESPONSE', `${who} does not answer in valid HTTP.`)
  return fail('LLM_UNREACHABLE', `${who} could not be reached${code ? ` (${code})` : ''}.`)
}

/** The body broke off: the tokens are spent, so this is an unreadable answer and not an unreachable endpoint. */
function interrupted(who: string, error: unknown): Failure {
  const code = errorCode(error)
  const message = `${who} broke off in the middle of its answer${code ? ` (${code})` : ''}.`
  return fail('LLM_BAD_RESPONSE', message, 200)
}

/** The code of a network error, and only if it looks like one. */
function errorCode(error: unknown): string | undefined {
  const code = error instanceof Error && 'code' in error ? error.code : undefined
  return typeof code === 'string' && /^[A-Z][A-Z0-9_]{1,60}$/.test(code) ? code : undefined
}
