// The journal under a recorder: what is on disk when, and who delivers it when its process is gone.
import assert from 'node:assert/strict'
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { AppError } from '../../src/errors.ts'
import { type JournalOptions, openJournal } from '../../src/store/journal.ts'
import { createRecorder, type RecorderOptions } from '../../src/store/recorder.ts'
import { openSqliteStore } from '../../src/store/sqlite.ts'
import { tempFolder } from '../fakes/tiny-critic.ts'
import { aRecord } from './samples.ts'

/** A store in memory that can be away, and a folder for journals. */
function setUp(t: TestContext) {
  const sqlite = openSqliteStore(':memory:')
  const folder = tempFolder()
  let isAway = false
  const store = {
    ...sqlite,
    async appendTraffic(records: Parameters<typeof sqlite.appendTraffic>[0]) {
      if (isAway) throw new AppError('NOT_READY', 'away')
      await sqlite.appendTraffic(records)
    },
  }
  t.after(async () => {
    isAway = false
    await sqlite.close()
    folder.remove()
  })
  return {
    folder: folder.path,
    away: (next: boolean) => {
      isAway = next
    },
    /** A process of its own, as far as the journal can tell; with `staleMs` 0 it takes all others for dead. */
    start(options: JournalOptions & RecorderOptions = {}) {
      const journal = openJournal(folder.path, { beatMs: 0, staleMs: 60_000, ...options })
      const recorder = createRecorder(store, { backoffMs: 1, adoptEveryMs: 5, ...options, journal })
      t.after(() => recorder.close())
      return recorder
    },
    /** One that is killed before its store has answered anything. */
    startDoomed(options: JournalOptions & RecorderOptions = {}) {
      const journal = openJournal(folder.path, options)
      const silent = { ...sqlite, appendTraffic: () => new Promise<never>(() => {}) }
      return createRecorder(silent, { ...options, journal })
    },
    stored: async () =>
      (await sqlite.readTraffic({ limit: 10_000 })).map(({ record }) => record.id).toSorted(),
  }
}

const onDisk = (folder: string): string[] =>
  readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter(name => name.endsWith('.ndjson'))
    .flatMap(name => readFileSync(join(folder, name), 'utf8').split('\n').filter(Boolean))
    .map(line => (JSON.parse(line) as { id: string }).id)

async function until(holds: () => boolean | Promise<boolean>): Promise<void> {
  for (const deadline = Date.now() + 10_000; !(await holds()); ) {
    assert.ok(Date.now() < deadline, `still waiting for ${holds}`)
    await new Promise(resolve => setTimeout(resolve, 2))
  }
}

test('a record is on disk as soon as it is handed in, and gone from there when the store has it', async t => {
  const { start, folder, stored } = setUp(t)
  const recorder = start()
  recorder.record(aRecord('a'))
  assert.deepEqual(onDisk(folder), ['a'])
  assert.equal(await recorder.flush(), true)
  assert.deepEqual([await stored(), onDisk(folder)], [['a'], []])
})

test('what a killed process had not delivered the next one delivers', async t => {
  const { start, startDoomed, folder, stored } = setUp(t)
  const killed = startDoomed()
  for (const id of ['a', 'b', 'c']) killed.record(aRecord(id))
  start({ staleMs: 0 })
  await until(async () => (await stored()).length === 3)
  await until(() => onDisk(folder).length === 0)
  assert.deepEqual(await stored(), ['a', 'b', 'c'])
})

test('a process that lives keeps what it has', async t => {
  const { start, startDoomed, folder } = setUp(t)
  startDoomed().record(aRecord('a'))
  const other = start()
  await new Promise(resolve => setTimeout(resolve, 30))
  assert.deepEqual([onDisk(folder), other.stats().written], [['a'], 0])
})

test('a process that was taken for dead goes on in a new folder, and nothing is lost', async t => {
  const { start, startDoomed, folder, stored } = setUp(t)
  const slow = startDoomed({ beatMs: 5 })
  slow.record(aRecord('a'))
  const other = start({ staleMs: 0 })
  await until(async () => (await stored()).length === 1)
  await until(() => onDisk(folder).length === 0)
  await other.close()
  await new Promise(resolve => setTimeout(resolve, 20)) // a beat
  slow.record(aRecord('b'))
  assert.deepEqual(onDisk(folder), ['b'])
})

test('what was not delivered at close is kept, not dropped, and is the next process’s at once', async t => {
  const { start, stored, away } = setUp(t)
  away(true)
  const closed = start()
  closed.record(aRecord('a'))
  await closed.close()
  assert.equal(closed.stats().dropped, 0)
  away(false)
  start()
  await until(async () => (await stored()).length === 1)
})

test('what memory has no room for waits on disk, and nothing is dropped', async t => {
  const { start, stored, away } = setUp(t)
  away(true)
  const recorder = start({ maxPending: 5, pageBytes: 2000 })
  const ids = Array.from({ length: 100 }, (_, i) => `r${String(i).padStart(3, '0')}`)
  for (const id of ids) recorder.record(aRecord(id))
  await until(() => recorder.stats().failures > 2)
  assert.ok(recorder.stats().pending <= 5)
  assert.equal(await recorder.flush(), false)
  away(false)
  await until(async () => (await stored()).length === ids.length)
  assert.deepEqual(await stored(), ids)
  assert.equal(recorder.stats().dropped, 0)
})

test('the disk is bounded too: the oldest pages go', async t => {
  const { startDoomed, folder } = setUp(t)
  const recorder = startDoomed({ maxPending: 1, pageBytes: 1, maxPages: 3 })
  for (const id of ['a', 'b', 'c', 'd', 'e', 'f']) recorder.record(aRecord(id))
  assert.deepEqual(onDisk(folder).toSorted(), ['c', 'd', 'e', 'f'])
})

test('half a line, as a full disk leaves it, costs that record alone', async t => {
  const { start, folder, stored } = setUp(t)
  const left = join(folder, 'left')
  mkdirSync(left)
  const lines = [aRecord('a'), aRecord('b')].map(record => JSON.stringify(record))
  writeFileSync(join(left, '0.ndjson'), `${lines[0]}\n${lines[1]!.slice(0, 50)}`)
  start({ staleMs: 0 })
  await until(async () => (await stored()).length === 1)
  assert.deepEqual(await stored(), ['a'])
})

test('a disk that takes nothing does not keep traffic from the store', async t => {
  const { folder, stored, start } = setUp(t)
  writeFileSync(join(folder, 'file'), '')
  const warnings: string[] = []
  const journal = openJournal(join(folder, 'file'), { log: { warn: (_, text) => void warnings.push(text) } })
  assert.equal(journal.append(aRecord('a')), null)
  assert.equal(journal.append(aRecord('b')), null)
  assert.deepEqual(warnings, ['the journal of traffic cannot be used'])
  journal.close()
  const recorder = start()
  recorder.record(aRecord('a'))
  await recorder.flush()
  assert.deepEqual(await stored(), ['a'])
})
