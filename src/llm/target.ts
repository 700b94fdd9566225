// Checks where a model endpoint is and how it is called, once, before the first call. Makes none itself.
import { AppError } from '../errors.ts'
import { type Exchange, exchange } from './exchange.ts'
import { isHeaderSafe, type Target } from './post.ts'

/** An endpoint as it is configured. What is left out has a default. */
export interface EndpointOptions {
  readonly name: string
  /** The address that `path` is appended to. */
  readonly baseUrl: string | URL
  readonly apiKey?: string | undefined
  /** Until there is a connection, where a new one is needed. Default 10,000. */
  readonly connectTimeoutMs?: number | undefined
  /** Until the first token of a streamed call. Default 30,000. */
  readonly firstTokenTimeoutMs?: number | undefined
  /** For each HTTP call. Default 60,000. */
  readonly timeoutMs?: number | undefined
  /** Default 8 MiB. */
  readonly maxResponseBytes?: number | undefined
  /** Default: over the process's own connections. */
  readonly exchange?: Exchange | undefined
  /** Unix milliseconds; reads `Retry-After` dates. */
  readonly now?: (() => number) | undefined
}

/**
 * The target of calls to `{baseUrl}{path}`; `path` begins with a slash.
 * @throws {AppError} INVALID_REQUEST when the address or the key cannot be used; never quotes either.
 */
export function readTarget(options: EndpointOptions, path: string): Target {
  const url = URL.canParse(String(options.baseUrl)) ? new URL(options.baseUrl) : null
  if (url === null || !/^https?:$/.test(url.protocol)) {
    throw new AppError(
      'INVALID_REQUEST',
      `The address of the LLM "${options.name}" is not an http or https URL.`,
    )
  }
  // node:http would send them, to wherever the address leads.
  if (url.username !== '' || url.password !== '') {
    throw new AppError(
      'INVALID_REQUEST',
      `The address of the LLM "${options.name}" must not hold credentials.`,
    )
  }
  const apiKey = options.apiKey?.trim() || undefined
  if (apiKey !== undefined && !isHeaderSafe(apiKey)) {
    const message = `The key of the LLM "${options.name}" holds a character that cannot stand in an HTTP header.`
    throw new AppError('INVALID_REQUEST', message)
  }
  url.pathname = `${url.pathname.replace(/\/+$/, '')}${path}`
  url.hash = ''
  return {
    name: options.name,
    url,
    apiKey,
    connectTimeoutMs: options.connectTimeoutMs ?? 10_000,
    firstTokenTimeoutMs: options.firstTokenTimeoutMs ?? 30_000,
    timeoutMs: options.timeoutMs ?? 60_000,
    maxResponseBytes: options.maxResponseBytes ?? 8 * 2 ** 20,
    exchange: options.exchange ?? exchange,
    now: options.now ?? Date.now,
  }
}
