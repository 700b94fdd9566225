// A thread that opens, in step with the test that started it, one new SQLite file after the other.
import { parentPort, workerData } from 'node:worker_threads'
import { openSqliteStore } from '../../src/store/sqlite.ts'

export interface OpenerTask {
  readonly paths: readonly string[]
  /** Int32: how many openings have been reached by both sides together. */
  readonly arrivals: SharedArrayBuffer
}

/** Opens and closes each path at the same moment as the other side does. */
export async function openInStep({ paths, arrivals }: OpenerTask): Promise<void> {
  const reached = new Int32Array(arrivals)
  for (const [i, path] of paths.entries()) {
    Atomics.add(reached, 0, 1)
    const deadline = Date.now() + 5000
    while (Atomics.load(reached, 0) < 2 * (i + 1))
      if (Date.now() > deadline) throw new Error('the other side did not come')
    await openSqliteStore(path).close()
  }
}

if (parentPort !== null) {
  await openInStep(workerData as OpenerTask)
  parentPort.postMessage('done')
}
