// Two real servers on one Redis and one folder of critics: what one decides the other follows, and each goes on without the other.
import assert from 'node:assert/strict'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { findRedisServer, startRedisServer } from '../fakes/redis-server.ts'
import { startTestService, type TestService } from '../fakes/service.ts'
import { tempFolder, writeTinyCritic } from '../fakes/tiny-critic.ts'

const binary = findRedisServer()
const folder = tempFolder()
const started: TestService[] = []
after(async () => {
  for (const service of started) await service.stop('SIGKILL')
  folder.remove()
})

interface Decisions {
  readonly decisions: readonly { readonly kind: string; readonly critic: string; readonly by: string }[]
  readonly check: { readonly ok: boolean; readonly entries: number }
}

const servingOf = async (service: TestService) =>
  ((await service.get('/readyz')) as { critic: string }).critic

async function until(holds: () => Promise<boolean>): Promise<void> {
  for (let tries = 0; !(await holds()); tries++) {
    assert.ok(tries < 200, 'it takes too long')
    await new Promise(resolve => setTimeout(resolve, 100))
  }
}

test('a promotion and a rollback reach every server, and each answers on without the others', {
  timeout: 118_000,
  skip: binary === null && process.env['CI'] !== 'true' ? 'there is no redis-server here' : false,
}, async () => {
  assert.ok(binary, 'CI has no redis-server: .ci/run must install it')
  const redis = await startRedisServer(binary)
  await writeTinyCritic(join(folder.path, 'critics', 'tiny'), { version: 'tiny@9.0.0' })
  const settings = { REDIS_URL: redis.url, SPAR_THREADS: '1' }
  const [one, two] = [
    await startTestService(folder.path, { settings }),
    await startTestService(folder.path, { settings }),
  ]
  started.push(one, two)
  const before = await servingOf(two)

  await one.post('/admin/critics/tiny@9.0.0/promote')
  await until(async () => (await servingOf(two)) === 'tiny@9.0.0')
  await two.post('/admin/critics/rollback')
  await until(async () => (await servingOf(one)) === before)
  const { decisions, check } = (await one.get('/admin/decisions')) as Decisions
  assert.deepEqual(
    decisions.map(({ kind, critic, by }) => [kind, critic, by]),
    [
      ['rollback', 'tiny@9.0.0', 'admin'],
      ['promotion', 'tiny@9.0.0', 'admin'],
    ],
  )
  assert.deepEqual([check.ok, check.entries], [true, 2])
  for (const [server, kind] of [
    [one, 'promotion'],
    [two, 'rollback'],
  ] as const) {
    const metrics = await (await fetch(`${server.url}/metrics`)).text()
    assert.match(
      metrics,
      new RegExp(`^spar_decisions_total\\{kind="${kind}"\\} 1$`, 'm'),
      'who moved it counts it',
    )
  }

  const critique = { problem: 'x', steps: ['1 + 1 = 2'] }
  await one.stop('SIGKILL')
  assert.equal(((await two.post('/critique', critique)) as { critic: string }).critic, before)
  await redis.stop()
  assert.equal(((await two.post('/critique', critique)) as { critic: string }).critic, before)
})
