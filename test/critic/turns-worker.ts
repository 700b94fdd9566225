// A thread of the turns test: takes turns, writes down its number in each, and in the first waits until the gate opens or ends itself.
import { threadId, workerData } from 'node:worker_threads'
import { inTurn, type TurnsOnDevice } from '../../src/critic/turns-on-device.ts'

export interface TurnsWorker {
  readonly turns: TurnsOnDevice
  /** The number of turns so far, then whose they were. */
  readonly seen: Int32Array
  /** At 0 it is shut; null: the thread ends within its first turn. */
  readonly gate: Int32Array | null
  readonly rounds: number
}

const { turns, seen, gate, rounds } = workerData as TurnsWorker

for (let i = 0; i < rounds; i++)
  await inTurn(turns, threadId, async () => {
    Atomics.store(seen, 1 + Atomics.add(seen, 0, 1), threadId)
    if (gate === null) process.exit(1)
    Atomics.wait(gate, 0, 0)
  })
