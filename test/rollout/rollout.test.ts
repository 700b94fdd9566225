// Trying a candidate out: servers that share one store, and a trainer that decides.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { startWatch } from '../../src/rollout/run.ts'
import { showRollout } from '../../src/rollout/show.ts'
import { readRollout, readTallies } from '../../src/rollout/state.ts'
import { aWorld, ITEM, PLAN, tried } from './world.ts'

test('a good candidate is compared, serves its share of the clients, and passes', async t => {
  const world = aWorld(t)
  const seen: Record<string, string[]> = {}
  const trial = await tried(world, async stage => {
    await world.look()
    seen[stage] = [...(seen[stage] ?? []), ...(await world.ask(60))]
    await world.look()
    if (seen[stage]!.length >= 120) world.clock += 60_000
  })
  assert.equal(trial.kind, 'passed')
  const { shadow, canary } = trial.figures
  assert.ok(shadow!.compared_steps >= 50, 'both servers’ comparisons count')
  assert.deepEqual([shadow!.flip_rate, Math.round(shadow!.score_drift! * 100)], [0, 10])
  assert.deepEqual(new Set(seen['shadow']), new Set(['parent']), 'in shadow it answers nobody')
  const share = seen['canary']!.filter(version => version === 'child').length / seen['canary']!.length
  assert.ok(share > 0.3 && share < 0.7, `${share}`)
  assert.ok(canary!.candidate.calls > 20 && canary!.candidate.error_rate === 0)
})

test('of a single client a share is compared in shadow, not all or nothing', async t => {
  const world = aWorld(t)
  let offered = 0
  await tried(
    world,
    async stage => {
      await world.look()
      world.clock += 60_000
      if (stage !== 'shadow') return
      for (let i = 0; i < 200; i++) {
        await world.desks[i % 2]!.criticFor('the only key').critic.judge([ITEM])
        await new Promise(resolve => setImmediate(resolve))
      }
      await world.look()
      offered = (await readTallies(world.store, (await readRollout(world.store))!.rollout)).serving.calls
    },
    { ...PLAN, shadow: { minutes: 1, share: 0.3 } },
  )
  assert.ok(offered > 30 && offered < 90, `${offered} of 200`)
})

test('the next candidate waits until what was promoted last was watched, and leaves no counts of it', async t => {
  const world = aWorld(t)
  const watched = { ...world, plan: PLAN, id: 'job_0', candidate: 'parent', parent: 'old' }
  await startWatch({ ...watched, now: () => world.clock }, {})
  await world.look()
  await world.ask(4)
  await world.look()
  assert.equal((await world.store.listNotes('tally:job_0')).length, 2)
  const stages: string[] = []
  const trial = await tried(world, async stage => {
    stages.push(stage)
    if (stage === 'watch') {
      assert.equal((await readRollout(world.store))!.rollout.id, 'job_0')
      setTimeout(() => {
        world.clock += 60_000
      }, 40)
    } else {
      assert.equal((await world.store.listNotes('tally:job_0')).length, 0)
      world.clock += 60_000
    }
  })
  assert.deepEqual([trial.kind, stages], ['passed', ['watch', 'shadow', 'canary']])
  await startWatch({ ...watched, now: () => world.clock }, {})
  const again: string[] = []
  await tried(world, async stage => {
    again.push(stage)
    if (stage === 'watch') await showRollout(world.store).wish('skip')
    world.clock += 1000
    if (stage === 'shadow') await showRollout(world.store).wish('abort')
  })
  assert.deepEqual([...new Set(again)], ['watch', 'shadow'], 'who skips the watch ends the wait')
})

test('the same client meets the same critic on every server', async t => {
  const world = aWorld(t)
  await tried(world, async stage => {
    await world.look()
    if (stage === 'canary')
      for (let i = 0; i < 30; i++) {
        const met = world.desks.map(desk => desk.criticFor(`client ${i}`).critic.version)
        assert.equal(met[0], met[1])
      }
    world.clock += 60_000
  })
})

test('a candidate that turns the verdicts is refused in shadow, and nobody ever met it', async t => {
  const world = aWorld(t, 0.2)
  const answered: string[] = []
  const trial = await tried(world, async () => {
    await world.look()
    answered.push(...(await world.ask(60)))
    await world.look()
  })
  assert.ok(trial.kind === 'refused' && trial.by === 'shadow', JSON.stringify(trial))
  assert.match(trial.reason, /turns 100\.0 % of the verdicts/)
  assert.deepEqual(new Set(answered), new Set(['parent']))
  assert.equal(await readRollout(world.store), null)
  assert.deepEqual(await world.store.listNotes(''), [], 'no counts are left behind')
})

test('a candidate that fails on live traffic is refused as a canary, and no client notices', async t => {
  const world = aWorld(t, 'fails')
  const answered: string[] = []
  const trial = await tried(
    world,
    async () => {
      await world.look()
      answered.push(...(await world.ask(60)))
      await world.look()
    },
    { ...PLAN, shadow: { minutes: 0, share: 0 } },
  )
  assert.ok(trial.kind === 'refused' && trial.by === 'canary', JSON.stringify(trial))
  assert.match(trial.reason, /100\.0 % of its calls fail/)
  assert.deepEqual(new Set(answered), new Set(['parent']))
})

test('stages of no length are left out, and without traffic a candidate passes by time', async t => {
  const world = aWorld(t)
  const none = { minutes: 0, share: 0 }
  const at = await tried(world, assert.fail, { shadow: none, canary: none, watch: { minutes: 0 } })
  assert.deepEqual(at, { kind: 'passed', figures: {} })
  const stages: string[] = []
  const alone = await tried(world, async stage => {
    stages.push(stage)
    world.clock += 60_000
  })
  assert.deepEqual([alone.kind, stages], ['passed', ['shadow', 'canary']])
})

test('an operator sees what is tried out, skips a stage and ends another', async t => {
  const world = aWorld(t)
  const shown = showRollout(world.store)
  assert.deepEqual([await shown.show(), await shown.wish('skip')], [null, false])
  const stages: string[] = []
  const trial = await tried(world, async stage => {
    stages.push(stage)
    const now = (await shown.show())!
    assert.deepEqual([now.candidate, now.parent, now.stage], ['child', 'parent', stage])
    assert.equal(await shown.wish(stage === 'shadow' ? 'skip' : 'abort'), true)
  })
  assert.ok(stages.includes('shadow') && stages.includes('canary'))
  assert.ok(trial.kind === 'refused' && trial.by === 'admin' && /Ended by hand/.test(trial.reason))
})

test('a trainer that dies leaves the rollout to the next one, which goes on in the same stage', async t => {
  const world = aWorld(t)
  const dies = new AbortController()
  const first = tried(
    world,
    async stage => {
      if (stage === 'shadow') world.clock += 60_000
      else dies.abort()
    },
    PLAN,
    dies.signal,
  )
  await assert.rejects(first, { name: 'AbortError' })
  const { rollout } = (await readRollout(world.store))!
  world.clock += 30_000
  const stages: string[] = []
  const second = await tried(world, async stage => {
    stages.push(stage)
    world.clock += 10_000
  })
  assert.equal(second.kind, 'passed')
  assert.deepEqual(new Set(stages), new Set(['canary']))
  assert.ok(stages.length <= 4, 'the time before counts')
  assert.equal(rollout.stage, 'canary')
})
