// Turns of threads on a device that only one of them may use at a time. Knows no device and no session.
//
// ONNX Runtime has one WebGPU context in a process, which every session shares without a lock (1.30): two workers that run at the
// same time, as during a swap, end the process (microsoft/onnxruntime 32561, 27592).

/** The last number that was drawn, the number whose turn it is, and the thread that has it (0 for none): memory that threads share. */
export type TurnsOnDevice = Int32Array

const [DRAWN, CALLED, HOLDER] = [0, 1, 2]

export const createTurns = (): TurnsOnDevice =>
  new Int32Array(new SharedArrayBuffer(3 * Int32Array.BYTES_PER_ELEMENT))

/**
 * Does a task when nobody else does one, in the order in which threads come: one that has many must not keep others out. A thread
 * that waits is blocked, so it must not be the main one, and it has one task at a time. `thread` is its number, from 1.
 */
export async function inTurn<T>(turns: TurnsOnDevice, thread: number, task: () => Promise<T>): Promise<T> {
  const mine = Atomics.add(turns, DRAWN!, 1)
  for (let called = Atomics.load(turns, CALLED!); called !== mine; called = Atomics.load(turns, CALLED!))
    Atomics.wait(turns, CALLED!, called)
  Atomics.store(turns, HOLDER!, thread)
  try {
    return await task()
  } finally {
    endTurn(turns, thread)
  }
}

/** Calls the next number if `thread` has the turn: also for a thread that has died with it, whose turn would never end. */
export function endTurn(turns: TurnsOnDevice, thread: number): void {
  if (Atomics.compareExchange(turns, HOLDER!, thread, 0) !== thread) return
  Atomics.add(turns, CALLED!, 1)
  Atomics.notify(turns, CALLED!)
}
