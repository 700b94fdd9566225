// Remembers the last so many answers by key. Knows no answer.

export interface Memory<T> {
  /** What was kept, which counts as used now. */
  get(key: string): T | undefined
  set(key: string, value: T): void
}

/** The one that was not used for longest makes room. @param size entries at most */
export function createMemory<T>(size: number): Memory<T> {
  const entries = new Map<string, T>()
  return {
    get(key) {
      const value = entries.get(key)
      if (value === undefined) return undefined
      entries.delete(key)
      entries.set(key, value)
      return value
    },
    set(key, value) {
      entries.delete(key)
      entries.set(key, value)
      if (entries.size > size) entries.delete(entries.keys().next().value!)
    },
  }
}
