// Turns and memory: the small parts that every critic elsewhere stands on.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createMemory } from '../../src/remote/memory.ts'
import { createSlots } from '../../src/remote/slots.ts'

const never = new AbortController().signal
const tick = () => new Promise(resolve => setImmediate(resolve))

test('tasks run in the order they came, so many at once, and a failure gives its place on', async () => {
  const slots = createSlots(2)
  const log: string[] = []
  const ends: (() => void)[] = []
  const task = (name: string, fails = false) =>
    slots.use(async () => {
      log.push(name)
      await new Promise<void>(resolve => ends.push(resolve))
      if (fails) throw new Error(name)
      return name
    }, never)
  const all = Promise.allSettled([task('a', true), task('b'), task('c'), task('d')])
  await tick()
  assert.deepEqual(log, ['a', 'b'])
  ends[0]!()
  await tick()
  assert.deepEqual(log, ['a', 'b', 'c'])
  ends[1]!()
  await tick()
  for (const end of ends) end()
  await tick()
  for (const end of ends) end()
  assert.deepEqual(
    (await all).map(({ status }) => status),
    ['rejected', 'fulfilled', 'fulfilled', 'fulfilled'],
  )
})

test('one that leaves while it waits never runs, and those behind it move up', async () => {
  const slots = createSlots(1)
  let end = () => {}
  const first = slots.use(() => new Promise<void>(resolve => (end = resolve)), never)
  const gone = new AbortController()
  const second = slots.use(async () => assert.fail('it left'), gone.signal)
  const third = slots.use(async () => 'third', never)
  gone.abort(new Error('left'))
  await assert.rejects(second, /left/)
  end()
  await first
  assert.equal(await third, 'third')
  await assert.rejects(
    slots.use(async () => 0, gone.signal),
    /left/,
  )
})

test('the entry that was not used for longest is forgotten first', () => {
  const memory = createMemory<number>(2)
  memory.set('a', 1)
  memory.set('b', 2)
  assert.equal(memory.get('a'), 1)
  memory.set('c', 3)
  assert.deepEqual([memory.get('a'), memory.get('b'), memory.get('c')], [1, undefined, 3])
})
