// Turns on a device: one thread at a time, in the order in which they come, and a thread that dies gives its turn up.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { Worker } from 'node:worker_threads'
import { createTurns, endTurn, inTurn } from '../../src/critic/turns-on-device.ts'
import type { TurnsWorker } from './turns-worker.ts'

const shared = (size: number) => new Int32Array(new SharedArrayBuffer(4 * size))
const start = (workerData: TurnsWorker): Worker =>
  new Worker(new URL('./turns-worker.ts', import.meta.url), { workerData })

async function until(isSo: () => boolean): Promise<void> {
  while (!isSo()) await sleep(1)
}

test('threads have their turns one at a time, and one that comes back at once goes behind those that wait', async () => {
  const [turns, seen, gate] = [createTurns(), shared(10), shared(1)]
  const threads: Worker[] = []
  const ended: Promise<unknown>[] = []
  for (let i = 0; i < 3; i++) {
    const thread = start({ turns, seen, gate, rounds: i === 0 ? 2 : 1 })
    threads.push(thread)
    ended.push(once(thread, 'exit'))
    await until(() => Atomics.load(turns, 0) === i + 1)
  }
  const [a, b, c] = threads.map(thread => thread.threadId)
  await until(() => Atomics.load(seen, 0) === 1)
  await sleep(20)
  assert.equal(Atomics.load(seen, 0), 1, 'the others wait while the first has its turn')
  Atomics.store(gate, 0, 1)
  Atomics.notify(gate, 0)
  await Promise.all(ended)
  assert.deepEqual([...seen.subarray(0, 5)], [4, a, b, c, a])
})

test('the turn of a thread that died with it ends when that is told, once', async () => {
  const [turns, seen, open] = [createTurns(), shared(10), shared(1).fill(1)]
  const thread = start({ turns, seen, gate: null, rounds: 1 })
  const { threadId } = thread
  await once(thread, 'exit')
  const next = start({ turns, seen, gate: open, rounds: 1 })
  const ended = once(next, 'exit')
  await until(() => Atomics.load(turns, 0) === 2)
  await sleep(20)
  assert.equal(Atomics.load(seen, 0), 1, 'nobody knows yet that the turn is over')
  endTurn(turns, threadId)
  await ended
  assert.equal(Atomics.load(seen, 0), 2)
  endTurn(turns, threadId)
  assert.equal(await inTurn(turns, 99, async () => 'free'), 'free')
})

test('a task that fails ends its turn', async () => {
  const turns = createTurns()
  await assert.rejects(
    inTurn(turns, 1, async () => {
      throw new Error('lost')
    }),
    /lost/,
  )
  assert.equal(await inTurn(turns, 2, async () => 'next'), 'next')
})
