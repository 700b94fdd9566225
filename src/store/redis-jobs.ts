// Jobs and their leases on Redis: a hash per job, a sorted set by age, one key for the active job. Knows nothing of
// what a job does.
import { exec, type Redis, reach, run } from './redis-client.ts'
import { CLAIM_JOB, CREATE_JOB, idOf, RENEW_LEASE, UPDATE_JOB } from './redis-scripts.ts'
import { asCount, isActive, keepReadable, parseJson, readJob } from './rows.ts'
import type { Job, JobChange, JobGuard, StoreLog } from './types.ts'

/** The job verbs of the port, on an open connection; `key` puts the prefix before a name. */
export function redisJobs(redis: Redis, key: (name: string) => string, log: StoreLog | undefined) {
  const active = key('jobs:active')
  const order = key('jobs:order')
  const jobKey = (id: string) => key(`job:${id}`)
  const readable = (hashes: readonly Record<string, string>[]) =>
    keepReadable(hashes.map(fromHash), 'jobs', log)
  // A script answers HGETALL as a flat array, and 0, -1 or false (null here) otherwise.
  const fromReply = (reply: unknown) =>
    Array.isArray(reply) ? (readable([pairUp(reply as string[])])[0] ?? null) : null

  return {
    async createJob(job: Job) {
      const keys = [active, jobKey(job.id), order, key('seq')]
      const head = [job.id, job.created_at, isActive(job.state) ? '1' : '0']
      return (await run(redis, CREATE_JOB, keys, [...head, ...toPairs(job)])) === 1
    },

    async getJob(id: string) {
      const hash = await reach(redis.hgetall(jobKey(id)))
      return Object.keys(hash).length === 0 ? null : (readable([hash])[0] ?? null)
    },

    async listJobs(limit: number) {
      const members = await reach(redis.zrevrangebyscore(order, '+inf', '-inf', 'LIMIT', 0, asCount(limit)))
      if (members.length === 0) return []
      const commands = redis.multi()
      for (const member of members) commands.hgetall(jobKey(idOf(member)))
      return readable((await exec(commands)) as Record<string, string>[])
    },

    async updateJob(id: string, change: JobChange, guard: JobGuard = {}): Promise<Job | null> {
      if (guard.states?.length === 0) return null
      const head = [id, guard.owner ?? '', guard.states?.join(',') ?? '']
      return fromReply(await run(redis, UPDATE_JOB, [active, jobKey(id)], [...head, ...toPairs(change)]))
    },

    async claimJob(owner: string, leaseMs: number, now: number): Promise<Job | null> {
      for (;;) {
        // Read outside the script, so that the script can declare the job's key.
        const id = await reach(redis.get(active))
        if (id === null) return null
        const reply = await run(redis, CLAIM_JOB, [active, jobKey(id)], [id, owner, now + leaseMs, now])
        if (reply !== -1) return fromReply(reply)
      }
    },

    async renewLease(id: string, owner: string, leaseMs: number, now: number) {
      return (await run(redis, RENEW_LEASE, [jobKey(id)], [owner, now + leaseMs])) === 1
    },
  }
}

const JSON_FIELDS: ReadonlySet<string> = new Set(['figures', 'params', 'reason'])

function toPairs(fields: Partial<Job>): (string | number)[] {
  return Object.entries(fields)
    .filter(([, value]) => value !== undefined)
    .flatMap(([name, value]) => [
      name,
      JSON_FIELDS.has(name) ? JSON.stringify(value) : (value as string | number),
    ])
}

function fromHash(hash: Record<string, string>): Job | null {
  const { id, state, stage, figures, params } = hash
  const [percent, created_at, updated_at] = [hash.percent, hash.created_at, hash.updated_at].map(Number)
  return readJob({
    id,
    state,
    stage,
    percent,
    figures,
    params,
    reason: parseJson(hash.reason),
    created_at,
    updated_at,
  })
}

function pairUp(flat: readonly string[]): Record<string, string> {
  const hash: Record<string, string> = {}
  for (let i = 0; i + 1 < flat.length; i += 2) hash[flat[i]!] = flat[i + 1]!
  return hash
}
