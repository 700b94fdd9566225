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

/** A service whose round goes through `jobs`, one a look; keeps what it was asked. */
async function aService(t: TestContext, jobs: readonly object[]) {
  const asked: string[] = []
  const queue = [...jobs]
  const server: Server = createServer((req, res) => {
    asked.push(`${req.method} ${req.url} ${req.headers.authorization}`)
    const isRefused = req.headers.authorization !== 'Bearer letmein'
    const body = isRefused
      ? { title: 'The admin key is missing or wrong', detail: 'Send it.' }
      : queue.length > 1
        ? queue.shift()
        : queue[0]
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

test('interrupted, it cancels the round', async t => {
  const { url, asked } = await aService(t, [job])
  let isKilled = false
  const { code } = await spar('letmein', ['--url', url], (text, kill) => {
    if (isKilled || !text.includes('learn')) return
    isKilled = true // a second signal would end it at once
    kill()
  })
  assert.equal(code, 1)
  assert.match(asked.at(-1)!, /^POST \/admin\/jobs\/job_1\/cancel/)
})

test('the bar fills with the percent', () => {
  assert.equal(progressLine({ ...job, percent: 50 }), `${'█'.repeat(15)}${'░'.repeat(15)}  50 % learn`)
  assert.equal(progressLine({ ...job, percent: 0 }).startsWith('░'.repeat(30)), true)
})
