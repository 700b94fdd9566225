import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { test } from 'node:test'
import request from 'supertest'
import { AppError } from '../../src/errors.ts'
import { createLog } from '../../src/log.ts'
import type { Privacy } from '../../src/server/deps.ts'
import { ADMIN_KEY, createWorld, startLlm, sumsCritic } from './world.ts'

const SECRETS = {
  problem: 'Zacharias has 5 zebras and buys 7.',
  step: 'Zebra step 5 + 7 = 12',
  llmKey: 'sk-zeppelin-key',
  chatKey: 'sk-zodiac-key',
  adminKey: ADMIN_KEY,
  header: 'zinc-header-value',
}

function assertNoSecret(lines: readonly string[]): void {
  assert.ok(lines.length > 0)
  const text = lines.join('')
  for (const [name, secret] of Object.entries(SECRETS))
    for (const part of [secret, ...secret.split(' ').filter(word => /^z/i.test(word))])
      assert.ok(!text.includes(part), `the log holds the ${name}: ${part}`)
}

test('no prompt, key or header is ever logged, whatever happens to the request', async t => {
  // Every one of these repeats what it was sent in its answer.
  for (const script of [
    'ok',
    'error',
    'refuses',
    'bad_request',
    'html',
    'broken_json',
    'not_http',
  ] as const) {
    const llm = await startLlm(t, { script })
    const host = new URL(llm.url).host
    const { app, lines } = createWorld(t, { llmUrl: llm.url, llmHosts: host })
    const headers = {
      'X-LLM-Api-Key': SECRETS.llmKey,
      'X-Other': SECRETS.header,
      Cookie: SECRETS.header,
      Authorization: `Bearer ${SECRETS.chatKey}`,
    }
    const { problem, step } = SECRETS
    const post = (path: string, body: object) => request(app).post(path).set(headers).send(body)
    await post('/critique', { problem, steps: [step] })
    await post('/critique', { problem, steps: [step], [step]: 1 })
    await post('/critique', { problem, steps: [step], critic: step })
    await post('/search', { problem, llm: { upstream: 'fake' }, params: { n: 1 } })
    await post('/search', { problem, llm: { upstream: 'fake' }, params: { [step]: 1 } })
    await post('/search', { problem, llm: { base_url: llm.url, model: 'm' }, params: { n: 1 } })
    const chat = { model: 'spar', messages: [{ role: 'user', content: problem }], spar: { params: { n: 1 } } }
    await post('/v1/chat/completions', chat)
    await post('/v1/chat/completions', { ...chat, stream: true })
    await post('/v1/chat/completions', { ...chat, model: step })
    await post('/feedback', { request_id: step, answer_correct: true })
    await request(app).post('/critique').set('Content-Type', 'application/json').send(`{"${problem}`)
    await request(app).get(`/critique?q=${encodeURIComponent(problem)}`)
    await request(app).get(`/${encodeURIComponent(problem)}`)
    await request(app).get('/admin/critics').set('Authorization', `Bearer ${ADMIN_KEY}`)
    await request(app).get('/admin/critics').set('X-Admin-Key', SECRETS.header)
    assertNoSecret(lines)
  }
})

test('an unexpected error that quotes the prompt is logged without it', async t => {
  const { problem, step } = SECRETS
  const errors = [
    new Error(`could not score ${problem}`, { cause: new Error(step) }),
    new SyntaxError(`Unexpected token 'Z', "${step}" is not valid JSON`),
    Object.assign(new TypeError(`Received ${problem}`), { code: 'ERR_INVALID_ARG_TYPE' }),
    problem,
    { problem },
  ]
  const plain = createWorld(t)
  for (const error of errors) {
    const critic = {
      ...sumsCritic('leaky'),
      judge: async () => {
        throw error
      },
    }
    const { app, lines } = createWorld(t, {
      critics: { ...plain.deps.critics, criticFor: () => ({ critic: critic, fallback: null }) },
    })
    const answer = await request(app)
      .post('/critique')
      .send({ problem, steps: [step] })
    assert.equal(answer.status, 500)
    assertNoSecret(lines)
    assertNoSecret([answer.text])
  }
})

test('the log says enough of an error to find it', () => {
  const lines: string[] = []
  const log = createLog({ level: 'info', stream: { write: line => void lines.push(line) } })
  const refused = Object.assign(new Error('connect ECONNREFUSED 127.0.0.1:1'), {
    code: 'ECONNREFUSED',
    syscall: 'connect',
  })
  log
    .child({ part: 'test' })
    .error({ error: new AppError('LLM_UNREACHABLE', 'No connection.', { cause: refused }) }, 'x')
  log.debug({}, 'dropped')
  const [line] = lines.map(text => JSON.parse(text))
  assert.equal(lines.length, 1)
  assert.deepEqual([line.level, line.part, line.message], ['error', 'test', 'x'])
  const { at, cause, ...error } = line.error
  assert.deepEqual(error, { name: 'AppError', code: 'LLM_UNREACHABLE', message: 'No connection.' })
  assert.match(at[0], /privacy\.test\.ts/)
  assert.deepEqual([cause.code, cause.message], ['ECONNREFUSED', 'connect ECONNREFUSED 127.0.0.1:1'])
})

const KEY = 'client-key-of-zoe'
const FINGERPRINT = createHash('sha256').update(KEY).digest('hex').slice(0, 16)

const KEPT: readonly [name: string, privacy: Privacy, headers: Record<string, string>, kept: boolean][] = [
  ['what asks for nothing', {}, {}, true],
  ['what says off', {}, { 'X-Spar-Log': 'off' }, false],
  ['what says nothing where clients are asked first', { onlyWhenAsked: true }, {}, false],
  ['what says on where clients are asked first', { onlyWhenAsked: true }, { 'X-Spar-Log': 'On' }, true],
  ['a key that opted out', { optedOut: [FINGERPRINT] }, { 'X-Api-Key': KEY }, false],
  [
    'a key that opted out, as a bearer token',
    { optedOut: [FINGERPRINT] },
    { Authorization: `Bearer ${KEY}` },
    false,
  ],
  [
    'a key that opted out, though it says on',
    { optedOut: [FINGERPRINT] },
    { 'X-Api-Key': KEY, 'X-Spar-Log': 'on' },
    false,
  ],
  ['another key', { optedOut: [FINGERPRINT] }, { 'X-Api-Key': 'other' }, true],
]
for (const [name, privacy, headers, kept] of KEPT)
  test(`${name} is ${kept ? 'kept' : 'not kept'}`, async t => {
    const world = createWorld(t, { config: { adminKey: ADMIN_KEY, privacy } })
    await request(world.app)
      .post('/critique')
      .set(headers)
      .send({ problem: 'x', steps: ['1 + 1 = 2'] })
    assert.equal((await world.traffic()).length, kept ? 1 : 0)
  })

test('of a key only the fingerprint is kept, with its traffic and its feedback', async t => {
  const world = createWorld(t)
  const send = (path: string, body: object) => request(world.app).post(path).set('X-Api-Key', KEY).send(body)
  const { body } = await send('/critique', { problem: 'x', steps: ['1 + 1 = 2'] })
  await world.traffic()
  await send('/feedback', { request_id: body.request_id, answer_correct: true })
  const [{ record, feedback } = assert.fail()] = await world.traffic()
  assert.deepEqual([record.client, feedback[0]?.client], [FINGERPRINT, FINGERPRINT])
  assert.ok(!JSON.stringify([record, feedback]).includes(KEY))
})
