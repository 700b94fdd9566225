// The ledger of a search: calls and completion tokens are reserved before a call and settled after it. Knows no clock
// and starts no call.

export interface BudgetLimits {
  /** Completion tokens of all LLM calls together, at least 1. */
  readonly maxTokens?: number | undefined
  /** LLM calls, at least 1. */
  readonly maxCalls?: number | undefined
  /** Milliseconds from the start of the search, 1 to 2^31 - 1. */
  readonly deadlineMs?: number | undefined
}

/** `wait`: a call in flight may still give tokens back. `spent`: no further call may start. */
type Grant =
  | { readonly kind: 'granted'; readonly tokens: number }
  | { readonly kind: 'wait' }
  | { readonly kind: 'spent' }

export interface Ledger {
  /**
   * Asks for one call of up to `tokens` completion tokens while `inFlight` calls are running. Less than asked is granted
   * only when nothing is in flight, so the size of a grant depends on the order of the calls and not on their latencies.
   */
  reserve(tokens: number, inFlight: number): Grant
  /** Gives back what a call reserved and books what it used. Call once for every grant. */
  settle(granted: number, used: { readonly calls: number; readonly tokens: number }): void
}

/** Opens a ledger; a limit left out is no limit. */
export function createLedger(limits: BudgetLimits): Ledger {
  let tokensLeft = limits.maxTokens ?? Number.POSITIVE_INFINITY
  let callsLeft = limits.maxCalls ?? Number.POSITIVE_INFINITY
  return {
    reserve(tokens, inFlight) {
      if (callsLeft < 1) return { kind: 'spent' }
      if (tokensLeft < tokens) {
        if (inFlight > 0) return { kind: 'wait' }
        if (tokensLeft < 1) return { kind: 'spent' }
      }
      const granted = Math.min(tokens, tokensLeft)
      callsLeft -= 1
      tokensLeft -= granted
      return { kind: 'granted', tokens: granted }
    },
    settle(granted, used) {
      tokensLeft += granted - used.tokens
      callsLeft += 1 - used.calls
    },
  }
}
