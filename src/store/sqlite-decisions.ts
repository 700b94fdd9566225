// The decision record on SQLite: a row an entry, written under the file's write lock. Knows nothing of what was decided.
import type { DatabaseSync } from 'node:sqlite'
import { nextDecision, readDecision } from './decisions.ts'
import { keepReadable, readServing } from './rows.ts'
import { read, write } from './sqlite-transaction.ts'
import type { Decision, DecisionFacts, Serving, StoreLog } from './types.ts'

/** The decision verbs of the port, on an open database. */
export function sqliteDecisions(db: DatabaseSync, log: StoreLog | undefined) {
  const known = db.prepare('SELECT entry FROM decisions WHERE id = ?')
  const last = db.prepare('SELECT seq, entry FROM decisions ORDER BY seq DESC LIMIT 1')
  const all = db.prepare('SELECT entry FROM decisions ORDER BY seq')
  const insert = db.prepare('INSERT INTO decisions (seq, id, entry) VALUES (?, ?, ?)')
  const pointer = db.prepare('SELECT pointer FROM serving')
  const replace = db.prepare('INSERT OR REPLACE INTO serving (only, pointer) VALUES (1, ?)')

  /** The entry of that id, if there is one. */
  const recall = (id: string): Decision | null => readDecision(known.get(id)?.entry)

  function append(facts: DecisionFacts): Decision {
    const end = last.get()
    const entry = nextDecision(
      { length: Number(end?.seq ?? 0), last: end === undefined ? null : String(end.entry) },
      facts,
    )
    insert.run(entry.seq, entry.id, JSON.stringify(entry))
    return entry
  }

  return {
    async appendDecision(facts: DecisionFacts): Promise<Decision> {
      return write(db, 'power', () => recall(facts.id) ?? append(facts))
    },

    async moveServing(from: string, to: Serving, facts: DecisionFacts): Promise<Decision | null> {
      return write(db, 'power', () => {
        const done = recall(facts.id)
        if (done) return done
        const row = pointer.get()
        const now = row && keepReadable([readServing(row.pointer)], 'serving', log)[0]
        if (now?.version !== from) return null
        replace.run(JSON.stringify(to))
        return append(facts)
      })
    },

    async readDecisions(): Promise<string[]> {
      return read(db, () => all.all().map(row => String(row.entry)))
    },
  }
}
