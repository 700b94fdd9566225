// What a server does with a critic that was promoted, and without its store.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { AppError } from '../../src/errors.ts'
import { createLog } from '../../src/log.ts'
import { openDesk } from '../../src/rollout/desk.ts'
import { startWatch } from '../../src/rollout/run.ts'
import { readRollout, readTallies } from '../../src/rollout/state.ts'
import { openSqliteStore } from '../../src/store/sqlite.ts'
import { aCritic, aWorld, ITEM, PLAN } from './world.ts'

test('what was promoted is taken back when it fails, once, by whichever server sees it', async t => {
  const world = aWorld(t, 'fails')
  world.serving = 'child'
  await startWatch(
    { ...world, plan: PLAN, id: 'job_1', candidate: 'child', parent: 'parent', now: () => world.clock },
    {},
  )
  await world.look()
  for (let i = 0; i < 30; i++)
    await assert.rejects(world.desks[i % 2]!.criticFor(`${i}`).critic.judge([ITEM]))
  await world.look()
  await world.look()
  assert.deepEqual([world.serving, world.withdrawn.length], ['parent', 1])
  assert.match(world.withdrawn[0]!, /100\.0 % of its calls fail/)
  assert.equal(await readRollout(world.store), null)
})

test('what was promoted and behaves is not watched for ever', async t => {
  const world = aWorld(t)
  world.serving = 'child'
  await startWatch(
    { ...world, plan: PLAN, id: 'job_1', candidate: 'child', parent: 'parent', now: () => world.clock },
    {},
  )
  await world.look()
  await world.ask(40)
  await world.look()
  const { rollout } = (await readRollout(world.store))!
  assert.equal((await readTallies(world.store, rollout)).candidate.calls, 40)
  world.clock += 60_000
  await world.look()
  assert.deepEqual([await readRollout(world.store), world.withdrawn], [null, []])
})

test('a store that is away for long is told of once, and once when it is back', async t => {
  const store = openSqliteStore(':memory:')
  const told: string[] = []
  const write = (line: string) => void told.push((JSON.parse(line) as { message: string }).message)
  let isAway = true
  const reached = async () => {
    if (isAway) throw new AppError('NOT_READY', 'The store cannot be used at the moment.')
  }
  const desk = openDesk({
    store: { ...store, getNote: async key => reached().then(() => store.getNote(key)) },
    registry: {
      current: () => aCritic('parent', 0.6),
      get: version => aCritic(version, 0.6),
      hold: async () => () => {},
      follow: reached,
      withdraw: async () => null,
    },
    owner: 'one',
    log: createLog({ level: 'info', stream: { write } }),
    now: () => 1,
    everyMs: 3_600_000,
  })
  t.after(async () => {
    await desk.close()
    await store.close()
  })
  for (let i = 0; i < 10; i++) await desk.look()
  assert.equal(told.length, 2, told.join())
  isAway = false
  for (let i = 0; i < 10; i++) await desk.look()
  assert.deepEqual(
    told.slice(2),
    told.slice(0, 2).map(message => `${message}: that is over`),
  )
})
