// When rounds start by themselves, on one server and on several.
import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { isDue, nextTime, openSchedule, type Schedule, startScheduler } from '../src/schedule.ts'
import { openSqliteStore } from '../src/store/sqlite.ts'
import { aRecord, NOW } from './store/samples.ts'

const HOUR = 3_600_000
const MIDNIGHT = Date.UTC(2026, 0, 5)
const base: Schedule = {
  after_items: null,
  cron: null,
  minutes: 5,
  paused: false,
  last_count: 100,
  last_at: MIDNIGHT,
}

const CASES: readonly [
  name: string,
  change: Partial<Schedule>,
  fresh: number,
  after: number,
  due: boolean,
][] = [
  ['nothing set', {}, 1e6, 99 * HOUR, false],
  ['too few new records', { after_items: 50 }, 49, HOUR, false],
  ['enough new records', { after_items: 50 }, 50, HOUR, true],
  ['enough, but paused', { after_items: 50, paused: true }, 1000, HOUR, false],
  ['before the time', { cron: '0 3 * * *' }, 100, 3 * HOUR - 1, false],
  ['at the time', { cron: '0 3 * * *' }, 100, 3 * HOUR, true],
  ['long after the time, while no server ran', { cron: '0 3 * * *' }, 100, 80 * HOUR, true],
  ['at the time, but paused', { cron: '0 3 * * *', paused: true }, 100, 3 * HOUR, false],
  ['a time that never comes', { cron: '0 0 30 2 *' }, 100, 9999 * HOUR, false],
  ['whichever is first', { cron: '0 3 * * *', after_items: 5 }, 5, HOUR, true],
]
for (const [name, change, fresh, after, due] of CASES)
  test(`${name}: ${due ? 'a round starts' : 'no round starts'}`, () =>
    assert.equal(isDue({ ...base, ...change }, fresh, MIDNIGHT + after), due))

test('a pattern that is none is refused in words', () => {
  for (const pattern of ['', 'daily', '1 2 3', '61 * * * *'])
    assert.throws(() => nextTime(pattern, NOW), { code: 'INVALID_REQUEST' })
})

async function scheduled(t: TestContext, servers: number) {
  const store = openSqliteStore(':memory:')
  let clock = NOW
  const now = () => clock++
  const schedule = openSchedule(store, now)
  await schedule.set({ after_items: 3, cron: null, minutes: 2, paused: false })
  const rounds: number[] = []
  let isRunning = false
  const stops = Array.from({ length: servers }, () =>
    startScheduler({
      store,
      start: async ({ minutes }) => {
        if (isRunning) return false
        isRunning = true
        rounds.push(minutes)
        return true
      },
      now,
      log: { info: () => {}, warn: (_, message) => assert.fail(message) },
      everyMs: 5,
    }),
  )
  t.after(async () => {
    for (const stop of stops) await stop()
    await store.close()
  })
  const settle = () => new Promise(resolve => setTimeout(resolve, 60))
  const end = () => {
    isRunning = false
  }
  const send = (...ids: string[]) => store.appendTraffic(ids.map(id => aRecord(id, { at: now() })))
  return { store, schedule, rounds, settle, end, send }
}

test('of several servers one starts the round, and the next counts from there', async t => {
  const { rounds, settle, end, schedule, send } = await scheduled(t, 3)
  await send('a', 'b')
  await settle()
  assert.deepEqual(rounds, [])
  await send('c')
  await settle()
  assert.deepEqual(rounds, [2])
  assert.equal((await schedule.show())?.last_count, 3)
  end()
  await send('d', 'e')
  await settle()
  assert.deepEqual(rounds, [2])
  await send('f')
  await settle()
  assert.deepEqual(rounds, [2, 2])
})

test('while a round runs nothing starts; it does when that has ended', async t => {
  const { rounds, settle, end, send } = await scheduled(t, 1)
  await send('a', 'b', 'c')
  await settle()
  await send('d', 'e', 'f')
  await settle()
  assert.deepEqual(rounds, [2])
  end()
  await settle()
  assert.deepEqual(rounds, [2, 2])
})

test('rounds go on starting where as much traffic is forgotten as comes', async t => {
  const { store, rounds, settle, end, send } = await scheduled(t, 1)
  for (let day = 0; day < 3; day++) {
    await send(`a${day}`, `b${day}`, `c${day}`)
    await store.pruneTraffic({ keep: 3 })
    await settle()
    end()
  }
  assert.deepEqual(rounds, [2, 2, 2])
})

test('a schedule that cannot be looked at is told of once, and once when it can', async () => {
  const told: string[] = []
  let looks = 0
  const stop = startScheduler({
    store: {
      countTraffic: async () => 0,
      async getNote() {
        if (++looks <= 5) throw new Error('away')
        return null
      },
      putNote: async () => true,
    },
    start: async () => true,
    now: () => NOW,
    log: { info: (_, message) => void told.push(message), warn: (_, message) => void told.push(message) },
    everyMs: 2,
  })
  while (looks < 10) await new Promise(resolve => setTimeout(resolve, 2))
  await stop()
  assert.deepEqual(told, [
    'the schedule cannot be looked at',
    'the schedule cannot be looked at: that is over',
  ])
})
