// The SQLite schema as a list of forward steps, and opening a file at the newest one. Knows no record format.
import { mkdirSync } from 'node:fs'
import { dirname } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { AppError } from '../errors.ts'

// Step i takes a file from `user_version` i to i + 1. Steps are only ever added: shipped ones never change.
const MIGRATIONS: readonly string[] = [
  `CREATE TABLE traffic (
     seq INTEGER PRIMARY KEY AUTOINCREMENT,
     id TEXT NOT NULL UNIQUE,
     at REAL NOT NULL,
     record TEXT NOT NULL
   ) STRICT;
   CREATE INDEX traffic_at ON traffic (at, seq);
   CREATE TABLE feedback (
     seq INTEGER PRIMARY KEY AUTOINCREMENT,
     id TEXT NOT NULL REFERENCES traffic (id) ON DELETE CASCADE,
     feedback TEXT NOT NULL
   ) STRICT;
   CREATE UNIQUE INDEX feedback_once ON feedback (id, feedback);
   CREATE TABLE serving (only INTEGER PRIMARY KEY CHECK (only = 1), pointer TEXT NOT NULL) STRICT;
   CREATE TABLE jobs (
     seq INTEGER PRIMARY KEY AUTOINCREMENT,
     id TEXT NOT NULL UNIQUE,
     state TEXT NOT NULL,
     stage TEXT NOT NULL,
     percent REAL NOT NULL,
     figures TEXT NOT NULL,
     params TEXT NOT NULL,
     reason TEXT,
     created_at REAL NOT NULL,
     updated_at REAL NOT NULL,
     owner TEXT,
     lease_until REAL NOT NULL DEFAULT 0
   ) STRICT;
   CREATE INDEX jobs_created_at ON jobs (created_at, seq);
   CREATE UNIQUE INDEX jobs_one_active ON jobs ((1)) WHERE state IN ('queued', 'running');`,
  `CREATE TABLE decisions (seq INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, entry TEXT NOT NULL) STRICT;
   CREATE TABLE notes (key TEXT PRIMARY KEY, revision INTEGER NOT NULL, value TEXT NOT NULL) STRICT;`,
  `DROP INDEX jobs_one_active;
   CREATE UNIQUE INDEX jobs_one_active ON jobs ((1)) WHERE state IN ('queued', 'running', 'paused');`,
]

// Long enough for any transaction of ours in another process; no longer, since the waiting thread serves nobody.
const BUSY_TIMEOUT_MS = 1000

/**
 * Opens or creates the file, with its folders, and brings it to the newest schema. `:memory:` works too.
 * Several processes may do so at the same time.
 * @throws {AppError} NOT_READY when a newer Spar wrote the file
 */
export function openDatabase(path: string): DatabaseSync {
  if (path !== ':memory:') mkdirSync(dirname(path), { recursive: true })
  const db = new DatabaseSync(path, { timeout: BUSY_TIMEOUT_MS, enableForeignKeyConstraints: true })
  try {
    useWal(db)
    // A WAL that one long read let grow is cut back at the next checkpoint.
    db.exec('PRAGMA journal_size_limit = 67108864')
    migrate(db)
    return db
  } catch (error) {
    db.close()
    throw error
  }
}

// Turning WAL on needs the file alone, and SQLite answers "locked" at once, without waiting for the busy timeout,
// when two processes create the same file. Whoever loses finds it done.
function useWal(db: DatabaseSync): void {
  for (let attempt = 1; ; attempt++) {
    try {
      db.exec('PRAGMA journal_mode = WAL')
      return
    } catch (error) {
      const busy = (error as { errcode?: unknown }).errcode === 5
      if (!busy || attempt === 20) throw error
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 25)
    }
  }
}

function migrate(db: DatabaseSync): void {
  if (schemaVersion(db) === MIGRATIONS.length) return
  db.exec('PRAGMA synchronous = FULL; BEGIN IMMEDIATE')
  try {
    // Read again under the lock: another process may have migrated meanwhile.
    const from = schemaVersion(db)
    if (from > MIGRATIONS.length)
      throw new AppError(
        'NOT_READY',
        `The database was written by a newer Spar (schema ${from}; this one knows ${MIGRATIONS.length}).`,
      )
    for (const step of MIGRATIONS.slice(from)) db.exec(step)
    db.exec(`PRAGMA user_version = ${MIGRATIONS.length}; COMMIT`)
  } catch (error) {
    if (db.isTransaction) db.exec('ROLLBACK')
    throw error
  }
}

function schemaVersion(db: DatabaseSync): number {
  return Number(db.prepare('PRAGMA user_version').get()?.user_version)
}
