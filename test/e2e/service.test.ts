// The whole service from outside: what is acknowledged as logged survives kill -9, a promoted critic survives a restart, a
// round ends in a decision while clients critique, and shutting down ends cleanly.
import assert from 'node:assert/strict'
import { cpSync, readFileSync, writeFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { after, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { SHIPPED_CRITIC } from '../../src/cli/options.ts'
import { openRedisStore } from '../../src/store/redis.ts'
import { openSqliteStore } from '../../src/store/sqlite.ts'
import { shutDoor } from '../fakes/door.ts'
import { findRedisServer, startRedisServer } from '../fakes/redis-server.ts'
import { startTestService, type TestService, type TestServiceOptions } from '../fakes/service.ts'
import { tempFolder } from '../fakes/tiny-critic.ts'

const SHIPPED = fileURLToPath(new URL(`../../${SHIPPED_CRITIC}`, import.meta.url))
const VERSION = basename(SHIPPED)
const PROBLEM = 'A box holds 48 pens. Half are sold. How many are left?'
const ITEM = { problem: PROBLEM, steps: ['Half of 48 is 48 / 2 = 24.', 'So 48 - 24 = 24 pens are left.'] }

const redisBinary = findRedisServer()
const folders: ReturnType<typeof tempFolder>[] = []
const services: TestService[] = []
async function start(
  dataDir?: string,
  options?: TestServiceOptions,
): Promise<{ service: TestService; dataDir: string }> {
  let dir = dataDir
  if (dir === undefined) {
    const folder = tempFolder()
    folders.push(folder)
    dir = folder.path
  }
  const service = await startTestService(dir, options)
  services.push(service)
  return { service, dataDir: dir }
}
after(async () => {
  for (const service of services) await service.stop('SIGKILL')
  for (const folder of folders) folder.remove()
})

/** A copy of the shipped critic under another version, as a round would leave it. */
function plantCritic(dataDir: string, version: string): void {
  const dir = join(dataDir, 'critics', version)
  cpSync(SHIPPED, dir, { recursive: true })
  const path = join(dir, 'manifest.json')
  writeFileSync(path, JSON.stringify({ ...JSON.parse(readFileSync(path, 'utf8')), version, parent: VERSION }))
}

test('kill -9 loses no traffic that feedback was accepted for', async () => {
  const { service, dataDir } = await start()
  const ids: string[] = []
  for (let i = 0; i < 20; i++)
    ids.push(((await service.post('/critique', ITEM)) as { request_id: string }).request_id)
  const items = ids.map(request_id => ({ request_id, answer_correct: true }))
  const { accepted } = (await service.post('/feedback', { items })) as { accepted: number }
  assert.equal(accepted, 20)
  await service.stop('SIGKILL')
  const store = openSqliteStore(join(dataDir, 'spar.sqlite'))
  const kept = await store.readTraffic({ limit: 100 })
  await store.close()
  assert.deepEqual(kept.map(({ record }) => record.id).sort(), ids.toSorted())
  assert.ok(kept.every(({ feedback }) => feedback[0]?.answer_correct === true))
})

test('kill -9 while Redis is away loses no traffic that was answered', {
  skip: redisBinary === null && process.env['CI'] !== 'true' ? 'there is no redis-server here' : false,
}, async () => {
  assert.ok(redisBinary, 'CI has no redis-server: .ci/run must install it')
  const redis = await startRedisServer(redisBinary)
  const options = { settings: { REDIS_URL: redis.url } }
  const { service, dataDir } = await start(undefined, options)
  await redis.stop()
  const ids: string[] = []
  for (let i = 0; i < 20; i++)
    ids.push(((await service.post('/critique', ITEM)) as { request_id: string }).request_id)
  await service.stop('SIGKILL')

  const again = await startRedisServer(redisBinary, { port: redis.port })
  await start(dataDir, options)
  const store = openRedisStore(again.url)
  while ((await store.countTraffic()) < ids.length) await new Promise(resolve => setTimeout(resolve, 100))
  const kept = await store.readTraffic({ limit: 100 })
  assert.deepEqual(kept.map(({ record }) => record.id).toSorted(), ids.toSorted())
  await store.close()
  await again.stop()
})

test('an idle connection stays open for longer than a load balancer keeps it', async () => {
  const { service } = await start()
  const { headers } = await fetch(`${service.url}/healthz`)
  assert.equal(headers.get('keep-alive'), 'timeout=75')
})

test('a promoted critic serves on after a restart, and rollback returns to its parent', async () => {
  const { service, dataDir } = await start()
  plantCritic(dataDir, 'trained-x')
  assert.deepEqual(await service.post('/admin/critics/trained-x/promote'), {
    serving: 'trained-x',
    previous: VERSION,
  })
  assert.equal(((await service.post('/critique', ITEM)) as { critic: string }).critic, 'trained-x')
  assert.equal(await service.stop(), 0)
  const again = (await start(dataDir)).service
  assert.equal(((await again.get('/readyz')) as { critic: string }).critic, 'trained-x')
  assert.deepEqual(await again.post('/admin/critics/rollback'), { serving: VERSION, previous: 'trained-x' })
  assert.equal(((await again.post('/critique', ITEM)) as { critic: string }).critic, VERSION)
  await again.stop()
})

test('a damaged trained critic does not keep the service down: the shipped one serves', async () => {
  const { service, dataDir } = await start()
  plantCritic(dataDir, 'trained-x')
  await service.post('/admin/critics/trained-x/promote')
  await service.stop()
  writeFileSync(join(dataDir, 'critics', 'trained-x', 'model.onnx'), 'not a model')
  const again = (await start(dataDir)).service
  assert.equal(((await again.get('/readyz')) as { critic: string }).critic, VERSION)
  assert.equal(
    ((await again.post('/admin/critics/trained-x/promote')) as { code: string }).code,
    'CRITIC_INVALID',
  )
  await again.stop()
})

test('a service whose store is away at its start becomes ready when the store is there', {
  skip: redisBinary === null && 'there is no redis-server here',
}, async t => {
  const redis = await startRedisServer(redisBinary!)
  t.after(() => redis.stop())
  const door = await shutDoor(redis.port)
  t.after(() => door.close())
  const { service } = await start(undefined, {
    settings: { REDIS_URL: `redis://127.0.0.1:${door.port}` },
    onLine: line => line.includes('no critic to serve') && door.open(),
  })
  assert.ok(service.lines.some(line => line.includes('no critic to serve')))
  assert.equal(((await service.post('/critique', ITEM)) as { critic: string }).critic, VERSION)
  assert.equal(await service.stop(), 0)
})

test('swaps under load fail no request', async () => {
  const { service, dataDir } = await start()
  plantCritic(dataDir, 'trained-x')
  const versions = new Set<string>()
  let failed = 0
  let stopped = false
  const client = async () => {
    while (!stopped) {
      const answer = (await service.post('/critique', ITEM)) as { critic?: string }
      if (answer.critic === undefined) failed++
      else versions.add(answer.critic)
    }
  }
  const clients = Promise.all(Array.from({ length: 8 }, client))
  for (const version of ['trained-x', VERSION, 'trained-x', VERSION, 'trained-x']) {
    await service.post(`/admin/critics/${version}/promote`)
    await new Promise(resolve => setTimeout(resolve, 50))
  }
  stopped = true
  await clients
  assert.equal(failed, 0)
  assert.deepEqual([...versions].sort(), [VERSION, 'trained-x'])
  assert.equal(await service.stop(), 0)
})

test('a round started over HTTP ends in a decision with its figures while clients critique', {
  timeout: 110_000,
}, async () => {
  const { service } = await start()
  const started = (await service.post('/admin/retrain', { minutes: 0.1, seed: 1 })) as {
    id: string
    state: string
  }
  assert.equal(started.state, 'queued')
  assert.equal(((await service.post('/admin/retrain', {})) as { code: string }).code, 'JOB_RUNNING')
  const stages = new Set<string>()
  let job = started as {
    id: string
    state: string
    stage: string
    percent: number
    figures: Record<string, unknown>
  }
  while (['queued', 'running'].includes(job.state)) {
    const critique = (await service.post('/critique', ITEM)) as { critic?: string }
    assert.ok(critique.critic)
    job = (await service.get(`/admin/jobs/${started.id}`)) as typeof job
    stages.add(job.stage)
    await new Promise(resolve => setTimeout(resolve, 100))
  }
  assert.ok(['promoted', 'rejected'].includes(job.state), JSON.stringify(job))
  assert.equal(job.percent, 100)
  assert.ok(stages.has('learn') && stages.has('evaluate'), [...stages].join())
  for (const figure of ['parent', 'data_hash', 'serving', 'candidate', 'gate', 'seconds'])
    assert.ok(figure in job.figures, figure)
  const { serving, critics } = (await service.get('/admin/critics')) as {
    serving: string
    critics: { version: string }[]
  }
  const made = `trained-${started.id.replace('job_', '')}`
  assert.ok(critics.some(critic => critic.version === made))
  assert.equal(serving, job.state === 'promoted' ? made : VERSION)
  assert.equal(await service.stop(), 0)
})

test('no log line holds a problem, a step or a key', async () => {
  const { service } = await start()
  await service.post('/critique', ITEM)
  await service.post('/search', {
    problem: PROBLEM,
    llm: { upstream: 'builtin' },
    method: 'best_of_n',
    params: { n: 2 },
  })
  await service.stop()
  assert.ok(service.lines.length > 3)
  const log = service.lines.join('\n')
  for (const secret of ['pens', '48 / 2', 'letmein']) assert.ok(!log.includes(secret), secret)
})
