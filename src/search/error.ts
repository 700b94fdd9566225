// The failures a search can name. Knows no HTTP: the server maps `code`, which is one of the codes in src/errors.ts.

export type SearchErrorCode = 'METHOD_UNSUPPORTED' | 'INVALID_REQUEST' | 'CRITIC_FAILED'

/** An expected failure of a search. `message` may be shown to the caller. */
export class SearchError extends Error {
  readonly code: SearchErrorCode
  constructor(code: SearchErrorCode, message: string) {
    super(message)
    this.name = 'SearchError'
    this.code = code
  }
}
