// One SQLite transaction with a chosen durability, and SQLite's failures as ours. Knows no table.
import type { DatabaseSync } from 'node:sqlite'
import { AppError } from '../errors.ts'

/**
 * What a commit survives. With WAL a commit is in the kernel's hands when it returns, so `process` (NORMAL) already
 * survives kill -9; `power` (FULL) also waits for the disk. See https://www.sqlite.org/pragma.html#pragma_synchronous
 */
type Survives = 'process' | 'power'

/** Runs `work` in one write transaction: all of it is stored, or none. @throws {AppError} NOT_READY */
export function write<T>(db: DatabaseSync, survives: Survives, work: () => T): T {
  // IMMEDIATE takes the write lock first, where the busy timeout applies; a read that turns into a write could fail
  // at once instead (SQLITE_BUSY_SNAPSHOT).
  return transaction(
    db,
    `PRAGMA synchronous = ${survives === 'power' ? 'FULL' : 'NORMAL'}; BEGIN IMMEDIATE`,
    work,
  )
}

/** Runs `work` on one snapshot of the file. @throws {AppError} NOT_READY */
export function read<T>(db: DatabaseSync, work: () => T): T {
  return transaction(db, 'BEGIN', work)
}

function transaction<T>(db: DatabaseSync, begin: string, work: () => T): T {
  try {
    db.exec(begin)
    const result = work()
    db.exec('COMMIT')
    return result
  } catch (error) {
    // SQLite has already rolled back after some failures (disk full, input/output).
    if (db.isOpen && db.isTransaction) db.exec('ROLLBACK')
    throw isOutage(error)
      ? new AppError('NOT_READY', 'The store cannot be used at the moment.', { cause: error, retryAfterS: 1 })
      : error
  }
}

// Primary result codes of https://www.sqlite.org/rescode.html that say "not now" and not "you asked wrongly".
const OUTAGES: ReadonlySet<number> = new Set([
  5, // BUSY
  6, // LOCKED
  8, // READONLY
  10, // IOERR
  13, // FULL
  14, // CANTOPEN
])

function isOutage(error: unknown): boolean {
  const code = (error as { errcode?: unknown }).errcode
  // The low byte is the primary code; the rest says more about it.
  return typeof code === 'number' && OUTAGES.has(code & 0xff)
}
