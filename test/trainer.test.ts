// The trainer and its jobs: what becomes of a round's decision, of a store that is away and of a process that breaks off.
import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import type { Critic } from '../src/critic/types.ts'
import { AppError } from '../src/errors.ts'
import { createLog } from '../src/log.ts'
import type { RolloutPlan } from '../src/rollout/run.ts'
import { readDecision } from '../src/store/decisions.ts'
import { openSqliteStore } from '../src/store/sqlite.ts'
import type { Decision, Job, JobChange, Store } from '../src/store/types.ts'
import { startTrainer, type Trainer } from '../src/trainer.ts'
import { ACTS } from './fakes/round-process.ts'
import { tempFolder } from './fakes/tiny-critic.ts'

interface Setting {
  readonly act: keyof typeof ACTS
  /** Of the critic that serves when the round ends; it was trained from `parent`. */
  readonly serving?: string
  /** What serves when the job is taken up, where it is not `parent`. */
  readonly current?: string
  /** Whether the store refuses this change. */
  readonly refuses?: (change: JobChange) => boolean
  /** Called before a job is claimed. */
  readonly claim?: () => void
  /** Called when the round has ended, before anything comes of it. */
  readonly onDecided?: (store: Store) => void
  readonly rollout?: RolloutPlan
  /** Told the job every 10 ms until it ends. */
  readonly onLook?: (job: Job, store: Store, trainer: Trainer) => Promise<unknown>
  /** Folder of trained critics. */
  readonly trainedDir?: string
}

/** Runs one job to its end. */
async function runJob(
  t: TestContext,
  {
    act,
    serving = 'parent',
    refuses = () => false,
    current = 'parent',
    claim = () => {},
    onDecided = () => {},
    rollout,
    onLook,
    trainedDir = '',
  }: Setting,
) {
  const sqlite = openSqliteStore(':memory:')
  const store: Store = {
    ...sqlite,
    updateJob: async (id, change, guard) => {
      if (refuses(change)) throw new AppError('NOT_READY', 'The store cannot be used at the moment.')
      return sqlite.updateJob(id, change, guard)
    },
    claimJob: async (...by) => {
      claim()
      return sqlite.claimJob(...by)
    },
  }
  const promoted: string[] = []
  const lines: string[] = []
  const job: Job = {
    id: 'job_1',
    state: 'queued',
    stage: 'queued',
    percent: 0,
    figures: {},
    params: { minutes: 1, seed: ACTS[act] },
    reason: null,
    created_at: 1,
    updated_at: 1,
  }
  await store.createJob(job)
  const entry = { serving: false, source: 'trained', created_at: null, metrics: {} } as const
  const trainer = startTrainer({
    store,
    storeAddress: ':memory:',
    registry: {
      current: () => ({ version: current }) as Critic,
      dirOf: version => version,
      list() {
        onDecided(sqlite)
        return [{ ...entry, version: 'trained-1', parent: 'parent' }]
      },
      originOf: () => ({ data_hash: 'hash', parents: ['parent'] }),
      succeed: async (parent, version, { by }) => {
        if (parent !== serving) return false
        promoted.push(`${version} by ${by}`)
        return true
      },
    },
    trainedDir,
    log: createLog({ level: 'info', stream: { write: (line: string) => void lines.push(line) } }),
    now: Date.now,
    owner: 'test',
    threads: 1,
    pollMs: 10,
    retryMs: 10,
    ...(rollout && { rollout }),
    roundProcess: fileURLToPath(new URL('./fakes/round-process.ts', import.meta.url)),
  })
  t.after(async () => {
    await trainer.close()
    await sqlite.close()
  })
  for (;;) {
    const ended = (await store.getJob(job.id))!
    if (!['queued', 'running', 'paused'].includes(ended.state)) {
      const refused = (await store.readDecisions()).map(readDecision)
      return { job: ended, promoted, lines, refused, store, left: await store.getNote('rollout') }
    }
    await onLook?.(ended, store, trainer)
    await new Promise(resolve => setTimeout(resolve, 10))
  }
}

test('a winner takes its parent’s place', async t => {
  const { job, promoted } = await runJob(t, { act: 'promoted' })
  assert.deepEqual([job.state, job.percent, job.reason, job.figures], ['promoted', 100, 'Better.', { a: 1 }])
  assert.deepEqual(promoted, ['trained-1 by gate'])
})

test('a winner does not take the place of a critic that was put there during the round', async t => {
  const { job, promoted } = await runJob(t, { act: 'promoted', serving: 'other' })
  assert.equal(job.state, 'rejected')
  assert.match(job.reason!, /another critic served. Promote trained-1 by hand/)
  assert.deepEqual(promoted, [])
})

test('a loser is rejected with its reason, which is recorded', async t => {
  const { job, promoted, refused } = await runJob(t, { act: 'rejected' })
  assert.deepEqual([job.state, job.reason, promoted], ['rejected', 'Worse.', []])
  const [{ kind, by, critic, after, reason, data_hash, parents } = assert.fail()] = refused as Decision[]
  assert.deepEqual(
    { entries: refused.length, kind, by, critic, after, reason, data_hash, parents },
    {
      entries: 1,
      kind: 'refusal',
      by: 'gate',
      critic: 'trained-1',
      after: 'parent',
      reason: 'Worse.',
      data_hash: 'hash',
      parents: ['parent'],
    },
  )
})

test('a store that is away while a round tells of its progress does not end the round', async t => {
  const { job, lines } = await runJob(t, { act: 'promoted', refuses: change => change.stage === 'learn' })
  assert.equal(job.state, 'promoted')
  assert.match(lines.join(), /progress of a round cannot be told/)
})

test('a store that is away while a winner is tried out and promoted does not lose it', async t => {
  for (const stage of ['shadow', 'promote', 'done']) {
    let away = 0
    const { job, promoted, left } = await runJob(t, {
      act: 'promoted',
      rollout: PLAN,
      refuses: change => change.stage === stage && ++away < 4,
      async onLook({ stage: now }, store) {
        const note = now === 'shadow' || now === 'canary' ? await store.getNote('rollout') : null
        if (note && (note.value as { stage: string }).stage === now)
          await store.putNote('rollout', { ...(note.value as object), wish: 'skip' }, note.revision)
      },
    })
    assert.deepEqual([job.state, job.reason], ['promoted', 'Better.'], stage)
    assert.deepEqual(new Set(promoted), new Set(['trained-1 by gate']))
    assert.equal((left!.value as { stage: string }).stage, 'watch', stage)
    assert.ok(away >= 4)
  }
})

test('what a trainer promoted that died then is watched by whoever takes the job up', async t => {
  const { job, promoted, left } = await runJob(t, { act: 'promoted', rollout: PLAN, current: 'trained-1' })
  assert.deepEqual([job.state, job.reason, promoted], ['promoted', 'Better.', []])
  const { stage, candidate, parent } = left!.value as Record<string, string>
  assert.deepEqual([stage, candidate, parent], ['watch', 'trained-1', 'parent'])
})

test('a store that is away for long is told of once, and once when it is back', async t => {
  let claims = 0
  const { lines } = await runJob(t, {
    act: 'promoted',
    claim: () => {
      if (++claims <= 20) throw new AppError('NOT_READY', 'The store cannot be used at the moment.')
    },
  })
  const told = lines.map(line => (JSON.parse(line) as { message: string }).message)
  assert.deepEqual(
    told.filter(message => message.startsWith('the trainer')),
    ['the trainer cannot look after jobs', 'the trainer cannot look after jobs: that is over'],
  )
})

test('a job that is cancelled as its round ends promotes nobody', async t => {
  const { job, promoted } = await runJob(t, {
    act: 'promoted',
    onDecided: store => void store.updateJob('job_1', { state: 'cancelled' }),
  })
  assert.deepEqual([job.state, promoted], ['cancelled', []])
})

test('a round that fails says why in its job', async t => {
  const { job } = await runJob(t, { act: 'failed' })
  assert.deepEqual([job.state, job.reason], ['failed', 'There is no slice.'])
})

test('a round whose process ends early fails with its exit code, and the log has its stack but not its words', async t => {
  const { job, lines } = await runJob(t, { act: 'crash' })
  assert.deepEqual([job.state, job.reason], ['failed', 'The round broke off. Its process ended with code 7.'])
  assert.match(lines.join(), /at parse \(round\.ts:1:1\)/)
  assert.ok(!lines.join().includes('secret'))
})

const PLAN: RolloutPlan = {
  shadow: { minutes: 60, share: 1 },
  canary: { minutes: 60, share: 1 },
  watch: { minutes: 60 },
}

test('a winner is tried out before it serves, stage by stage, and watched afterwards', async t => {
  const stages = new Set<string>()
  const { job, promoted, left } = await runJob(t, {
    act: 'promoted',
    rollout: PLAN,
    async onLook({ stage }, store) {
      stages.add(stage)
      const note = await store.getNote('rollout')
      if (note && (note.value as { stage: string }).stage === stage)
        await store.putNote('rollout', { ...(note.value as object), wish: 'skip' }, note.revision)
    },
  })
  assert.deepEqual([job.state, promoted], ['promoted', ['trained-1 by gate']])
  assert.ok(stages.has('shadow') && stages.has('canary'), [...stages].join())
  assert.deepEqual(Object.keys(job.figures['rollout'] as object), ['shadow', 'canary'])
  assert.equal((left!.value as { stage: string }).stage, 'watch')
})

/** Folder of critics of a test. */
function aFolder(t: TestContext): string {
  const folder = tempFolder()
  t.after(folder.remove)
  return folder.path
}

test('a paused job lets its process go, stays paused, and goes on when it is resumed', async t => {
  const trainedDir = aFolder(t)
  const left = join(trainedDir, '.rounds', 'trained-1')
  const seen: string[] = []
  const { job, promoted } = await runJob(t, {
    act: 'held',
    trainedDir,
    async onLook({ id, state, percent }, store) {
      if (state === 'running' && percent === 50 && seen.length === 0)
        await store.updateJob(id, { state: 'paused' })
      if (state !== 'paused' || !existsSync(join(left, 'stopped'))) return
      for (let looks = 0; looks < 5; looks++) {
        await new Promise(resolve => setTimeout(resolve, 20))
        seen.push((await store.getJob(id))!.state)
      }
      assert.ok(existsSync(left), 'its work is kept')
      await store.updateJob(id, { state: 'queued' }, { states: ['paused'] })
    },
  })
  assert.deepEqual(seen, Array(5).fill('paused'))
  assert.deepEqual([job.state, promoted], ['promoted', ['trained-1 by gate']])
  while (existsSync(left)) await new Promise(resolve => setTimeout(resolve, 10)) // the work of a job that has ended goes
})

test('a job that is cancelled while it is paused leaves nothing', async t => {
  const trainedDir = aFolder(t)
  const left = join(trainedDir, '.rounds', 'trained-1')
  const { job } = await runJob(t, {
    act: 'held',
    trainedDir,
    async onLook({ id, state, percent }, store) {
      if (state === 'running' && percent === 50) await store.updateJob(id, { state: 'paused' })
      if (state === 'paused' && existsSync(join(left, 'stopped')))
        await store.updateJob(id, { state: 'cancelled' })
    },
  })
  assert.equal(job.state, 'cancelled')
  while (existsSync(left)) await new Promise(resolve => setTimeout(resolve, 10))
})

test('a job whose candidate is tried out answers nobody while it is paused, and is tried out anew', async t => {
  let isPaused = false
  const { job } = await runJob(t, {
    act: 'promoted',
    rollout: PLAN,
    async onLook({ id, state, stage }, store) {
      const note = await store.getNote('rollout')
      if (!isPaused && stage === 'shadow' && note) {
        isPaused = true
        await store.updateJob(id, { state: 'paused' })
      } else if (state === 'paused' && note === null) await store.updateJob(id, { state: 'queued' })
      else if (isPaused && state === 'running' && note)
        await store.putNote('rollout', { ...(note.value as object), wish: 'abort' }, note.revision)
    },
  })
  assert.deepEqual([job.state, job.reason], ['rejected', 'Ended by hand in the stage shadow.'])
})

test('a trainer that closes puts its job back for the next', async t => {
  const trainedDir = aFolder(t)
  let isClosed = false
  const { job } = await runJob(t, {
    act: 'held',
    trainedDir,
    async onLook({ id, percent }, store, trainer) {
      if (percent !== 50) return
      await trainer.close()
      assert.equal((await store.getJob(id))!.state, 'queued')
      isClosed = true
      await store.updateJob(id, { state: 'cancelled' })
    },
  })
  assert.deepEqual([isClosed, job.state], [true, 'cancelled'])
})

test('a round whose process is killed from outside goes on, but not again and again', async t => {
  const once = await runJob(t, { act: 'killed', trainedDir: aFolder(t) })
  assert.equal(once.job.state, 'promoted')
  assert.match(once.lines.join(), /the process of a round was killed; it goes on in another/)
  const always = await runJob(t, { act: 'killedAlways', trainedDir: aFolder(t) })
  assert.deepEqual(
    [always.job.state, always.job.reason],
    ['failed', 'The round broke off. Its process was killed by SIGKILL.'],
  )
})

test('a job that is cancelled while its candidate is tried out ends that, and the candidate never serves', async t => {
  const { job, promoted, store } = await runJob(t, {
    act: 'promoted',
    rollout: PLAN,
    onLook: async ({ id, stage }, store) => stage === 'shadow' && store.updateJob(id, { state: 'cancelled' }),
  })
  while ((await store.getNote('rollout')) !== null) await new Promise(resolve => setTimeout(resolve, 10))
  assert.deepEqual([job.state, promoted], ['cancelled', []])
})
