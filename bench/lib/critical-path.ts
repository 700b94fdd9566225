// The longest chain in recorded calls. Knows no clock and no caller.

/** A call from when it was made until it was answered, in one unit of time. */
export interface Span {
  readonly start: number
  readonly end: number
}

/**
 * The most calls of which each began after the one before had ended: what had to wait for each other, as nothing that was made
 * at the same time did. Taking the earliest end first is optimal (interval scheduling).
 */
export function longestChain(calls: readonly Span[]): number {
  let length = 0
  let free = Number.NEGATIVE_INFINITY
  for (const { start, end } of calls.toSorted((a, b) => a.end - b.end)) {
    if (start < free) continue
    length++
    free = end
  }
  return length
}
