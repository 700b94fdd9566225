// `spar round` against a service that plays a round: progress for people, the job as the last line, refusals in words.
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { type TestContext, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { progressLine } from '../../src/cli/round.ts'

const CLI = fileURLToPath(new URL('../../src/cli.ts', import.meta.url))

/** A service whose round goes through `jobs`, one a look, and is what `told` says after a verb; keeps what it was asked. */
async function aService(t: TestContext, jobs: readonly object[], told: Record<string, object> = {}) {
  const asked: string[] = []
  const queue = [...jobs]
  const server: Server = createServer((req, res) => {
    asked.push(`${req.method} ${req.url} ${req.headers.authorization}`)
    const isRefused = req.headers.authorization !== 'Bearer letmein'
    const body = isRefused
      ? { title: 'The admin key is missing or wrong', detail: 'Send it.' }
      : (told[req.url!.split('/').at(-1)!] ?? (queue.length > 1 ? queue.shift() : queue[0]))
    res.writeHead(isRefused ? 401 : 200, { 'content-type': 'application/json' }).end(JSON.stringify(body))
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(() => server.close())
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, asked }
}

async function spar(
  key: string,
  args: readonly string[],
  onError: (text: string, kill: () => void) => void = () => {},
) {
  const child = spawn(process.execPath, [CLI, 'round', ...args], {
    env: { ...process.env, SPAR_ADMIN_KEY: key },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let [out, err] = ['', '']
  child.stdout.on('data', chunk => {
    out += chunk
  })
  child.stderr.on('data', chunk => {
    err += chunk
    onError(err, () => child.kill('SIGINT'))
  })
  const [code] = await once(child, 'close')
  return { code: code as number | null, out, err }
}

const job = { id: 'job_1', state: 'running', stage: 'learn', percent: 40, reason: null, figures: {} }

test('a round is started, its progress shown, its end printed', async t => {
  const ended = { ...job, state: 'promoted', percent: 100, reason: 'Not worse.' }
  const { url, asked } = await aService(t, [{ ...job, state: 'queued', percent: 0 }, job, ended])
  const { code, out, err } = await spar('letmein', ['--url', url, '--minutes', '1'])
  assert.equal(code, 0, err)
  assert.deepEqual(JSON.parse(out), ended)
  assert.match(err, / {2}40 % learn\n/)
  assert.match(err, /█{30} 100 % promoted: Not worse\.\n$/)
  assert.match(asked[0]!, /^POST \/admin\/retrain/)
})

/** Follows until the stage `learn` shows, then interrupts. */
async function interrupted(url: string) {
  let isKilled = false
  return spar('letmein', ['--url', url], (text, kill) => {
    if (isKilled || !text.includes('learn')) return
    isKilled = true // a second signal would end it at once
    kill()
  })
}

test('interrupted, it pauses the round and says how to go on', async t => {
  const { url, asked } = await aService(t, [job], { pause: { ...job, state: 'paused' } })
  const { code, err } = await interrupted(url)
  assert.equal(code, 1)
  assert.match(asked.at(-1)!, /^POST \/admin\/jobs\/job_1\/pause/)
  assert.ok(err.includes(`The round is paused. To go on: spar round --resume job_1 --url ${url}\n`), err)
})

test('interrupted when the round has just ended, it says so', async t => {
  const { url } = await aService(t, [job], { pause: { ...job, state: 'rejected' } })
  const { code, err } = await interrupted(url)
  assert.equal(code, 1)
  assert.match(err, /Stopped; the round had ended: rejected\.\n$/)
})

test('a paused round goes on, and is followed to its end', async t => {
  const ended = { ...job, state: 'rejected', percent: 100, reason: 'Worse.' }
  const { url, asked } = await aService(t, [job, { ...job, state: 'paused' }, ended])
  const { code, out, err } = await spar('letmein', ['--url', url, '--resume', 'job_1'])
  assert.equal(code, 0, err)
  assert.match(asked[0]!, /^POST \/admin\/jobs\/job_1\/resume/)
  assert.ok(asked.every(line => !line.includes('retrain')))
  assert.match(err, / {2}40 % learn\n.* {2}40 % learn, paused\n/)
  assert.deepEqual(JSON.parse(out), ended)
})

test('the bar fills with the percent', () => {
  assert.equal(progressLine({ ...job, percent: 50 }), `${'█'.repeat(15)}${'░'.repeat(15)}  50 % learn`)
  assert.equal(progressLine({ ...job, percent: 0 }).startsWith('░'.repeat(30)), true)
})
