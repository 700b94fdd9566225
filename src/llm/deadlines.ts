// The deadlines of one call: for its first token, for the whole, and for the end of what is complete already. Knows no HTTP.
import type { BodyReader } from './body-reader.ts'

interface Limits {
  readonly timeoutMs: number
  readonly firstTokenTimeoutMs: number
}

export interface Deadlines {
  /** Looks how far the answer has come. */
  hear(reader: Pick<BodyReader, 'begun' | 'complete'>): void
  /** Which deadline ended the call; null where none did. */
  passed(): 'first token' | 'call' | null
  clear(): void
}

/** How long the end of an answer is waited for that is complete: for its usage, and so that its connection can be kept. */
const TAIL_MS = 500

/** Starts them. `end` is called once, when one has passed. */
export function createDeadlines(limits: Limits, isStream: boolean, end: () => void): Deadlines {
  let passed: 'first token' | 'call' | null = null
  let tail: NodeJS.Timeout | undefined
  const startTimer = (name: 'first token' | 'call', ms: number) =>
    setTimeout(() => {
      passed ??= name
      end()
    }, ms)
  const call = startTimer('call', limits.timeoutMs)
  let first = isStream ? startTimer('first token', limits.firstTokenTimeoutMs) : undefined
  return {
    hear({ begun, complete }) {
      if (begun && first !== undefined) {
        clearTimeout(first)
        first = undefined
      }
      if (complete) tail ??= setTimeout(end, TAIL_MS)
    },
    passed: () => passed,
    clear() {
      for (const timer of [call, first, tail]) clearTimeout(timer)
    },
  }
}
