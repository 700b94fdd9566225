// Trying a candidate out: servers that share one store, a trainer that decides, and critics that behave as they are told.
import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import type { Critic } from '../../src/critic/types.ts'
import { AppError } from '../../src/errors.ts'
import { createLog } from '../../src/log.ts'
import { type Answered, createComparer } from '../../src/rollout/compare.ts'
import { type Desk, type DeskOptions, openDesk } from '../../src/rollout/desk.ts'
import { type RolloutPlan, startWatch, tryOut } from '../../src/rollout/run.ts'
import { showRollout } from '../../src/rollout/show.ts'
import { readRollout, readTallies } from '../../src/rollout/state.ts'
import { openSqliteStore } from '../../src/store/sqlite.ts'
import type { Store } from '../../src/store/types.ts'

/** Scores every step as it says; fails when told to. */
function aCritic(version: string, score: number | 'fails', judged: { calls: number } = { calls: 0 }): Critic {
  return {
    version,
    threshold: 0.5,
    async judge(items, signal) {
      signal?.throwIfAborted()
      judged.calls++
      if (score === 'fails') throw new AppError('CRITIC_FAILED', 'The critic failed on this request.')
      return items.map(({ steps }) => ({ steps: steps.map(() => ({ score, evidence: [] })), tokens: 10 }))
    },
  }
}

const ITEM = { problem: 'x', steps: ['a', 'b'] }
const PLAN: RolloutPlan = {
  shadow: { minutes: 1, share: 1 },
  canary: { minutes: 1, share: 0.5 },
  watch: { minutes: 1 },
}

interface World {
  readonly store: Store
  readonly desks: readonly Desk[]
  /** Decisions that took a critic back. */
  readonly withdrawn: string[]
  serving: string
  clock: number
  /** `count` critiques of clients by name, at every server in turn; the versions that answered. */
  ask(count: number): Promise<string[]>
  look(): Promise<void>
}

/** Two servers and a store. `child` is tried out in the place of `parent`. */
function aWorld(t: TestContext, child: number | 'fails' = 0.7): World {
  const store = openSqliteStore(':memory:')
  const critics = new Map([
    ['parent', aCritic('parent', 0.6)],
    ['child', aCritic('child', child)],
  ])
  const world = { store, withdrawn: [] as string[], serving: 'parent', clock: 1_000_000 }
  const registry: DeskOptions['registry'] = {
    current: () => critics.get(world.serving)!,
    get: version => critics.get(version)!,
    hold: async () => () => {},
    follow: async () => {},
    async withdraw(version, { reason }) {
      if (world.serving !== version) return null
      world.serving = 'parent'
      world.withdrawn.push(reason)
      return { serving: 'parent', previous: version }
    },
  }
  const log = createLog({ level: 'silent' })
  let ticks = 0 // every critic is as fast as the other, however busy this machine is
  const stopwatch = () => ticks++
  const desks = ['one', 'two'].map(owner =>
    openDesk({ store, registry, owner, log, now: () => world.clock, stopwatch, everyMs: 3_600_000 }),
  )
  t.after(async () => {
    for (const desk of desks) await desk.close()
    await store.close()
  })
  return Object.assign(world, {
    desks,
    async ask(count: number) {
      const answered: string[] = []
      for (let i = 0; i < count; i++) {
        const { critic, fallback } = desks[i % 2]!.criticFor(`client ${i}`)
        await critic.judge([ITEM]).then(
          () => answered.push(critic.version),
          async error => {
            if (fallback === null) throw error
            await fallback.judge([ITEM])
            answered.push(fallback.version)
          },
        )
        await new Promise(resolve => setImmediate(resolve))
      }
      return answered
    },
    async look() {
      for (const desk of desks) await desk.look()
    },
  })
}

/** Tries `child` out; `onReport` may act on the world meanwhile. */
function tried(
  world: World,
  onReport: (stage: string) => Promise<void>,
  plan = PLAN,
  signal = new AbortController().signal,
) {
  return tryOut({
    store: world.store,
    plan,
    id: 'job_1',
    candidate: 'child',
    parent: 'parent',
    now: () => world.clock,
    signal,
    report: stage => onReport(stage),
    pollMs: 5,
  })
}

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

test('comparing never makes a client wait: the line is short, and what does not fit is dropped and counted', async () => {
  let release = () => {}
  const stuck = new Promise<void>(resolve => {
    release = resolve
  })
  const slow: Critic = {
    ...aCritic('slow', 0.7),
    judge: async (items, signal) => {
      await stuck
      return aCritic('slow', 0.7).judge(items, signal)
    },
  }
  const comparer = createComparer(slow, () => performance.now())
  const found = [
    {
      steps: [
        { score: 0.6, evidence: [] },
        { score: null, evidence: [] },
      ],
      tokens: 10,
    },
  ]
  const answered: Answered = { items: [ITEM], found, threshold: 0.65, ms: 1 }
  for (let i = 0; i < 20; i++) comparer.offer(answered)
  assert.equal(comparer.tally().dropped, 16)
  release()
  while (comparer.tally().candidate.calls < 4) await new Promise(resolve => setTimeout(resolve, 2))
  const { compared, flips } = comparer.tally()
  assert.deepEqual([compared, flips], [4, 4], 'a step without a score is not compared')
  await comparer.close()
  comparer.offer(answered)
  assert.equal(comparer.tally().candidate.calls, 4)
})
