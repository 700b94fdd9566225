// Reads the `Retry-After` header. Pure; knows no HTTP client.

/** Longest `Retry-After` passed on, in seconds; a longer one is a mistake or an attack on the client's patience. */
const MAX_RETRY_AFTER_S = 3600

/** Seconds of a `Retry-After` header (RFC 9110 §10.2.3: seconds or an HTTP date), in [0, 3600]; undefined when unreadable. */
export function parseRetryAfter(value: string | null, nowMs: number): number | undefined {
  const text = value?.trim() ?? ''
  if (/^\d+$/.test(text)) return Math.min(Number(text), MAX_RETRY_AFTER_S)
  // Date.parse takes almost anything with a number in it ("-5", "1.5"); an HTTP date begins with the day's name.
  const atMs = /^[A-Za-z]{3,9},? /.test(text) ? Date.parse(text) : Number.NaN
  if (Number.isNaN(atMs)) return undefined
  return Math.min(Math.max(0, Math.ceil((atMs - nowMs) / 1000)), MAX_RETRY_AFTER_S)
}
