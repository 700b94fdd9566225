// The SQLite store: the conformance suite, then what only a file can show.
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { describe, type TestContext, test } from 'node:test'
import { Worker } from 'node:worker_threads'
import { AppError } from '../../src/errors.ts'
import { openSqliteStore } from '../../src/store/sqlite.ts'
import type { Store } from '../../src/store/types.ts'
import { storeConformance } from './conformance.ts'
import { openInStep } from './opener-worker.ts'
import { aJob, aRecord, NOW } from './samples.ts'

storeConformance('sqlite', {
  open() {
    const folder = mkdtempSync(join(tmpdir(), 'spar-sqlite-'))
    return {
      connect: () => openSqliteStore(join(folder, 'spar.db')),
      remove: () => rmSync(folder, { recursive: true }),
    }
  },
})

function aFile(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'spar-sqlite-'))
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  return join(folder, 'data', 'spar.db')
}

/** Starts writer-process.ts; `acknowledged` fills with the ids it printed. */
function startWriter(path: string) {
  const writer = spawn(process.execPath, [join(import.meta.dirname, 'writer-process.ts'), path], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  let output = ''
  writer.stdout.on('data', chunk => {
    output += chunk
  })
  const acknowledged = () => {
    // What follows the last newline was cut off by the kill.
    const lines = output.split('\n').slice(0, -1)
    return lines.flatMap(line => line.split(' '))
  }
  return { writer, acknowledged }
}

async function idsWithFeedback(store: Store): Promise<Set<string>> {
  const read = await store.readTraffic({ limit: Infinity })
  return new Set(read.filter(({ feedback }) => feedback.length === 1).map(({ record }) => record.id))
}

describe('sqlite: processes', () => {
  test('kill -9 loses nothing that was acknowledged', async t => {
    const path = aFile(t)
    const { writer, acknowledged } = startWriter(path)
    t.after(() => writer.kill('SIGKILL'))
    while (acknowledged().length < 300) await once(writer.stdout, 'data')
    writer.kill('SIGKILL')
    await once(writer, 'close')

    const store = openSqliteStore(path)
    t.after(() => store.close())
    const kept = await idsWithFeedback(store)
    assert.deepEqual(
      acknowledged().filter(id => !kept.has(id)),
      [],
    )
  })

  test('two processes create the file and write to it at the same time, while a third reads', async t => {
    const path = aFile(t)
    const writers = [startWriter(path), startWriter(path)]
    t.after(() => writers.forEach(({ writer }) => void writer.kill('SIGKILL')))
    const store = openSqliteStore(path)
    t.after(() => store.close())
    while (writers.some(({ acknowledged }) => acknowledged().length < 100)) {
      await store.readTraffic({ limit: 20 })
      await store.setServing({ version: 'a', history: [] })
      await new Promise(resolve => setTimeout(resolve, 5))
    }
    for (const { writer } of writers) {
      assert.equal(writer.exitCode, null, 'a writer failed')
      writer.kill('SIGKILL')
      await once(writer, 'close')
    }
    const kept = await idsWithFeedback(store)
    for (const { acknowledged } of writers) assert.ok(acknowledged().every(id => kept.has(id)))
  })

  test('two that create the same file at the same moment both get it', async t => {
    const folder = dirname(aFile(t))
    const paths = Array.from({ length: 12 }, (_, i) => join(folder, `${i}.db`))
    const task = { paths, arrivals: new SharedArrayBuffer(4) }
    const other = new Worker(new URL('opener-worker.ts', import.meta.url), { workerData: task })
    t.after(() => other.terminate())
    const otherDone = once(other, 'message')
    await once(other, 'online')
    await openInStep(task)
    assert.deepEqual(await otherDone, ['done'])
  })

  test('a reopened file holds everything', async t => {
    const path = aFile(t)
    const before = openSqliteStore(path)
    await before.appendTraffic([aRecord('a')])
    await before.addFeedback([{ id: 'a', at: NOW, answer_correct: false }])
    await before.setServing({ version: 'b', history: ['a'] })
    await before.createJob(aJob('j'))
    await before.claimJob('me', 1000, NOW)
    await before.close()
    await before.close()

    const after = openSqliteStore(path)
    t.after(() => after.close())
    assert.deepEqual(await after.readTraffic({ limit: 1 }), [
      { record: aRecord('a'), feedback: [{ id: 'a', at: NOW, answer_correct: false }] },
    ])
    assert.deepEqual(await after.getServing(), { version: 'b', history: ['a'] })
    assert.equal(await after.renewLease('j', 'me', 1000, NOW), true)
  })
})

describe('sqlite: damage and refusals', () => {
  test('damaged rows are skipped, and a warning tells how many', async t => {
    const path = aFile(t)
    const warnings: unknown[] = []
    const store = openSqliteStore(path, { log: { warn: fields => void warnings.push(fields) } })
    t.after(() => store.close())
    await store.appendTraffic(['a', 'b', 'c', 'd'].map(id => aRecord(id)))
    await store.addFeedback([{ id: 'a', at: NOW, answer_correct: true }])
    await store.setServing({ version: 'a', history: [] })
    await store.createJob(aJob('j'))
    const db = new DatabaseSync(path)
    t.after(() => db.close())
    db.exec(`UPDATE traffic SET record = '{"id":"b"' WHERE id = 'b';
      UPDATE traffic SET record = json_set(record, '$.candidates[0].scores[0]', 'high') WHERE id = 'c';
      UPDATE feedback SET feedback = '{"id":"a","at":1,"answer_correct":"yes"}';
      UPDATE serving SET pointer = '{"version":7,"history":[]}';
      UPDATE jobs SET figures = '[]'`)

    const read = await store.readTraffic({ limit: 10 })
    assert.deepEqual(
      read.map(({ record }) => record.id),
      ['d', 'a'],
    )
    assert.deepEqual(read[1]!.feedback, [])
    assert.equal(await store.getServing(), null)
    assert.equal(await store.getJob('j'), null)
    assert.deepEqual(warnings, [
      { damaged: 2, what: 'traffic' },
      { damaged: 1, what: 'feedback' },
      { damaged: 1, what: 'serving' },
      { damaged: 1, what: 'jobs' },
    ])
  })

  test('a file from before jobs could be paused learns it, and keeps its job', async t => {
    const path = aFile(t)
    const first = openSqliteStore(path)
    await first.createJob(aJob('a'))
    await first.close()
    const db = new DatabaseSync(path)
    db.exec(`DROP INDEX jobs_one_active; PRAGMA user_version = 2;
      CREATE UNIQUE INDEX jobs_one_active ON jobs ((1)) WHERE state IN ('queued', 'running');`)
    db.close()
    const store = openSqliteStore(path)
    t.after(() => store.close())
    assert.equal((await store.updateJob('a', { state: 'paused' }))?.state, 'paused')
    assert.equal(await store.createJob(aJob('b')), false)
  })

  test('a file of a newer Spar is refused and left as it is', async t => {
    const path = aFile(t)
    await openSqliteStore(path).close()
    const db = new DatabaseSync(path)
    t.after(() => db.close())
    db.exec('PRAGMA user_version = 99')
    assert.throws(
      () => openSqliteStore(path),
      error => error instanceof AppError && error.code === 'NOT_READY' && /schema 99/.test(error.message),
    )
    assert.equal(db.prepare('PRAGMA user_version').get()?.user_version, 99)
  })

  test('a file that cannot be written is NOT_READY, and a write afterwards works', async t => {
    const path = aFile(t)
    const store = openSqliteStore(path)
    t.after(() => store.close())
    const db = new DatabaseSync(path)
    t.after(() => db.close())
    db.exec('BEGIN IMMEDIATE')
    await assert.rejects(
      store.appendTraffic([aRecord('a')]),
      error => error instanceof AppError && error.code === 'NOT_READY',
    )
    assert.deepEqual(await store.readTraffic({ limit: 1 }), [], 'reading goes on')
    db.exec('ROLLBACK')
    await store.appendTraffic([aRecord('a')])
    assert.equal(await store.countTraffic(), 1)
  })

  test('a file that is not a database is refused', t => {
    assert.throws(() => openSqliteStore(import.meta.filename), /not a database/)
    void t
  })
})
