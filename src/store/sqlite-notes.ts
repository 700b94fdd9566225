// Shared notes on SQLite: a row a note. Knows nothing of what they say.
import type { DatabaseSync } from 'node:sqlite'
import { keepReadable, parseJson } from './rows.ts'
import { read, write } from './sqlite-transaction.ts'
import type { Note, StoreLog } from './types.ts'

/** The note verbs of the port, on an open database. */
export function sqliteNotes(db: DatabaseSync, log: StoreLog | undefined) {
  const select = db.prepare('SELECT * FROM notes WHERE key = ?')
  const beginning = db.prepare(
    'SELECT * FROM notes WHERE substr(key, 1, length(:prefix)) = :prefix ORDER BY key',
  )
  const insert = db.prepare(
    'INSERT INTO notes (key, revision, value) VALUES (?, 1, ?) ON CONFLICT DO NOTHING',
  )
  const update = db.prepare(
    'UPDATE notes SET revision = revision + 1, value = ? WHERE key = ? AND revision = ?',
  )
  const remove = db.prepare('DELETE FROM notes WHERE key = ? AND revision = ?')
  const notes = (rows: readonly Record<string, unknown>[]) =>
    keepReadable(
      rows.map(({ key, revision, value }): Note | null => {
        const parsed = parseJson(value)
        return parsed === undefined ? null : { key: String(key), revision: Number(revision), value: parsed }
      }),
      'notes',
      log,
    )

  return {
    async getNote(key: string): Promise<Note | null> {
      const row = read(db, () => select.get(key))
      return row === undefined ? null : (notes([row])[0] ?? null)
    },

    async listNotes(prefix: string): Promise<Note[]> {
      return notes(read(db, () => beginning.all({ prefix })))
    },

    async putNote(key: string, value: unknown, revision: number): Promise<boolean> {
      return write(db, 'power', () => {
        if (value === null)
          return revision === 0 ? select.get(key) === undefined : did(remove.run(key, revision))
        const text = JSON.stringify(value)
        return did(revision === 0 ? insert.run(key, text) : update.run(text, key, revision))
      })
    },
  }
}

const did = ({ changes }: { changes: number | bigint }): boolean => Number(changes) === 1
