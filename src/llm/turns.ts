// Spreads work that arrives all at once over turns of the event loop, so that what else waits there gets its turn. Knows no work.

/** Of a few tenths of a millisecond each: a turn stays at a few milliseconds. */
const PER_TURN = 8

/**
 * A function to wait for before each piece of work. The first few in a turn of the event loop go on at once; of more, as many in each of
 * the turns that follow, first come first served.
 */
export function createTurns(perTurn: number = PER_TURN): () => Promise<void> | undefined {
  let left = perTurn
  let isSet = false
  const waiting: (() => void)[] = []

  function setNext(): void {
    if (isSet) return
    isSet = true
    setImmediate(() => {
      isSet = false
      left = perTurn
      for (const go of waiting.splice(0, perTurn)) {
        left--
        go()
      }
      if (waiting.length > 0) setNext()
    })
  }

  return () => {
    setNext()
    if (left > 0 && waiting.length === 0) {
      left--
      return undefined
    }
    return new Promise(resolve => waiting.push(resolve))
  }
}
