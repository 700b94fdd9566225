// Looks at something at once and then again and again, one look at a time. Knows not at what.

/** `look` handles its own failures. @returns what ends it, when the look under way is over; the timer keeps no process alive */
export function repeat(look: () => Promise<unknown>, everyMs: number): () => Promise<void> {
  let looking = look()
  const timer = setInterval(() => {
    looking = looking.then(look)
  }, everyMs)
  timer.unref()
  return async () => {
    clearInterval(timer)
    await looking
  }
}
