import assert from 'node:assert/strict'
import { after, type TestContext, test } from 'node:test'
import request from 'supertest'
import { aDecision, NOW } from '../store/samples.ts'
import { assertContract } from './contract-check.ts'
import { listening } from './listening.ts'
import { readEvents } from './read-events.ts'
import { ADMIN_KEY, createWorld, type World } from './world.ts'

const world = createWorld({ after })

const bearer = { Authorization: `Bearer ${ADMIN_KEY}` }
const get = (path: string, headers: Record<string, string> = bearer) =>
  request(world.app).get(path).set(headers)
const post = (path: string, body?: object) => request(world.app).post(path).set(bearer).send(body)

test('without a configured key admin routes are off and say how to switch them on', async t => {
  for (const config of [{}, { adminKey: '' }]) {
    const closed = createWorld(t, { config })
    const answer = await request(closed.app).get('/admin/critics').set({ Authorization: 'Bearer ' })
    assert.equal(answer.status, 403)
    assert.equal(answer.body.code, 'ADMIN_DISABLED')
    assert.match(answer.body.detail, /SPAR_ADMIN_KEY/)
    assertContract(answer, 'listCritics')
  }
})

const WRONG: readonly [name: string, headers: Record<string, string>][] = [
  ['no key', {}],
  ['an empty bearer', { Authorization: 'Bearer ' }],
  ['a wrong key', { Authorization: 'Bearer wrong' }],
  ['the beginning of the key', { Authorization: `Bearer ${ADMIN_KEY.slice(0, -1)}` }],
  ['another scheme', { Authorization: `Basic ${ADMIN_KEY}` }],
  ['an empty X-Admin-Key', { 'X-Admin-Key': '' }],
]

for (const [name, headers] of WRONG)
  test(`${name} is refused on every admin route`, async () => {
    const calls = [
      ['get', '/admin/critics', 'listCritics'],
      ['get', '/admin/decisions', 'listDecisions'],
      ['get', '/admin/jobs', 'listJobs'],
      ['get', '/admin/jobs/x', 'getJob'],
      ['post', '/admin/jobs/x/pause', 'pauseJob'],
      ['post', '/admin/jobs/x/resume', 'resumeJob'],
      ['post', '/admin/jobs/x/cancel', 'cancelJob'],
      ['get', '/admin/schedule', 'getSchedule'],
      ['post', '/admin/schedule', 'setSchedule'],
      ['delete', '/admin/schedule', 'clearSchedule'],
      ['get', '/admin/rollout', 'getRollout'],
      ['post', '/admin/rollout/skip', 'skipRollout'],
      ['post', '/admin/rollout/abort', 'abortRollout'],
      ['post', '/admin/retrain', 'retrain'],
      ['post', '/admin/critics/sums@1/promote', 'promoteCritic'],
      ['post', '/admin/critics/rollback', 'rollbackCritic'],
    ] as const
    for (const [method, path, operationId] of calls) {
      const answer = await request(world.app)[method](path).set(headers)
      assert.equal(answer.status, 401, path)
      assert.equal(answer.body.code, 'ADMIN_UNAUTHORIZED')
      assert.match(answer.headers['www-authenticate'] ?? '', /^Bearer /)
      assertContract(answer, operationId)
    }
  })

test('the key is checked before the body is looked at', async () => {
  const answer = await request(world.app).post('/admin/retrain').set('Content-Type', 'text/plain').send('{')
  assert.equal(answer.status, 401)
})

test('the key is taken as X-Admin-Key too', async () => {
  assert.equal((await get('/admin/critics', { 'X-Admin-Key': ADMIN_KEY })).status, 200)
  assert.equal((await get('/admin/critics', { authorization: `bearer  ${ADMIN_KEY}` })).status, 200)
})

test('critics are listed, promoted and rolled back, and the next critique sees it', async () => {
  const list = await get('/admin/critics')
  assertContract(list, 'listCritics')
  assert.equal(list.body.serving, 'sums@2')
  assert.deepEqual(list.body.critics[0], {
    version: 'sums@1',
    serving: false,
    source: 'shipped',
    parent: null,
    created_at: null,
    metrics: { step_auc: 0.7 },
  })

  const promoted = await post('/admin/critics/sums%401/promote')
  assertContract(promoted, 'promoteCritic')
  assert.deepEqual(promoted.body, { serving: 'sums@1', previous: 'sums@2' })
  const critique = await post('/critique', { problem: 'x', steps: ['a'] })
  assert.equal(critique.body.critic, 'sums@1')

  const back = await post('/admin/critics/rollback')
  assertContract(back, 'rollbackCritic')
  assert.deepEqual(back.body, { serving: 'sums@2', previous: 'sums@1' })
  await post('/admin/critics/rollback')
  const none = await post('/admin/critics/rollback')
  assert.equal(none.status, 409)
  assert.equal(none.body.code, 'NO_PARENT')
  assertContract(none, 'rollbackCritic')
})

test('a critic that is unknown or damaged is not promoted', async () => {
  const unknown = await post('/admin/critics/sums@9/promote')
  assert.deepEqual([unknown.status, unknown.body.code], [404, 'UNKNOWN_CRITIC'])
  assertContract(unknown, 'promoteCritic')
  const broken = await post('/admin/critics/sums@broken/promote')
  assert.deepEqual([broken.status, broken.body.code], [422, 'CRITIC_INVALID'])
  assertContract(broken, 'promoteCritic')
})

async function withJob(t: TestContext): Promise<World & { id: string }> {
  const own = createWorld(t)
  const answer = await request(own.app).post('/admin/retrain').set(bearer).send({ minutes: 2, seed: 11 })
  assert.equal(answer.status, 202)
  assertContract(answer, 'retrain')
  assert.equal(answer.headers.location, `/admin/jobs/${answer.body.id}`)
  return { ...own, id: answer.body.id }
}

test('a round is queued with its parameters, can be looked up and is listed', async t => {
  const { app, id } = await withJob(t)
  const job = await request(app).get(`/admin/jobs/${id}`).set(bearer)
  assertContract(job, 'getJob')
  const at = '2026-11-02T09:30:00.000Z'
  assert.deepEqual(job.body, {
    id,
    state: 'queued',
    stage: 'queued',
    percent: 0,
    figures: {},
    params: { minutes: 2, seed: 11 },
    reason: null,
    created_at: at,
    updated_at: at,
  })
  const list = await request(app).get('/admin/jobs').set(bearer)
  assertContract(list, 'listJobs')
  assert.deepEqual(list.body, { jobs: [job.body] })
})

test('a second round waits for the first', async t => {
  const { app, store, id } = await withJob(t)
  const second = await request(app).post('/admin/retrain').set(bearer)
  assert.deepEqual([second.status, second.body.code], [409, 'JOB_RUNNING'])
  assertContract(second, 'retrain')
  await store.updateJob(id, { state: 'rejected' })
  assert.equal((await request(app).post('/admin/retrain').set(bearer)).status, 202)
})

test('a round without a body takes the defaults and draws a seed', async t => {
  const own = createWorld(t)
  const answer = await request(own.app).post('/admin/retrain').set(bearer)
  assert.equal(answer.status, 202)
  assert.equal(answer.body.params.minutes, 5)
  assert.ok(Number.isInteger(answer.body.params.seed))
})

test('an unknown job is a problem, as JSON and as a stream', async () => {
  for (const Accept of ['application/json', 'text/event-stream']) {
    const answer = await get('/admin/jobs/job_none', { ...bearer, Accept })
    assert.deepEqual([answer.status, answer.body.code], [404, 'UNKNOWN_JOB'])
    assertContract(answer, 'getJob')
  }
})

/** Reads events until `stop` says so or the stream ends; calls `onEvent` after each. */
async function follow(
  url: string,
  onEvent: (event: string, data: { percent: number; state: string }) => Promise<boolean>,
) {
  const leave = new AbortController()
  const answer = await fetch(url, {
    headers: { ...bearer, Accept: 'text/event-stream' },
    signal: leave.signal,
  })
  assert.match(answer.headers.get('content-type') ?? '', /^text\/event-stream/)
  for await (const { event, data } of readEvents(answer))
    if (!(await onEvent(event, data as { percent: number; state: string }))) return leave.abort()
}

test('a followed job tells each change once and ends with the job', async t => {
  const own = await withJob(t)
  await listening(own.app, async url => {
    const events: string[] = []
    await follow(`${url}/admin/jobs/${own.id}`, async (event, { percent }) => {
      events.push(`${event} ${percent}`)
      if (event === 'progress' && percent < 100) {
        const next = percent + 50
        await own.store.updateJob(own.id, { percent: next, state: next < 100 ? 'running' : 'promoted' })
      }
      return true
    })
    assert.deepEqual(events, ['progress 0', 'progress 50', 'progress 100', 'done 100'])
  })
})

test('a stream that its client leaves ends, and the server looks the job up no more', async t => {
  const own = await withJob(t)
  await listening(own.app, async url => {
    await follow(`${url}/admin/jobs/${own.id}`, async () => false)
    await new Promise(resolve => setTimeout(resolve, 50))
    let lookups = 0
    const { getJob } = own.store
    own.store.getJob = wanted => {
      lookups++
      return getJob(wanted)
    }
    await new Promise(resolve => setTimeout(resolve, 50))
    assert.equal(lookups, 0)
  })
})

test('an idle stream is kept open by comments', async t => {
  const own = createWorld(t, { config: { adminKey: ADMIN_KEY, heartbeatMs: 5, jobPollMs: 10 } })
  const { id } = (await request(own.app).post('/admin/retrain').set(bearer)).body
  setTimeout(() => own.store.updateJob(id, { state: 'failed', reason: 'the disk is full' }), 60)
  const answer = await request(own.app)
    .get(`/admin/jobs/${id}`)
    .set(bearer)
    .set('Accept', 'text/event-stream')
  assertContract(answer, 'getJob')
  assert.match(answer.text, /\n: still here\n\n/)
  assert.match(answer.text, /event: done\ndata: \{.*"the disk is full".*\}\n\n$/)
})

test('event streams end when the service closes', async t => {
  const closing = new AbortController()
  const own = createWorld(t, { closing: closing.signal })
  const { id } = (await request(own.app).post('/admin/retrain').set(bearer)).body
  setTimeout(() => closing.abort(), 40)
  const answer = await request(own.app)
    .get(`/admin/jobs/${id}`)
    .set(bearer)
    .set('Accept', 'text/event-stream')
  assert.match(answer.text, /^event: progress\n/)
  assert.doesNotMatch(answer.text, /event: done/)
})

test('decisions are listed newest first with a check of the whole record, and can be taken away', async t => {
  const own = createWorld(t)
  for (let i = 0; i < 103; i++)
    await own.store.appendDecision(
      aDecision(`d${i}`, i % 2 ? { kind: 'refusal', after: 'critic@0.1.0' } : {}),
    )
  const list = await request(own.app).get('/admin/decisions').set(bearer)
  assertContract(list, 'listDecisions')
  assert.equal(list.body.decisions.length, 100)
  assert.deepEqual(
    [list.body.decisions[0].id, list.body.decisions[0].at],
    ['d102', new Date(NOW).toISOString()],
  )
  assert.deepEqual(list.body.check, {
    ok: true,
    entries: 103,
    head: list.body.decisions[0].hash,
    broken_at: null,
  })
  const whole = await request(own.app)
    .get('/admin/decisions')
    .set(bearer)
    .set('Accept', 'application/x-ndjson')
    .buffer(true)
    .parse((res, done) => {
      let text = ''
      res.on('data', chunk => {
        text += chunk
      })
      res.on('end', () => done(null, text))
    })
  const lines = (whole.body as string).trimEnd().split('\n')
  assert.deepEqual(lines, await own.store.readDecisions())
  assertContract(whole, 'listDecisions')
})

test('a record that was tampered with says where', async t => {
  const own = createWorld(t)
  const first = await own.store.appendDecision(aDecision('a'))
  const forged = JSON.stringify({ ...first, reason: 'Better.' })
  own.store.readDecisions = async () => [forged]
  const { body } = await request(own.app).get('/admin/decisions').set(bearer)
  assert.deepEqual([body.check.ok, body.check.broken_at, body.decisions[0].reason], [false, 1, 'Better.'])
})

test('a job is cancelled while it lives, and stays as it ended afterwards', async t => {
  const { app, store, id } = await withJob(t)
  const cancel = () => request(app).post(`/admin/jobs/${id}/cancel`).set(bearer)
  const answer = await cancel()
  assertContract(answer, 'cancelJob')
  assert.deepEqual([answer.body.state, answer.body.reason], ['cancelled', 'Cancelled by hand.'])
  const next = await request(app).post('/admin/retrain').set(bearer)
  assert.equal(next.status, 202, 'the next may begin')
  await store.updateJob(next.body.id, { state: 'promoted' })
  const late = await request(app).post(`/admin/jobs/${next.body.id}/cancel`).set(bearer)
  assert.equal(late.body.state, 'promoted')
  const unknown = await request(app).post('/admin/jobs/nobody/cancel').set(bearer)
  assert.deepEqual([unknown.status, unknown.body.code], [404, 'UNKNOWN_JOB'])
  assertContract(unknown, 'cancelJob')
})

test('a job is paused and resumed, which its followers are told; a paused one holds up the next', async t => {
  const { app, store, id } = await withJob(t)
  await store.claimJob('trainer', 30_000, NOW)
  const post = async (what: 'pause' | 'resume') => {
    const answer = await request(app).post(`/admin/jobs/${id}/${what}`).set(bearer)
    assertContract(answer, `${what}Job`)
    return [answer.body.state, answer.body.reason]
  }
  const events: string[] = []
  await listening(app, url =>
    follow(`${url}/admin/jobs/${id}`, async (event, { state }) => {
      events.push(`${event} ${state}`)
      if (events.length === 1) {
        assert.deepEqual(await post('resume'), ['running', null], 'there is nothing to resume')
        assert.deepEqual(await post('pause'), ['paused', 'Paused by hand.'])
        assert.deepEqual(await post('pause'), ['paused', 'Paused by hand.'])
        const second = await request(app).post('/admin/retrain').set(bearer)
        assert.deepEqual([second.status, second.body.code], [409, 'JOB_RUNNING'])
      }
      if (state === 'paused') assert.deepEqual(await post('resume'), ['queued', null])
      if (state === 'queued') await store.updateJob(id, { state: 'failed' })
      return true
    }),
  )
  assert.deepEqual(events, [
    'progress running',
    'progress paused',
    'progress queued',
    'progress failed',
    'done failed',
  ])
  assert.deepEqual(await post('pause'), ['failed', null], 'one that has ended stays')
  const unknown = await request(app).post('/admin/jobs/nobody/resume').set(bearer)
  assert.deepEqual([unknown.status, unknown.body.code], [404, 'UNKNOWN_JOB'])
  assertContract(unknown, 'resumeJob')
})

test('a paused job can be cancelled', async t => {
  const { app, id } = await withJob(t)
  await request(app).post(`/admin/jobs/${id}/pause`).set(bearer)
  const { body } = await request(app).post(`/admin/jobs/${id}/cancel`).set(bearer)
  assert.deepEqual([body.state, body.reason], ['cancelled', 'Cancelled by hand.'])
})

test('a candidate that is tried out is shown, can be sent on and ended', async t => {
  const { app, store } = createWorld(t)
  const ask = (method: 'get' | 'post', path: string) => request(app)[method](path).set(bearer)
  const none = await ask('get', '/admin/rollout')
  assertContract(none, 'getRollout')
  assert.deepEqual(none.body, { rollout: null })
  for (const [path, operationId] of [
    ['/admin/rollout/skip', 'skipRollout'],
    ['/admin/rollout/abort', 'abortRollout'],
  ] as const) {
    const refused = await ask('post', path)
    assert.deepEqual([refused.status, refused.body.code], [409, 'NO_ROLLOUT'])
    assertContract(refused, operationId)
  }
  const state = {
    id: 'job_1',
    candidate: 'b',
    parent: 'a',
    stage: 'shadow',
    since: NOW,
    until: NOW + 9,
    share: 0.2,
  }
  await store.putNote('rollout', state, 0)
  const shown = await ask('get', '/admin/rollout')
  assertContract(shown, 'getRollout')
  const { job, candidate, stage, until, figures } = shown.body.rollout
  assert.deepEqual([job, candidate, stage, until], ['job_1', 'b', 'shadow', new Date(NOW + 9).toISOString()])
  assert.equal(figures.compared_steps, 0)
  for (const wish of ['skip', 'abort'] as const) {
    assertContract(await ask('post', `/admin/rollout/${wish}`), `${wish}Rollout`)
    assert.equal(((await store.getNote('rollout'))!.value as { wish: string }).wish, wish)
  }
})

test('the schedule is set, paused, shown and removed', async t => {
  const { app } = createWorld(t)
  const get = () => request(app).get('/admin/schedule').set(bearer)
  const set = (body: object) => request(app).post('/admin/schedule').set(bearer).send(body)
  assert.deepEqual((await get()).body, { schedule: null })
  const answer = await set({ after_items: 500, cron: '0 3 * * *' })
  assertContract(answer, 'setSchedule')
  const at = '2026-11-02T09:30:00.000Z'
  const schedule = {
    after_items: 500,
    cron: '0 3 * * *',
    minutes: 5,
    paused: false,
    last_count: 0,
    last_at: at,
  }
  assert.deepEqual([answer.status, answer.body], [200, { schedule }])
  await set({ after_items: 500, paused: true })
  const paused = await get()
  assertContract(paused, 'getSchedule')
  assert.deepEqual(paused.body, { schedule: { ...schedule, cron: null, paused: true } })
  for (const body of [{ cron: 'every day' }, { cron: '99 * * * *' }, { after_items: 0 }, { minutes: 0 }]) {
    const refused = await set(body)
    assert.deepEqual([refused.status, refused.body.code], [422, 'INVALID_REQUEST'], JSON.stringify(body))
    assertContract(refused, 'setSchedule')
  }
  const cleared = await request(app).delete('/admin/schedule').set(bearer)
  assertContract(cleared, 'clearSchedule')
  assert.deepEqual((await get()).body, { schedule: null })
})
