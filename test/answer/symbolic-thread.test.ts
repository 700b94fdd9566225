// The worker of the computer algebra library: deadlines, replacement, departures, and that it keeps nothing alive.
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { createSymbolicThread, type SymbolicThread } from '../../src/answer/symbolic-thread.ts'

// The library takes some 800 ms over this before it gives up by itself.
const SLOW = ['((a+b+c)^{9}+i)^{9}', '((a+b+c)^{9}+i)^{8}'] as const
const DEADLINE_MS = 500

/** Asks until the worker has loaded; gives the verdict and how many questions it took. */
async function askUntilAnswered(thread: SymbolicThread): Promise<{ same: boolean; tries: number }> {
  for (let tries = 1; tries <= 200; tries++) {
    const same = await thread.ask('(x+1)^2', 'x^2+2x+1')
    if (same !== null) return { same, tries }
  }
  throw new Error('no answer in 200 questions')
}

test('a question past its deadline is answered null, and its worker replaced at the next one', async t => {
  const thread = createSymbolicThread({ deadlineMs: DEADLINE_MS })
  t.after(() => thread.close())
  assert.equal((await askUntilAnswered(thread)).same, true)
  const started = performance.now()
  assert.equal(await thread.ask(...SLOW), null)
  assert.ok(performance.now() - started >= DEADLINE_MS - 5)
  assert.equal((await askUntilAnswered(thread)).same, true)
})

test('a question that waited in line past its deadline does not cost the worker its life', async t => {
  const thread = createSymbolicThread({ deadlineMs: 3000 })
  t.after(() => thread.close())
  let started = 0
  const count = () => void started++
  subscribe('worker_threads', count)
  t.after(() => unsubscribe('worker_threads', count))
  await askUntilAnswered(thread)
  // Each takes less than the deadline, the five of them together take more.
  const asked = Array.from({ length: 5 }, () => thread.ask(...SLOW))
  assert.equal((await Promise.all(asked)).at(-1), null)
  assert.equal((await askUntilAnswered(thread)).same, true)
  assert.equal(started, 1)
})

test('who leaves is answered at once, and the worker lives on', async t => {
  const thread = createSymbolicThread({ deadlineMs: 60_000 })
  t.after(() => thread.close())
  assert.equal(await thread.ask('x', 'x'), true)
  const gone = new AbortController()
  const asked = [thread.ask(...SLOW, gone.signal), thread.ask('y', 'z', gone.signal)]
  gone.abort()
  assert.deepEqual(await Promise.all(asked), [null, null])
  assert.equal(await thread.ask('x', 'x', gone.signal), null)
  assert.deepEqual(await askUntilAnswered(thread), { same: true, tries: 1 })
})

test('closing answers what waits, and nothing is asked afterwards', async () => {
  const thread = createSymbolicThread({ deadlineMs: 60_000 })
  const asked = [thread.ask(...SLOW), thread.ask('x', 'x')]
  await thread.close()
  assert.deepEqual(await Promise.all(asked), [null, null])
  assert.equal(await thread.ask('x', 'x'), null)
})

test('a line that is too long is cut: one question more is answered null at once', async () => {
  const thread = createSymbolicThread({ deadlineMs: 60_000 })
  const asked = Array.from({ length: 64 }, () => thread.ask('x', 'x'))
  assert.equal(await thread.ask('x', 'x'), null)
  await thread.close()
  assert.ok((await Promise.all(asked)).every(same => same === null))
})

test('an idle worker keeps no process alive', async t => {
  const dir = mkdtempSync(join(tmpdir(), 'spar-symbolic-'))
  t.after(() => rmSync(dir, { recursive: true }))
  const module = new URL('../../src/answer/symbolic-thread.ts', import.meta.url)
  const script = `import { createSymbolicThread } from ${JSON.stringify(module.href)}
    process.stdout.write(String(await createSymbolicThread({ deadlineMs: 60_000 }).ask('x', 'x')))`
  writeFileSync(join(dir, 'ask.mjs'), script)
  const child = spawn(process.execPath, [join(dir, 'ask.mjs')], {
    stdio: ['ignore', 'pipe', 'ignore'],
    timeout: 60_000,
  })
  let printed = ''
  child.stdout.on('data', chunk => (printed += chunk))
  const [code] = await once(child, 'exit')
  assert.deepEqual([code, printed], [0, 'true'])
})
