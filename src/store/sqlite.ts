// The store port on one SQLite file: traffic, feedback, serving pointer; jobs are in sqlite-jobs.ts. Knows no HTTP.
import type { DatabaseSync } from 'node:sqlite'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { asCount, HEARD, keepReadable, MOST_HEARD, readFeedback, readRecord, readServing } from './rows.ts'
import { sqliteDecisions } from './sqlite-decisions.ts'
import { sqliteJobs } from './sqlite-jobs.ts'
import { sqliteNotes } from './sqlite-notes.ts'
import { openDatabase } from './sqlite-schema.ts'
import { read, write } from './sqlite-transaction.ts'
import type {
  Feedback,
  LabelledTraffic,
  Retention,
  Serving,
  Store,
  StoreLog,
  TrafficRecord,
} from './types.ts'

/**
 * Opens the store at `path` (a file, created with its folders, or `:memory:`). Several processes may have it open.
 * Calls block the thread for as long as SQLite works. Traffic is written once per batch without waiting for the
 * disk, so it survives kill -9 but the last moments of it not a power cut; feedback, jobs and the serving
 * pointer are rare, cost work to make again, and wait for the disk.
 * @throws {AppError} NOT_READY when a newer Spar wrote the file
 */
export function openSqliteStore(path: string, options: { log?: StoreLog } = {}): Store {
  const db = openDatabase(path)
  return {
    ...sqliteTraffic(db, options.log),
    ...sqliteServing(db, options.log),
    ...sqliteDecisions(db, options.log),
    ...sqliteNotes(db, options.log),
    ...sqliteJobs(db, options.log),
    async close() {
      if (db.isOpen) db.close()
    },
  }
}

type Page = Parameters<Store['readTraffic']>[0]

// Each transaction holds the write lock for a moment only, so that other processes get in between.
const PRUNE_CHUNK = 500

function sqliteTraffic(db: DatabaseSync, log: StoreLog | undefined) {
  const insertRecord = db.prepare(
    'INSERT INTO traffic (id, at, record) VALUES (?, ?, ?) ON CONFLICT (id) DO NOTHING',
  )
  const known = db.prepare('SELECT 1 FROM traffic WHERE id = ?')
  const insertFeedback = db.prepare(
    'INSERT INTO feedback (id, feedback) VALUES (?, ?) ON CONFLICT (id, feedback) DO NOTHING',
  )
  const newest = db.prepare(
    'SELECT id, record FROM traffic WHERE at >= ? ORDER BY at DESC, seq DESC LIMIT ? OFFSET ?',
  )
  const heard = db.prepare(
    `SELECT record FROM traffic JOIN (
       SELECT id, max(seq) AS last FROM (SELECT id, seq FROM feedback ORDER BY seq DESC LIMIT ?) GROUP BY id
     ) USING (id) ORDER BY last DESC LIMIT ?`,
  )
  const feedbackOf = db.prepare('SELECT feedback FROM feedback WHERE id = ? ORDER BY seq')
  const count = db.prepare('SELECT count(*) AS n FROM traffic')
  const deleteOlder = db.prepare(
    'DELETE FROM traffic WHERE seq IN (SELECT seq FROM traffic WHERE at < ? ORDER BY at, seq LIMIT ?)',
  )
  const deleteOldest = db.prepare(
    'DELETE FROM traffic WHERE seq IN (SELECT seq FROM traffic ORDER BY at, seq LIMIT ?)',
  )
  const countFrom = db.prepare('SELECT count(*) AS n FROM traffic WHERE at >= ?')
  const countNow = () => Number(count.get()?.n)

  function labelled(rows: readonly Record<string, unknown>[]): LabelledTraffic[] {
    const records = keepReadable(
      rows.map(row => readRecord(row.record)),
      'traffic',
      log,
    )
    return records.map(record => {
      const given = feedbackOf.all(record.id).map(row => readFeedback(row.feedback))
      return { record, feedback: keepReadable(given, 'feedback', log) }
    })
  }

  return {
    async appendTraffic(records: readonly TrafficRecord[]) {
      if (records.length === 0) return
      write(db, 'process', () => {
        for (const record of records) insertRecord.run(record.id, record.at, JSON.stringify(record))
      })
    },

    async addFeedback(items: readonly Feedback[]) {
      if (items.length === 0) return []
      return write(db, 'power', () =>
        items.map(item => {
          if (known.get(item.id) === undefined) return false
          insertFeedback.run(item.id, JSON.stringify(item))
          return true
        }),
      )
    },

    async readTraffic({ limit, since, skip = 0 }: Page): Promise<LabelledTraffic[]> {
      // One snapshot: a record and its feedback never come from different moments.
      return read(db, () => labelled(newest.all(since ?? -Infinity, asCount(limit), asCount(skip))))
    },

    async readHeard(limit: number): Promise<LabelledTraffic[]> {
      return read(db, () => labelled(heard.all(HEARD, Math.min(asCount(limit), MOST_HEARD))))
    },

    async countTraffic(since?: number) {
      return read(db, () => (since === undefined ? countNow() : Number(countFrom.get(since)?.n)))
    },

    async pruneTraffic({ olderThan, keep }: Retention) {
      let gone = 0
      const deleteInChunks = async (deleteChunk: () => number) => {
        for (let n = PRUNE_CHUNK; n === PRUNE_CHUNK && db.isOpen; gone += n) {
          n = write(db, 'process', deleteChunk)
          await nextTurn() // whoever has this thread answers requests too
        }
      }
      if (olderThan !== undefined)
        await deleteInChunks(() => Number(deleteOlder.run(olderThan, PRUNE_CHUNK).changes))
      if (keep !== undefined)
        await deleteInChunks(() => {
          const surplus = Math.max(countNow() - asCount(keep), 0)
          return Number(deleteOldest.run(Math.min(surplus, PRUNE_CHUNK)).changes)
        })
      return gone
    },
  }
}

function sqliteServing(db: DatabaseSync, log: StoreLog | undefined) {
  const select = db.prepare('SELECT pointer FROM serving')
  const replace = db.prepare('INSERT OR REPLACE INTO serving (only, pointer) VALUES (1, ?)')
  return {
    async getServing() {
      const row = read(db, () => select.get())
      return row === undefined ? null : (keepReadable([readServing(row.pointer)], 'serving', log)[0] ?? null)
    },
    async setServing(serving: Serving) {
      write(db, 'power', () => replace.run(JSON.stringify(serving)))
    },
  }
}
