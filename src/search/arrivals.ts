// Concurrent work in the order in which it comes in. Knows nothing of search.

/**
 * Yields each promise's value with its index as soon as it is there; rejects with the first rejection.
 * Work that is still running when the consumer stops is not waited for.
 */
export async function* arrivals<T>(
  work: readonly Promise<T>[],
): AsyncGenerator<{ readonly index: number; readonly value: T }> {
  const pending = new Map(work.map((promise, index) => [index, promise.then(value => ({ index, value }))]))
  while (pending.size > 0) {
    const arrived = await Promise.race(pending.values())
    pending.delete(arrived.index)
    yield arrived
  }
}
