// Work that arrives all at once, spread over turns of the event loop.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { createTurns } from '../../src/llm/turns.ts'

test('a few go on at once, more of them a few in each turn, first come first served', async () => {
  const turn = createTurns(3)
  const done: number[] = []
  const work = async (i: number) => {
    await turn()
    done.push(i)
  }
  const all = Promise.all(Array.from({ length: 8 }, (_, i) => work(i)))
  const seen: number[] = []
  for (let turns = 0; turns < 4; turns++) {
    await Promise.resolve()
    seen.push(done.length)
    await nextTurn()
  }
  await all
  assert.deepEqual(seen, [3, 6, 8, 8])
  assert.deepEqual(done, [0, 1, 2, 3, 4, 5, 6, 7])
})

test('work that comes a little at a time never waits', async () => {
  const turn = createTurns(2)
  for (let turns = 0; turns < 5; turns++) {
    assert.deepEqual([turn(), turn()], [undefined, undefined])
    await nextTurn()
  }
})
