// One HTTP call to a model endpoint: deadline, size cap, and every failure as an error code. Knows no chat format, no retry.
import { AppError, type ErrorCode } from '../errors.ts'
import { inSpan, traceHeaders } from '../tracing.ts'
import type { Exchange, HttpAnswer } from './exchange.ts'
import { parseRetryAfter } from './retry-after.ts'

export interface Target {
  /** For messages. The address itself never appears in one: it may be internal. */
  readonly name: string
  readonly url: URL
  readonly apiKey: string | undefined
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
  | { readonly ok: false; readonly status: number | null; readonly error: AppError }

/**
 * Posts JSON and reads JSON. A failure of the endpoint is a value; an abort of `signal` rejects with its reason at once and
 * closes the connection. Redirects are not followed: they would lead past the URL guard.
 * No error carries a cause: a cause may hold the upstream's bytes (HTTP parser errors do) or header values.
 */
export function postJson(target: Target, payload: unknown, signal: AbortSignal): Promise<Outcome> {
  const facts = { 'spar.upstream': target.name, 'http.request.method': 'POST' }
  return inSpan(
    'upstream call',
    facts,
    async span => {
      const outcome = await post(target, payload, signal)
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

async function post(target: Target, payload: unknown, signal: AbortSignal): Promise<Outcome> {
  signal.throwIfAborted()
  const call = new AbortController()
  const onAbort = () => call.abort(signal.reason)
  signal.addEventListener('abort', onAbort, { once: true })
  let timedOut = false
  const timer = setTimeout(() => {
    timedOut = true
    call.abort()
  }, target.timeoutMs)
  let answer: HttpAnswer | undefined
  try {
    const message = {
      headers: { ...headersFor(target.apiKey), ...traceHeaders() },
      body: JSON.stringify(payload),
    }
    answer = await target.exchange(target.url, message, call.signal)
    if (answer.status < 200 || answer.status > 299) return refusal(target, answer)
    return await readJson(target, answer)
  } catch (error) {
    if (signal.aborted) throw signal.reason
    if (timedOut) return timeout(target)
    return answer === undefined ? unreachable(target, error) : interrupted(target, error)
  } finally {
    clearTimeout(timer)
    signal.removeEventListener('abort', onAbort)
    answer?.discard()
  }
}

/** True when `key` can stand in an HTTP header: a header that cannot be sent would be an error of its own, late. */
export function isHeaderSafe(key: string): boolean {
  return /^[\x21-\x7e]+$/.test(key)
}

function headersFor(apiKey: string | undefined): Record<string, string> {
  const headers = { 'content-type': 'application/json', accept: 'application/json', 'user-agent': 'spar' }
  return apiKey === undefined ? headers : { ...headers, authorization: `Bearer ${apiKey}` }
}

function fail(code: ErrorCode, message: string, status: number | null = null, retryAfterS?: number): Outcome {
  const error = new AppError(code, message, retryAfterS === undefined ? {} : { retryAfterS })
  return { ok: false, status, error }
}

function refusal(target: Target, { status, header }: HttpAnswer): Outcome {
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

async function readJson(target: Target, answer: HttpAnswer): Promise<Outcome> {
  const who = `The LLM "${target.name}"`
  const text = await readText(answer, target.maxResponseBytes)
  if (text === null) {
    return fail('LLM_BAD_RESPONSE', `${who} sent more than ${target.maxResponseBytes} bytes.`, 200)
  }
  try {
    return { ok: true, body: JSON.parse(text) }
  } catch {
    const what = /^\s*</.test(text) ? 'a web page' : 'something'
    return fail('LLM_BAD_RESPONSE', `${who} sent ${what} that is not JSON.`, 200)
  }
}

/** Null when the body is larger than `maxBytes`; reading stops there and the connection is closed. */
async function readText(answer: HttpAnswer, maxBytes: number): Promise<string | null> {
  const decoder = new TextDecoder()
  let bytes = 0
  let text = ''
  for await (const chunk of answer.body) {
    bytes += chunk.byteLength
    if (bytes > maxBytes) return null
    text += decoder.decode(chunk, { stream: true })
  }
  return text + decoder.decode()
}

function timeout(target: Target): Outcome {
  return fail('LLM_TIMEOUT', `The LLM "${target.name}" did not answer within ${target.timeoutMs / 1000} s.`)
}

function unreachable(target: Target, error: unknown): Outcome {
  // Of the look-up: an address that must not be connected to.
  if (error instanceof AppError) return { ok: false, status: null, error }
  const code = errorCode(error)
  const who = `The LLM "${target.name}"`
  // Codes of Node's HTTP parser.
  if (code?.startsWith('HPE_')) return fail('LLM_BAD_RESPONSE', `${who} does not answer in valid HTTP.`)
  return fail('LLM_UNREACHABLE', `${who} could not be reached${code ? ` (${code})` : ''}.`)
}

/** The body broke off: the tokens are spent, so this is an unreadable answer and not an unreachable endpoint. */
function interrupted(target: Target, error: unknown): Outcome {
  const code = errorCode(error)
  const message = `The LLM "${target.name}" broke off in the middle of its answer${code ? ` (${code})` : ''}.`
  return fail('LLM_BAD_RESPONSE', message, 200)
}

/** The code of a network error, and only if it looks like one. */
function errorCode(error: unknown): string | undefined {
  const code = error instanceof Error && 'code' in error ? error.code : undefined
  return typeof code === 'string' && /^[A-Z][A-Z0-9_]{1,60}$/.test(code) ? code : undefined
}
