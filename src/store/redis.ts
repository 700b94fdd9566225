// The store port on Redis: traffic, feedback, serving pointer; jobs are in redis-jobs.ts. Knows no HTTP.
import { connect, disconnect, exec, type Redis, reach, run } from './redis-client.ts'
import { redisDecisions } from './redis-decisions.ts'
import { redisJobs } from './redis-jobs.ts'
import { redisNotes } from './redis-notes.ts'
import { ADD_FEEDBACK, APPEND, idOf } from './redis-scripts.ts'
import { asCount, HEARD, keepReadable, MOST_HEARD, readFeedback, readRecord, readServing } from './rows.ts'
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
 * The store on a Redis server (6.2 or newer) at `url`, shared by any number of processes. Connects in the background:
 * verbs wait for the first connection. What a resolved append survives on the server's side is the server's
 * `appendonly` and `appendfsync`; a killed client loses nothing. Every key begins with `prefix`, default `spar:`.
 */
export function openRedisStore(url: string, options: { prefix?: string; log?: StoreLog } = {}): Store {
  const redis = connect(url, options.log)
  const key = (name: string) => (options.prefix ?? 'spar:') + name
  return {
    ...redisTraffic(redis, key, options.log),
    ...redisServing(redis, key, options.log),
    ...redisDecisions(redis, key, options.log),
    ...redisNotes(redis, key, options.log),
    ...redisJobs(redis, key, options.log),
    close: () => disconnect(redis),
  }
}

// Redis answers nobody else while it works on one command, so long work goes in pieces.
const READ_CHUNK = 200
const PRUNE_CHUNK = 500

// `order` is a sorted set by `at`, `records` a hash by id. A stream would keep arrival order only.
function redisTraffic(redis: Redis, key: (name: string) => string, log: StoreLog | undefined) {
  const order = key('traffic:order')
  const records = key('traffic:records')
  /** Ids of what was spoken of last, newest first, as often as it was. */
  const heard = key('heard')
  const feedbackKey = (id: string) => key(`feedback:${id}`)

  async function readChunk(ids: readonly string[]): Promise<LabelledTraffic[]> {
    // One MULTI: a record and its feedback never come from different moments.
    const commands = redis.multi().hmget(records, ...ids)
    for (const id of ids) commands.lrange(feedbackKey(id), 0, -1)
    const [texts, ...lists] = (await exec(commands)) as [(string | null)[], ...string[][]]
    const rows = texts.flatMap((text, i) => {
      if (text === null) return [] // pruned since its id was read
      const record = readRecord(text)
      return [record && { record, texts: lists[i]! }]
    })
    return keepReadable(rows, 'traffic', log).map(({ record, texts }) => ({
      record,
      feedback: keepReadable(texts.map(readFeedback), 'feedback', log),
    }))
  }

  async function readAll(ids: readonly string[]): Promise<LabelledTraffic[]> {
    const found: LabelledTraffic[] = []
    for (let i = 0; i < ids.length; i += READ_CHUNK)
      found.push(...(await readChunk(ids.slice(i, i + READ_CHUNK))))
    return found
  }

  async function forget(members: readonly string[]): Promise<number> {
    const ids = members.map(idOf)
    const commands = redis
      .multi()
      .zrem(order, ...members)
      .hdel(records, ...ids)
      .del(...ids.map(feedbackKey))
    return Number((await exec(commands))[0])
  }

  async function forgetAll(nextMembers: () => Promise<string[]>): Promise<number> {
    let gone = 0
    for (let members = await nextMembers(); members.length > 0; members = await nextMembers())
      gone += await forget(members)
    return gone
  }

  return {
    async appendTraffic(items: readonly TrafficRecord[]) {
      if (items.length === 0) return
      const args = items.flatMap(record => [record.id, record.at, JSON.stringify(record)])
      await run(redis, APPEND, [order, records, key('seq')], args)
    },

    async addFeedback(items: readonly Feedback[]) {
      if (items.length === 0) return []
      const keys = [records, heard, ...items.map(item => feedbackKey(item.id))]
      const args = items.flatMap(item => [item.id, JSON.stringify(item)])
      const known = (await run(redis, ADD_FEEDBACK, keys, args)) as number[]
      return known.map(n => n === 1)
    },

    async readTraffic({
      limit,
      since = -Infinity,
      skip = 0,
    }: Parameters<Store['readTraffic']>[0]): Promise<LabelledTraffic[]> {
      const from = since === -Infinity ? '-inf' : String(since)
      const members = await reach(
        redis.zrevrangebyscore(order, '+inf', from, 'LIMIT', asCount(skip), asCount(limit)),
      )
      return readAll(members.map(idOf))
    },

    async readHeard(limit: number): Promise<LabelledTraffic[]> {
      const ids = [...new Set(await reach(redis.lrange(heard, 0, HEARD - 1)))]
      return readAll(ids.slice(0, Math.min(asCount(limit), MOST_HEARD)))
    },

    async countTraffic(since?: number) {
      return reach(since === undefined ? redis.zcard(order) : redis.zcount(order, since, '+inf'))
    },

    async pruneTraffic({ olderThan, keep }: Retention) {
      let gone = 0
      if (olderThan !== undefined)
        gone += await forgetAll(() =>
          reach(redis.zrangebyscore(order, '-inf', `(${olderThan}`, 'LIMIT', 0, PRUNE_CHUNK)),
        )
      if (keep !== undefined)
        gone += await forgetAll(async () => {
          const surplus = (await reach(redis.zcard(order))) - asCount(keep)
          return surplus > 0 ? reach(redis.zrange(order, 0, String(Math.min(surplus, PRUNE_CHUNK) - 1))) : []
        })
      return gone
    },
  }
}

function redisServing(redis: Redis, key: (name: string) => string, log: StoreLog | undefined) {
  const pointer = key('serving')
  return {
    async getServing() {
      const text = await reach(redis.get(pointer))
      return text === null ? null : (keepReadable([readServing(text)], 'serving', log)[0] ?? null)
    },
    async setServing(serving: Serving) {
      await reach(redis.set(pointer, JSON.stringify(serving)))
    },
  }
}
