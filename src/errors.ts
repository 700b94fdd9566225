// The one table of errors a caller can meet: code, HTTP status, whether trying again can help. Knows no HTTP library.

/** Every code Spar answers with. `openapi.yaml` lists the same codes; a test keeps both equal. */
export const ERRORS = {
  BAD_REQUEST: { status: 400, retryable: false, title: 'The request is not valid HTTP' },
  REQUEST_TIMEOUT: { status: 408, retryable: true, title: 'The request did not arrive in time' },
  HEADERS_TOO_LARGE: { status: 431, retryable: false, title: 'The headers are larger than the limit' },
  BAD_JSON: { status: 400, retryable: false, title: 'The body is not valid JSON' },
  INVALID_REQUEST: { status: 422, retryable: false, title: 'The request does not match the contract' },
  BODY_TOO_LARGE: { status: 413, retryable: false, title: 'The body is larger than the limit' },
  UNSUPPORTED_MEDIA_TYPE: { status: 415, retryable: false, title: 'The body must be application/json' },
  NOT_FOUND: { status: 404, retryable: false, title: 'There is nothing at this address' },
  METHOD_NOT_ALLOWED: { status: 405, retryable: false, title: 'This address does not take that method' },
  ADMIN_DISABLED: { status: 403, retryable: false, title: 'Admin routes are switched off' },
  ADMIN_UNAUTHORIZED: { status: 401, retryable: false, title: 'The admin key is missing or wrong' },
  UNKNOWN_CRITIC: { status: 404, retryable: false, title: 'There is no such critic' },
  UNKNOWN_JOB: { status: 404, retryable: false, title: 'There is no such job' },
  UNKNOWN_SEARCH: { status: 404, retryable: false, title: 'There is no such search, or not any more' },
  IDEMPOTENCY_IN_USE: {
    status: 409,
    retryable: true,
    title: 'A request with this Idempotency-Key is still running',
  },
  IDEMPOTENCY_MISMATCH: {
    status: 422,
    retryable: false,
    title: 'This Idempotency-Key was used for another request',
  },
  NO_PARENT: { status: 409, retryable: false, title: 'The serving critic has no parent to return to' },
  NO_ROLLOUT: { status: 409, retryable: false, title: 'No candidate is being tried out' },
  JOB_RUNNING: {
    status: 409,
    retryable: true,
    title: 'A retraining job is already queued, running or paused',
  },
  UNKNOWN_UPSTREAM: { status: 422, retryable: false, title: 'There is no LLM upstream of that name' },
  LLM_HOST_NOT_ALLOWED: { status: 403, retryable: false, title: 'This LLM host is not on the allow-list' },
  METHOD_UNSUPPORTED: { status: 422, retryable: false, title: 'This LLM cannot run that search method' },
  CHAT_UNSUPPORTED: { status: 422, retryable: false, title: 'A guided answer cannot have this chat feature' },
  LLM_UNREACHABLE: { status: 502, retryable: true, title: 'The LLM endpoint could not be reached' },
  LLM_TIMEOUT: { status: 504, retryable: true, title: 'The LLM endpoint did not answer in time' },
  LLM_RATE_LIMITED: { status: 503, retryable: true, title: 'The LLM endpoint is limiting its rate' },
  LLM_REFUSED: { status: 502, retryable: false, title: 'The LLM endpoint refused the request' },
  LLM_ERROR: { status: 502, retryable: true, title: 'The LLM endpoint failed' },
  LLM_BAD_RESPONSE: {
    status: 502,
    retryable: true,
    title: 'The LLM endpoint sent an answer that cannot be read',
  },
  OVERLOADED: { status: 429, retryable: true, title: 'Too many requests are waiting' },
  NOT_READY: { status: 503, retryable: true, title: 'The service is not ready' },
  CRITIC_FAILED: { status: 503, retryable: true, title: 'The critic failed on this request' },
  CRITIC_INVALID: { status: 422, retryable: false, title: 'The critic artifact is not valid' },
  INTERNAL: { status: 500, retryable: false, title: 'Something went wrong on our side' },
} as const satisfies Record<string, { status: number; retryable: boolean; title: string }>

export type ErrorCode = keyof typeof ERRORS

/** An expected failure. `message` is shown to the caller: never put a secret or a prompt into it. */
export class AppError extends Error {
  readonly code: ErrorCode
  /** Seconds after which trying again makes sense; becomes `Retry-After`. */
  readonly retryAfterS: number | undefined
  /** Name of the limit that was reached, with OVERLOADED. */
  readonly limit: string | undefined
  constructor(
    code: ErrorCode,
    message: string,
    options: { cause?: unknown; retryAfterS?: number; limit?: string } = {},
  ) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause })
    this.name = 'AppError'
    this.code = code
    this.retryAfterS = options.retryAfterS
    this.limit = options.limit
  }
}

/** Whether something that a call needs, as a store, is away for a moment: the same call may work a little later. */
export const isAway = (error: unknown): boolean => error instanceof AppError && error.code === 'NOT_READY'
