// Shared notes on Redis: one hash, a field a note. Knows nothing of what they say.
import { type Redis, reach, run } from './redis-client.ts'
import { PUT_NOTE } from './redis-scripts.ts'
import { keepReadable, parseJson } from './rows.ts'
import type { Note, StoreLog } from './types.ts'

/** The note verbs of the port, on an open connection; `key` puts the prefix before a name. */
export function redisNotes(redis: Redis, key: (name: string) => string, log: StoreLog | undefined) {
  const hash = key('notes')
  const notes = (fields: readonly (readonly [name: string, text: string])[]) =>
    keepReadable(
      fields.map(([name, text]) => readNote(name, text)),
      'notes',
      log,
    )

  return {
    async getNote(name: string): Promise<Note | null> {
      const text = await reach(redis.hget(hash, name))
      return text === null ? null : (notes([[name, text]])[0] ?? null)
    },

    async listNotes(prefix: string): Promise<Note[]> {
      const all = Object.entries(await reach(redis.hgetall(hash)))
      const own = all.filter(([name]) => name.startsWith(prefix))
      return notes(own.toSorted(([a], [b]) => (a < b ? -1 : 1)))
    },

    async putNote(name: string, value: unknown, revision: number): Promise<boolean> {
      const text = value === null ? '' : JSON.stringify(value)
      return (await run(redis, PUT_NOTE, [hash], [name, revision, text])) === 1
    },
  }
}

function readNote(key: string, text: string): Note | null {
  const space = text.indexOf(' ')
  const value = parseJson(text.slice(space + 1))
  return value === undefined ? null : { key, revision: Number(text.slice(0, space)), value }
}
