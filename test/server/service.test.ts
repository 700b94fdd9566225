import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { after, test } from 'node:test'
import request from 'supertest'
import { assertContract } from './contract-check.ts'
import { createWorld } from './world.ts'

const world = createWorld({ after })

test('a live process says so', async () => {
  const answer = await request(world.app).get('/healthz')
  assert.equal(answer.status, 200)
  assertContract(answer, 'healthz')
})

test('a ready service names its critic, device and precision', async () => {
  const answer = await request(world.app).get('/readyz')
  assertContract(answer, 'readyz')
  assert.deepEqual(answer.body, { ready: true, critic: 'sums@2', device: 'cpu', precision: 'float32' })
})

test('a service that is not ready says why, and is alive all the same', async t => {
  const loading = createWorld(t, { ready: () => ({ ready: false, reason: 'The critic is loading.' }) })
  const answer = await request(loading.app).get('/readyz')
  assert.equal(answer.status, 503)
  assertContract(answer, 'readyz')
  assert.deepEqual([answer.body.code, answer.body.detail], ['NOT_READY', 'The critic is loading.'])
  assert.equal((await request(loading.app).get('/healthz')).status, 200)
  const metrics = await request(loading.app).get('/metrics')
  assert.doesNotMatch(metrics.text, /^spar_critic_serving\{/m)
})

test('the contract is served as it lies on disk', async () => {
  const answer = await request(world.app)
    .get('/openapi.yaml')
    .buffer(true)
    .parse((res, done) => {
      let text = ''
      res.setEncoding('utf8')
      res.on('data', chunk => (text += chunk))
      res.on('end', () => done(null, text))
    })
  assert.equal(answer.headers['content-type'], 'application/yaml; charset=utf-8')
  assert.equal(answer.body, readFileSync(new URL('../../openapi.yaml', import.meta.url), 'utf8'))
})

test('metrics count requests by pattern and status, steps by verdict, and name the critic', async t => {
  const own = createWorld(t)
  const app = request(own.app)
  await app.post('/critique').send({ problem: 'x', steps: ['1 + 1 = 2', '1 + 1 = 3', '???'] })
  await app.get('/admin/jobs/some-id')
  await app.get('/nowhere/7')
  const answer = await app.get('/metrics')
  assert.equal(answer.status, 200)
  assertContract(answer, 'metrics')
  for (const line of [
    'spar_http_request_duration_seconds_count{method="POST",route="/critique",status="200"} 1',
    'spar_http_request_duration_seconds_count{method="GET",route="/admin/jobs/{id}",status="401"} 1',
    'spar_http_request_duration_seconds_count{method="GET",route="unmatched",status="404"} 1',
    'spar_http_requests_in_flight 1',
    'spar_critique_steps_total{critic="sums@2",verdict="right"} 1',
    'spar_critique_steps_total{critic="sums@2",verdict="wrong"} 1',
    'spar_critique_steps_total{critic="sums@2",verdict="unscored"} 1',
    'spar_critic_tokens_total{kind="critique"} 22',
    'spar_critic_serving{version="sums@2",device="cpu"} 1',
  ])
    assert.ok(answer.text.split('\n').includes(line), line)
  assert.match(answer.text, /^nodejs_eventloop_lag_p99_seconds /m)
  assert.match(answer.text, /^process_resident_memory_bytes /m)
})
