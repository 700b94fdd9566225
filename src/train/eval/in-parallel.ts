// Tasks a few at a time, begun in their order. Knows no task.

/** Runs tasks, at most `limit` at once; the first failure stops those under way and is thrown once all have ended. */
export async function inParallel<T>(
  tasks: readonly T[],
  limit: number,
  outer: AbortSignal | undefined,
  run: (task: T, signal: AbortSignal) => Promise<void>,
): Promise<void> {
  const stop = new AbortController()
  const signal = outer ? AbortSignal.any([outer, stop.signal]) : stop.signal
  let next = 0
  async function work(): Promise<void> {
    while (next < tasks.length) {
      signal.throwIfAborted()
      try {
        await run(tasks[next++]!, signal)
      } catch (error) {
        stop.abort(error)
        throw error
      }
    }
  }
  await Promise.allSettled(Array.from({ length: Math.min(limit, tasks.length) }, work))
  signal.throwIfAborted()
}
