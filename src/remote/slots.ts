// Lets at most so many tasks run at once; the others wait in the order they came. Knows no task.

export interface Slots {
  /** Runs `task` when it is its turn. While it waits, an abort rejects with the signal's reason. */
  use<T>(task: () => Promise<T>, signal: AbortSignal): Promise<T>
}

/** @param limit tasks at once, at least 1 */
export function createSlots(limit: number): Slots {
  let running = 0
  const waiting = new Set<() => void>()

  function turn(signal: AbortSignal): Promise<void> {
    signal.throwIfAborted()
    if (running < limit) {
      running++
      return Promise.resolve()
    }
    return new Promise((resolve, reject) => {
      const leave = () => {
        waiting.delete(begin)
        reject(signal.reason)
      }
      const begin = () => {
        signal.removeEventListener('abort', leave)
        resolve()
      }
      waiting.add(begin)
      signal.addEventListener('abort', leave, { once: true })
    })
  }

  /** The slot goes to the next in line, so that nobody can come between. */
  function passOn(): void {
    const [next] = waiting
    if (next === undefined) running--
    else {
      waiting.delete(next)
      next()
    }
  }

  return {
    async use(task, signal) {
      await turn(signal)
      try {
        return await task()
      } finally {
        passOn()
      }
    },
  }
}
