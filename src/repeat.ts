// Looks at something at once and then again and again, one look at a time. Knows not at what.
import type { Outage } from './log.ts'

/** A look that fails is told to `outage` and tried again. @returns what ends it, when the look under way is over; the timer keeps no process alive */
export function repeat(look: () => Promise<unknown>, everyMs: number, outage: Outage): () => Promise<void> {
  const safely = () => look().then(outage.worked, outage.failed)
  let looking = safely()
  const timer = setInterval(() => {
    looking = looking.then(safely)
  }, everyMs)
  timer.unref()
  return async () => {
    clearInterval(timer)
    await looking
  }
}
