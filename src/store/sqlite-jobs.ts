// Jobs and their leases on SQLite. Knows nothing of what a job does.
import type { DatabaseSync } from 'node:sqlite'
import { applyChange, asCount, isActive, type JobRow, keepReadable, readJob } from './rows.ts'
import { read, write } from './sqlite-transaction.ts'
import type { Job, JobChange, JobGuard, StoreLog } from './types.ts'

/** The job verbs of the port, on an open database. */
export function sqliteJobs(db: DatabaseSync, log: StoreLog | undefined) {
  // The conflict may be a taken id or, by the partial unique index, a second active job.
  const insert = db.prepare(
    `INSERT INTO jobs (id, state, stage, percent, figures, params, reason, created_at, updated_at)
     VALUES (:id, :state, :stage, :percent, :figures, :params, :reason, :created_at, :updated_at)
     ON CONFLICT DO NOTHING`,
  )
  const select = db.prepare('SELECT * FROM jobs WHERE id = ?')
  const newest = db.prepare('SELECT * FROM jobs ORDER BY created_at DESC, seq DESC LIMIT ?')
  const otherActive = db.prepare(
    `SELECT 1 FROM jobs WHERE state IN ('queued', 'running', 'paused') AND id <> ?`,
  )
  const update = db.prepare(
    `UPDATE jobs SET state = :state, stage = :stage, percent = :percent, figures = :figures, reason = :reason,
       updated_at = :updated_at, owner = iif(:state = 'running', owner, NULL),
       lease_until = iif(:state = 'running', lease_until, 0)
     WHERE id = :id`,
  )
  const claim = db.prepare(
    `UPDATE jobs SET state = 'running', owner = :owner, lease_until = :until, updated_at = :now
     WHERE id = (
       SELECT id FROM jobs WHERE state = 'queued' OR (state = 'running' AND lease_until <= :now)
       ORDER BY created_at, seq LIMIT 1
     ) RETURNING *`,
  )
  const renew = db.prepare(
    `UPDATE jobs SET lease_until = :until WHERE id = :id AND owner = :owner AND state = 'running'`,
  )
  const jobs = (rows: readonly unknown[]) =>
    keepReadable(
      rows.map(row => readJob(row as JobRow)),
      'jobs',
      log,
    )

  return {
    async createJob(job: Job) {
      return write(db, 'power', () => Number(insert.run(stored(job)).changes) === 1)
    },

    async getJob(id: string) {
      const row = read(db, () => select.get(id))
      return row === undefined ? null : (jobs([row])[0] ?? null)
    },

    async listJobs(limit: number) {
      return jobs(read(db, () => newest.all(asCount(limit))))
    },

    async updateJob(id: string, change: JobChange, guard: JobGuard = {}): Promise<Job | null> {
      return write(db, 'power', () => {
        const row = select.get(id)
        const before = row === undefined ? undefined : jobs([row])[0]
        if (before === undefined) return null
        if (guard.owner !== undefined && row?.owner !== guard.owner) return null
        if (guard.states !== undefined && !guard.states.includes(before.state)) return null
        const after = applyChange(before, change)
        if (isActive(after.state) && otherActive.get(id) !== undefined) return null
        const { params: _params, created_at: _createdAt, ...fields } = stored(after)
        update.run(fields)
        return after
      })
    },

    async claimJob(owner: string, leaseMs: number, now: number) {
      const row = write(db, 'power', () => claim.get({ owner, now, until: now + leaseMs }))
      return row === undefined ? null : (jobs([row])[0] ?? null)
    },

    async renewLease(id: string, owner: string, leaseMs: number, now: number) {
      return write(db, 'process', () => Number(renew.run({ id, owner, until: now + leaseMs }).changes) === 1)
    },
  }
}

// Only these fields: SQLite refuses a parameter that the statement does not name.
function stored({ id, state, stage, percent, figures, params, reason, created_at, updated_at }: Job) {
  const texts = { figures: JSON.stringify(figures), params: JSON.stringify(params) }
  return { id, state, stage, percent, reason, created_at, updated_at, ...texts }
}
