// The recorder, on a real store behind a gate that can be shut, slowed or made choosy.
import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { AppError } from '../../src/errors.ts'
import { createRecorder, type RecorderOptions } from '../../src/store/recorder.ts'
import { openSqliteStore } from '../../src/store/sqlite.ts'
import type { Store, TrafficRecord } from '../../src/store/types.ts'
import { aRecord, NOW } from './samples.ts'

type Gate = (records: readonly TrafficRecord[]) => Promise<void> | void

/** A recorder with quick retries on a store in memory; `gate` runs before each append. */
function setUp(t: TestContext, options: RecorderOptions = {}) {
  const sqlite = openSqliteStore(':memory:')
  const batches: string[][] = []
  const warnings: { fields: Record<string, unknown>; message: string }[] = []
  const gates: { current: Gate } = { current: () => {} }
  const store: Store = {
    ...sqlite,
    async appendTraffic(records) {
      batches.push(records.map(record => record.id))
      await gates.current(records)
      await sqlite.appendTraffic(records)
    },
  }
  const log = {
    warn: (fields: object, message: string) => void warnings.push({ fields: { ...fields }, message }),
  }
  const recorder = createRecorder(store, { backoffMs: 1, log, ...options })
  t.after(async () => {
    gates.current = () => {}
    await recorder.close()
    await sqlite.close()
  })
  const stored = async () =>
    (await sqlite.readTraffic({ limit: 10_000 })).map(({ record }) => record.id).reverse()
  const gate = (next: Gate) => {
    gates.current = next
  }
  return { recorder, sqlite, batches, warnings, stored, gate }
}

const away = () => {
  throw new AppError('NOT_READY', 'away')
}

async function until(condition: () => boolean): Promise<void> {
  const deadline = Date.now() + 5000
  while (!condition()) {
    assert.ok(Date.now() < deadline, `still waiting for ${condition}`)
    await new Promise(resolve => setTimeout(resolve, 1))
  }
}

test('flush waits until all records so far are stored, and feedback on them is then known', async t => {
  const { recorder, sqlite, stored } = setUp(t)
  for (const id of ['a', 'b', 'c']) recorder.record(aRecord(id))
  assert.deepEqual(await stored(), [], 'nothing is written on the caller’s turn')
  assert.equal(await recorder.flush(), true)
  assert.deepEqual(await stored(), ['a', 'b', 'c'])
  assert.deepEqual(await sqlite.addFeedback([{ id: 'b', at: NOW }]), [true])
  assert.deepEqual(recorder.stats(), { pending: 0, written: 3, dropped: 0, failures: 0 })
})

test('flush with nothing pending is done at once', async t => {
  assert.equal(await setUp(t).recorder.flush(), true)
})

test('records of one turn are one append; those that come during a write are the next', async t => {
  const { recorder, batches, gate } = setUp(t)
  const { promise: opened, resolve: open } = Promise.withResolvers<void>()
  gate(() => opened)
  recorder.record(aRecord('a'))
  recorder.record(aRecord('b'))
  await until(() => batches.length === 1)
  for (const id of ['c', 'd', 'e']) recorder.record(aRecord(id))
  assert.equal(recorder.stats().pending, 5)
  open()
  await recorder.flush()
  assert.deepEqual(batches, [
    ['a', 'b'],
    ['c', 'd', 'e'],
  ])
})

test('flush does not wait for records that came after it', async t => {
  const { recorder, batches, gate } = setUp(t)
  const { promise: opened, resolve: open } = Promise.withResolvers<void>()
  gate(records => (records[0]!.id === 'later' ? opened : undefined))
  recorder.record(aRecord('a'))
  const flushed = recorder.flush()
  await until(() => batches.length === 1)
  recorder.record(aRecord('later'))
  assert.equal(await flushed, true)
  assert.equal(recorder.stats().pending, 1)
  open()
})

test('a flush ends with false when its signal fires', async t => {
  const { recorder, gate } = setUp(t)
  const { promise: opened, resolve: open } = Promise.withResolvers<void>()
  gate(() => opened)
  recorder.record(aRecord('a'))
  assert.equal(await recorder.flush(AbortSignal.abort()), false)
  assert.equal(await recorder.flush(AbortSignal.timeout(5)), false)
  open()
  assert.equal(await recorder.flush(), true)
})

test('a failing store is tried again until it works, in order, and told once', async t => {
  const { recorder, warnings, stored, gate } = setUp(t)
  gate(away)
  for (const id of ['a', 'b']) recorder.record(aRecord(id))
  assert.equal(await recorder.flush(), false)
  recorder.record(aRecord('c'))
  await until(() => recorder.stats().failures >= 4)
  assert.equal(recorder.stats().pending, 3)
  gate(() => {})
  await until(() => recorder.stats().written === 3)
  assert.deepEqual(await stored(), ['a', 'b', 'c'])
  assert.equal(recorder.stats().dropped, 0)
  assert.deepEqual(
    warnings.map(({ message }) => message),
    ['traffic could not be appended; trying again'],
  )
})

test('flush does not hang while the store is away', async t => {
  const { recorder, gate } = setUp(t, { backoffMs: 60_000 })
  gate(away)
  recorder.record(aRecord('a'))
  assert.equal(await recorder.flush(), false)
  assert.equal(await recorder.flush(), false)
})

test('an append whose outcome was unknown is stored once', async t => {
  const { recorder, sqlite, stored, gate } = setUp(t)
  let failed = false
  gate(async records => {
    if (failed) return
    failed = true
    await sqlite.appendTraffic(records)
    away()
  })
  for (const id of ['a', 'b']) recorder.record(aRecord(id))
  await until(() => recorder.stats().written === 2)
  assert.deepEqual(await stored(), ['a', 'b'])
})

test('beyond maxPending the oldest go, counted', async t => {
  const { recorder, stored, gate } = setUp(t, { maxPending: 3 })
  gate(away)
  for (const id of ['a', 'b', 'c', 'd', 'e']) recorder.record(aRecord(id))
  await recorder.flush()
  recorder.record(aRecord('f'))
  assert.deepEqual([recorder.stats().pending, recorder.stats().dropped], [3, 3])
  gate(() => {})
  await until(() => recorder.stats().pending === 0)
  assert.deepEqual(await stored(), ['d', 'e', 'f'])
})

test('long texts are bounded too, but one record always fits', async t => {
  const { recorder, gate } = setUp(t, { maxPendingChars: 1000 })
  gate(away)
  const long = (id: string, chars: number) => aRecord(id, { problem: 'x'.repeat(chars), candidates: [] })
  recorder.record(long('a', 5000))
  assert.equal(recorder.stats().pending, 1)
  recorder.record(long('b', 400))
  recorder.record(long('c', 400))
  assert.deepEqual([recorder.stats().pending, recorder.stats().dropped], [2, 1])
})

test('an append is bounded in records and in text', async t => {
  const { recorder, batches } = setUp(t)
  for (let i = 0; i < 300; i++) recorder.record(aRecord(`r${i}`))
  for (let i = 0; i < 6; i++) recorder.record(aRecord(`long${i}`, { problem: 'x'.repeat(1.5 * 2 ** 20) }))
  assert.equal(await recorder.flush(), true)
  assert.deepEqual(
    batches.map(batch => batch.length),
    [256, 46, 2, 2],
  )
})

test('a record the store refuses is dropped in the end, and its neighbours are kept', async t => {
  const { recorder, warnings, stored, gate } = setUp(t)
  gate(records => {
    if (records.some(record => record.id === 'bad')) throw new Error('refused')
  })
  for (const id of ['a', 'b', 'bad', 'c', 'd', 'e']) recorder.record(aRecord(id))
  await until(() => recorder.stats().pending === 0)
  assert.deepEqual(await stored(), ['a', 'b', 'c', 'd', 'e'])
  assert.deepEqual([recorder.stats().written, recorder.stats().dropped], [5, 1])
  assert.deepEqual(warnings.at(-1)?.fields, { dropped: 1, reason: 'the store refuses them' })
})

test('a store that is away drops nothing, however often it fails', async t => {
  const { recorder, gate } = setUp(t)
  gate(away)
  recorder.record(aRecord('a'))
  await until(() => recorder.stats().failures >= 8)
  assert.deepEqual([recorder.stats().pending, recorder.stats().dropped], [1, 0])
})

test('close writes what is pending, and drops and counts what comes later', async t => {
  const { recorder, stored } = setUp(t)
  for (const id of ['a', 'b']) recorder.record(aRecord(id))
  await recorder.close()
  recorder.record(aRecord('late'))
  await recorder.close()
  assert.deepEqual(await stored(), ['a', 'b'])
  assert.deepEqual(recorder.stats(), { pending: 0, written: 2, dropped: 1, failures: 0 })
})

test('close cuts a wait short and writes when the store is back', async t => {
  const { recorder, stored, gate } = setUp(t, { backoffMs: 60_000 })
  gate(away)
  recorder.record(aRecord('a'))
  await recorder.flush()
  gate(() => {})
  await recorder.close()
  assert.deepEqual(await stored(), ['a'])
})

test('close tries again however often the store has failed before', async t => {
  const { recorder, stored, gate } = setUp(t)
  gate(away)
  recorder.record(aRecord('a'))
  await until(() => recorder.stats().failures >= 5)
  gate(() => {})
  await recorder.close()
  assert.deepEqual(await stored(), ['a'])
})

test('close gives up on a store that stays away, counting what is lost', async t => {
  const { recorder, warnings, gate } = setUp(t)
  gate(away)
  for (const id of ['a', 'b', 'c']) recorder.record(aRecord(id))
  await recorder.close()
  assert.deepEqual(recorder.stats(), { pending: 0, written: 0, dropped: 3, failures: 3 })
  assert.deepEqual(warnings.at(-1)?.fields, {
    dropped: 3,
    reason: 'the store was away when the recorder closed',
  })
  assert.equal(await recorder.flush(), true)
})
