// The Redis store: the conformance suite on a real server, then what only a server that goes away can show.
import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { after, before, describe, test } from 'node:test'
import { Redis } from 'ioredis'
import { AppError } from '../../src/errors.ts'
import { openRedisStore } from '../../src/store/redis.ts'
import { findRedisServer, type RedisServer, startRedisServer } from '../fakes/redis-server.ts'
import { storeConformance } from './conformance.ts'
import { aJob, aRecord, NOW } from './samples.ts'

const binary = findRedisServer()
const isNotReady = (error: unknown) => error instanceof AppError && error.code === 'NOT_READY'

if (binary !== null) redisTests(binary)
else
  test('redis', { skip: process.env.CI === 'true' ? false : 'there is no redis-server here' }, () =>
    assert.fail('CI has no redis-server: .ci/run must install it'),
  )

function redisTests(binary: string): void {
  let server: RedisServer
  before(async () => {
    server = await startRedisServer(binary)
  })
  after(() => server.stop())

  storeConformance('redis', {
    open() {
      const prefix = `test-${randomUUID()}:`
      return {
        connect: () => openRedisStore(server.url, { prefix }),
        async remove() {
          const redis = new Redis(server.url)
          const keys = await redis.keys(`${prefix}*`)
          if (keys.length > 0) await redis.del(keys)
          await redis.quit()
        },
      }
    },
  })

  describe('redis: server', () => {
    test('every key begins with the prefix, spar: by default', async t => {
      const store = openRedisStore(server.url)
      const redis = new Redis(server.url)
      t.after(() => Promise.all([store.close(), redis.quit()]))
      await redis.flushall()
      await store.appendTraffic([aRecord('a')])
      await store.addFeedback([{ id: 'a', at: NOW }])
      await store.setServing({ version: 'a', history: [] })
      await store.createJob(aJob('j'))
      const keys = await redis.keys('*')
      assert.ok(keys.length >= 7)
      assert.deepEqual(
        keys.filter(key => !key.startsWith('spar:')),
        [],
      )
      await store.pruneTraffic({ keep: 0 })
      assert.deepEqual((await redis.keys('spar:*')).sort(), [
        'spar:heard',
        'spar:job:j',
        'spar:jobs:active',
        'spar:jobs:order',
        'spar:seq',
        'spar:serving',
      ])
    })

    test('damaged values are skipped, and a warning tells how many', async t => {
      const warnings: unknown[] = []
      const prefix = 'damaged:'
      const store = openRedisStore(server.url, {
        prefix,
        log: { warn: fields => void warnings.push(fields) },
      })
      const redis = new Redis(server.url)
      t.after(() => Promise.all([store.close(), redis.quit()]))
      await store.appendTraffic(['a', 'b', 'c', 'd'].map(id => aRecord(id)))
      await store.addFeedback([{ id: 'a', at: NOW }])
      await store.createJob(aJob('j'))
      await redis.hset('damaged:traffic:records', 'b', '{', 'c', '{"id":"c"}')
      await redis.hdel('damaged:traffic:records', 'd')
      await redis.rpush('damaged:feedback:a', 'yes')
      await redis.set('damaged:serving', '[]')
      await redis.hset('damaged:job:j', 'reason', '{', 'percent', 'half')

      assert.deepEqual(await store.readTraffic({ limit: 10 }), [
        { record: aRecord('a'), feedback: [{ id: 'a', at: NOW }] },
      ])
      assert.equal(await store.getServing(), null)
      assert.equal(await store.getJob('j'), null)
      assert.deepEqual(warnings, [
        { damaged: 2, what: 'traffic' },
        { damaged: 1, what: 'feedback' },
        { damaged: 1, what: 'serving' },
        { damaged: 1, what: 'jobs' },
      ])
    })

    test('while the server is away verbs are NOT_READY, and they work when it is back', async t => {
      let own = await startRedisServer(binary)
      const warnings: string[] = []
      const store = openRedisStore(own.url, { log: { warn: (_, message) => void warnings.push(message) } })
      t.after(async () => {
        await store.close()
        await own.stop()
      })
      await store.appendTraffic([aRecord('a')])
      await own.stop()
      await assert.rejects(store.appendTraffic([aRecord('b')]), isNotReady)
      await assert.rejects(store.readTraffic({ limit: 1 }), isNotReady)
      assert.deepEqual(warnings, ['the connection to Redis was lost'])

      own = await startRedisServer(binary, { port: own.port })
      await eventually(() => store.appendTraffic([aRecord('b')]))
      assert.equal(await store.countTraffic(), 1)
    })

    test('closing with no server there ends at once', async () => {
      const own = await startRedisServer(binary)
      await own.stop()
      const store = openRedisStore(own.url)
      const pending = assert.rejects(store.countTraffic(), isNotReady)
      await store.close()
      await pending
    })

    test('a full server is NOT_READY', async t => {
      const own = await startRedisServer(binary)
      const store = openRedisStore(own.url)
      const redis = new Redis(own.url)
      t.after(async () => {
        await Promise.all([store.close(), redis.quit()])
        await own.stop()
      })
      await redis.config('SET', 'maxmemory', '1')
      await assert.rejects(store.appendTraffic([aRecord('a')]), isNotReady)
      await redis.config('SET', 'maxmemory', '0')
      await store.appendTraffic([aRecord('a')])
      assert.equal(await store.countTraffic(), 1)
    })

    test('a mistake of ours is not called an outage', async t => {
      const store = openRedisStore(server.url, { prefix: 'wrong:' })
      const redis = new Redis(server.url)
      t.after(() => Promise.all([store.close(), redis.quit()]))
      await redis.set('wrong:traffic:order', 'not a sorted set')
      await assert.rejects(store.countTraffic(), /WRONGTYPE/)
    })
  })
}

async function eventually(work: () => Promise<void>): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await work()
    } catch (error) {
      if (attempt === 50) throw error
      await new Promise(resolve => setTimeout(resolve, 50))
    }
  }
}
