// What every store does with jobs and their leases; a part of conformance.ts.
import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import type { JobState, Store } from '../../src/store/types.ts'
import { aJob, NOW } from './samples.ts'

const LEASE_MS = 30_000
const ENDED: readonly JobState[] = ['promoted', 'rejected', 'failed', 'cancelled']

/** Gives a test a `connect()` to data of its own; connections are closed and the data removed when it ends. */
export type OpenFor = (t: TestContext) => () => Store

/** Registers the job tests. */
export function jobConformance(openFor: OpenFor): void {
  test('a job comes back as it went in', async t => {
    const store = openFor(t)()
    const job = aJob('j', {
      percent: 12.5,
      figures: { auc: 0.61, table: [], none: null, deep: { a: [1e300, '漢'] } },
      reason: 'because "so"',
      updated_at: NOW + 1,
    })
    assert.equal(await store.createJob(job), true)
    assert.deepEqual(await store.getJob('j'), job)
    assert.deepEqual(await store.listJobs(10), [job])
  })

  test('an unknown job is null everywhere', async t => {
    const store = openFor(t)()
    assert.equal(await store.getJob('nobody'), null)
    assert.equal(await store.updateJob('nobody', { percent: 1 }), null)
    assert.equal(await store.renewLease('nobody', 'me', LEASE_MS, NOW), false)
    assert.equal(await store.claimJob('me', LEASE_MS, NOW), null)
    assert.deepEqual(await store.listJobs(10), [])
  })

  test('a second job is refused while one is queued or running, and taken after it ended', async t => {
    const store = openFor(t)()
    assert.equal(await store.createJob(aJob('a')), true)
    assert.equal(await store.createJob(aJob('b')), false)
    await store.claimJob('me', LEASE_MS, NOW)
    assert.equal(await store.createJob(aJob('b')), false)
    assert.equal(await store.getJob('b'), null)
    for (const [i, state] of ENDED.entries()) {
      await store.updateJob(i === 0 ? 'a' : `next${i - 1}`, { state })
      assert.equal(await store.createJob(aJob(`next${i}`)), true, state)
    }
  })

  test('an id is never used twice', async t => {
    const store = openFor(t)()
    await store.createJob(aJob('a'))
    await store.updateJob('a', { state: 'promoted' })
    assert.equal(await store.createJob(aJob('a')), false)
    assert.equal((await store.getJob('a'))?.state, 'promoted')
    assert.equal(await store.createJob(aJob('b')), true)
  })

  test('of many creations at once one is made', async t => {
    const connect = openFor(t)
    const stores = [connect(), connect()]
    const made = await Promise.all(
      Array.from({ length: 12 }, (_, i) => stores[i % 2]!.createJob(aJob(`j${i}`))),
    )
    assert.equal(made.filter(Boolean).length, 1)
    assert.equal((await stores[0]!.listJobs(100)).length, 1)
  })

  test('jobs are listed newest first, by time and then by arrival, up to the limit', async t => {
    const store = openFor(t)()
    for (const [id, at] of [
      ['z', NOW],
      ['old', NOW - 1],
      ['a', NOW],
      ['new', NOW + 1],
    ] as const) {
      await store.createJob(aJob(id, { created_at: at }))
      await store.updateJob(id, { state: 'cancelled' })
    }
    const ids = async (limit: number) => (await store.listJobs(limit)).map(job => job.id)
    assert.deepEqual(await ids(10), ['new', 'a', 'z', 'old'])
    assert.deepEqual(await ids(2), ['new', 'a'])
    assert.deepEqual(await ids(0), [])
  })

  test('a change touches the named fields only', async t => {
    const store = openFor(t)()
    await store.createJob(aJob('a'))
    const step = { stage: 'train', percent: 40, figures: { loss: 0.5 }, updated_at: NOW + 5 }
    assert.deepEqual(await store.updateJob('a', step), aJob('a', step))
    assert.deepEqual(await store.updateJob('a', {}), aJob('a', step))
    const unnamed = { stage: undefined } as unknown as { stage: string }
    assert.deepEqual(await store.updateJob('a', unnamed), aJob('a', step))
    const end = { state: 'rejected', reason: 'it was worse' } as const
    assert.deepEqual(await store.updateJob('a', end), aJob('a', { ...step, ...end }))
    assert.deepEqual(
      await store.updateJob('a', { reason: null }),
      aJob('a', { ...step, ...end, reason: null }),
    )
    assert.deepEqual(await store.getJob('a'), aJob('a', { ...step, ...end, reason: null }))
  })

  test('a change that would make a second active job is refused', async t => {
    const store = openFor(t)()
    await endedAndActive(store)
    assert.equal(await store.updateJob('ended', { state: 'queued' }), null)
    assert.equal((await store.getJob('ended'))?.state, 'failed')
    await store.updateJob('active', { state: 'failed' })
    assert.equal((await store.updateJob('ended', { state: 'queued' }))?.state, 'queued')
    assert.equal(await store.createJob(aJob('third')), false)
    assert.equal((await store.claimJob('me', LEASE_MS, NOW))?.id, 'ended')
  })

  test('changing an ended job does not end the active one', async t => {
    const store = openFor(t)()
    await endedAndActive(store)
    await store.updateJob('ended', { state: 'cancelled', percent: 1 })
    assert.equal(await store.createJob(aJob('third')), false)
    assert.equal((await store.claimJob('me', LEASE_MS, NOW))?.id, 'active')
  })

  test('a change guarded by state is made from those states only', async t => {
    const store = openFor(t)()
    await store.createJob(aJob('a'))
    const cancel = () => store.updateJob('a', { state: 'cancelled' }, { states: ['queued', 'running'] })
    assert.equal(await store.updateJob('a', { percent: 1 }, { states: ['running'] }), null)
    assert.equal(await store.updateJob('a', { percent: 1 }, { states: [] }), null)
    assert.equal((await cancel())?.state, 'cancelled')
    assert.equal(await cancel(), null)
    assert.equal((await store.getJob('a'))?.percent, 0)
  })

  test('claiming makes the queued job running, once', async t => {
    const store = openFor(t)()
    await store.createJob(aJob('a'))
    assert.deepEqual(
      await store.claimJob('me', LEASE_MS, NOW + 7),
      aJob('a', { state: 'running', updated_at: NOW + 7 }),
    )
    assert.deepEqual(await store.getJob('a'), aJob('a', { state: 'running', updated_at: NOW + 7 }))
    assert.equal(await store.claimJob('other', LEASE_MS, NOW + 8), null)
    assert.equal(await store.claimJob('me', LEASE_MS, NOW + 8), null)
  })

  test('of many claims at once one wins', async t => {
    const connect = openFor(t)
    const stores = [connect(), connect()]
    await stores[0]!.createJob(aJob('a'))
    const claims = await Promise.all(
      Array.from({ length: 12 }, (_, i) => stores[i % 2]!.claimJob(`owner${i}`, LEASE_MS, NOW)),
    )
    const winners = claims.flatMap((job, i) => (job === null ? [] : [`owner${i}`]))
    assert.equal(winners.length, 1)
    assert.equal(await stores[1]!.renewLease('a', winners[0]!, LEASE_MS, NOW + 1), true)
  })

  test('a lease that ran out is taken over, and its old owner told so', async t => {
    const store = openFor(t)()
    await store.createJob(aJob('a'))
    await store.claimJob('dead', LEASE_MS, NOW)
    await store.updateJob('a', { stage: 'train', percent: 40 }, { owner: 'dead' })
    assert.equal(await store.claimJob('next', LEASE_MS, NOW + LEASE_MS - 1), null)
    const taken = await store.claimJob('next', LEASE_MS, NOW + LEASE_MS)
    assert.deepEqual([taken?.state, taken?.stage, taken?.percent], ['running', 'train', 40])
    assert.equal(await store.renewLease('a', 'dead', LEASE_MS, NOW + LEASE_MS), false)
    assert.equal(await store.updateJob('a', { state: 'promoted' }, { owner: 'dead' }), null)
    assert.equal((await store.updateJob('a', { state: 'promoted' }, { owner: 'next' }))?.state, 'promoted')
  })

  test('a renewed lease is not taken over', async t => {
    const store = openFor(t)()
    await store.createJob(aJob('a'))
    await store.claimJob('me', LEASE_MS, NOW)
    assert.equal(await store.renewLease('a', 'me', LEASE_MS, NOW + 20_000), true)
    assert.equal(await store.claimJob('other', LEASE_MS, NOW + LEASE_MS), null)
    assert.equal((await store.claimJob('other', LEASE_MS, NOW + 20_000 + LEASE_MS))?.id, 'a')
  })

  test('a lease that ran out but was not taken can be renewed', async t => {
    const store = openFor(t)()
    await store.createJob(aJob('a'))
    await store.claimJob('slow', LEASE_MS, NOW)
    assert.equal(await store.renewLease('a', 'slow', LEASE_MS, NOW + 2 * LEASE_MS), true)
    assert.equal(await store.claimJob('other', LEASE_MS, NOW + 2 * LEASE_MS), null)
  })

  test('a job put back in the queue has no lease, nor has one set to running by hand', async t => {
    const store = openFor(t)()
    await store.createJob(aJob('a'))
    await store.claimJob('first', LEASE_MS, NOW)
    await store.updateJob('a', { state: 'queued' })
    assert.equal(await store.renewLease('a', 'first', LEASE_MS, NOW), false)
    await store.updateJob('a', { state: 'running' })
    assert.equal((await store.claimJob('second', LEASE_MS, NOW))?.id, 'a')
  })

  test('the end of a job ends its lease', async t => {
    const store = openFor(t)()
    await store.createJob(aJob('a'))
    await store.claimJob('me', LEASE_MS, NOW)
    await store.updateJob('a', { state: 'cancelled' })
    assert.equal(await store.renewLease('a', 'me', LEASE_MS, NOW + 1), false)
    assert.equal(await store.updateJob('a', { percent: 99 }, { owner: 'me' }), null)
    assert.equal(await store.claimJob('me', LEASE_MS, NOW + 2 * LEASE_MS), null)
  })

  test('a paused job keeps its place, is claimed by nobody, and goes on where it was when it is put back', async t => {
    const store = openFor(t)()
    await store.createJob(aJob('a'))
    await store.claimJob('me', LEASE_MS, NOW)
    await store.updateJob('a', { stage: 'learn', percent: 40, figures: { steps: 7 } }, { owner: 'me' })
    const pause = { state: 'paused', reason: 'Paused by hand.' } as const
    assert.equal((await store.updateJob('a', pause, { states: ['queued', 'running'] }))?.state, 'paused')
    assert.equal(await store.updateJob('a', pause, { states: ['queued', 'running'] }), null)
    assert.equal(await store.renewLease('a', 'me', LEASE_MS, NOW + 1), false)
    assert.equal(await store.updateJob('a', { percent: 50 }, { owner: 'me' }), null)
    assert.equal(await store.claimJob('other', LEASE_MS, NOW + 2 * LEASE_MS), null)
    assert.equal(await store.createJob(aJob('b')), false)
    assert.equal((await store.getJob('a'))?.state, 'paused')
    await store.updateJob('a', { state: 'queued', reason: null }, { states: ['paused'] })
    const resumed = await store.claimJob('other', LEASE_MS, NOW + 3)
    const { state, stage, percent, figures, reason } = resumed!
    assert.deepEqual([state, stage, percent, figures, reason], ['running', 'learn', 40, { steps: 7 }, null])
  })

  test('a job that has ended is not paused while another lives', async t => {
    const store = openFor(t)()
    await endedAndActive(store)
    assert.equal(await store.updateJob('ended', { state: 'paused' }), null)
    await store.updateJob('active', { state: 'paused' })
    assert.equal(await store.updateJob('ended', { state: 'queued' }), null)
    await store.updateJob('active', { state: 'cancelled' })
    assert.equal(await store.createJob(aJob('third')), true)
  })
}

async function endedAndActive(store: Store): Promise<void> {
  await store.createJob(aJob('ended'))
  await store.updateJob('ended', { state: 'failed' })
  await store.createJob(aJob('active'))
}
