// A critic that is tried out, with the one that serves behind it: no client pays for a candidate that fails. Knows no route.
import type { Critic } from '../critic/types.ts'
import type { Routed } from './deps.ts'

/**
 * The critic of one request. From the first call on that fails the fallback answers in its place, that call included; `version` and
 * `threshold` are those of the one that answers now. Without a fallback it is the critic itself.
 */
export function withFallback({ critic, fallback }: Routed): Critic {
  if (fallback === null) return critic
  let answers = critic
  return {
    get version() {
      return answers.version
    },
    get threshold() {
      return answers.threshold
    },
    async judge(items, signal, onTiming) {
      // Of calls at the same time each finds out by itself: one that had begun with the candidate goes over as well.
      const asked = answers
      try {
        return await asked.judge(items, signal, onTiming)
      } catch (error) {
        if (signal?.aborted || asked === fallback) throw error
        answers = fallback
        return fallback.judge(items, signal, onTiming)
      }
    },
  }
}
