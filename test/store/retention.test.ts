// Old traffic is forgotten at once and again later, and a store that is away does not end it.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { AppError } from '../../src/errors.ts'
import { startRetention } from '../../src/store/retention.ts'
import { openSqliteStore } from '../../src/store/sqlite.ts'
import { aRecord, NOW } from './samples.ts'

test('old and surplus records go, also those that come later', async t => {
  const store = openSqliteStore(':memory:')
  t.after(() => store.close())
  await store.appendTraffic([aRecord('old', { at: NOW - 11 }), aRecord('b'), aRecord('c'), aRecord('d')])
  const warnings: string[] = []
  let isAway = true
  const stop = startRetention(
    {
      pruneTraffic: async retention => {
        if (!isAway) return store.pruneTraffic(retention)
        isAway = false
        throw new AppError('NOT_READY', 'The store cannot be used at the moment.')
      },
    },
    {
      ageMs: 10,
      records: 2,
      now: () => NOW,
      everyMs: 5,
      log: { warn: (_, message) => void warnings.push(message) },
    },
  )
  while ((await store.countTraffic()) > 2) await new Promise(resolve => setTimeout(resolve, 5))
  await store.appendTraffic([aRecord('e', { at: NOW + 1 })])
  while ((await store.countTraffic()) > 2) await new Promise(resolve => setTimeout(resolve, 5))
  await stop()
  assert.deepEqual(
    (await store.readTraffic({ limit: 9 })).map(({ record }) => record.id),
    ['e', 'd'],
  )
  assert.equal(warnings.length, 1)
})

test('a first try that fails is made again soon, told of once, and not an hour later', async t => {
  const store = openSqliteStore(':memory:')
  t.after(() => store.close())
  await store.appendTraffic([aRecord('old', { at: NOW - 11 })])
  const warnings: string[] = []
  let tries = 0
  const stop = startRetention(
    {
      pruneTraffic: async retention => {
        if (++tries > 3) return store.pruneTraffic(retention)
        throw new AppError('NOT_READY', 'The store cannot be used at the moment.')
      },
    },
    {
      ageMs: 10,
      records: 2,
      now: () => NOW,
      retryMs: 5,
      log: { warn: (_, message) => void warnings.push(message) },
    },
  )
  while ((await store.countTraffic()) > 0) await new Promise(resolve => setTimeout(resolve, 5))
  await stop()
  assert.equal(warnings.length, 1)
})

test('forgetting much traffic does not hold up whatever else the thread does', async t => {
  const store = openSqliteStore(':memory:')
  t.after(() => store.close())
  for (let i = 0; i < 10; i++)
    await store.appendTraffic(Array.from({ length: 1000 }, (_, k) => aRecord(`${i} ${k}`)))
  let [turns, isDone] = [0, false]
  const pruned = store.pruneTraffic({ keep: 0 }).finally(() => {
    isDone = true
  })
  for (; !isDone; turns++) await new Promise(resolve => setImmediate(resolve))
  assert.equal(await pruned, 10_000)
  assert.ok(turns >= 10, `${turns} turns`)
})
