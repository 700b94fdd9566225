// ONNX Runtime reports to nobody what runs here.
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { promisify } from 'node:util'
import { tempFolder, writeTinyCritic } from '../fakes/tiny-critic.ts'

const SRC = new URL('../../src', import.meta.url).href

const WORKER = `
  import { startWorkerCritic } from '${SRC}/critic/worker-critic.ts'
  const critic = await startWorkerCritic(process.argv[2], { devices: ['cpu'], threads: 1 })
  await critic.close()
`
const ENGINE = `
  import { openScorer } from '${SRC}/critic/scorer.ts'
  const scorer = await openScorer(process.argv[2], { threads: 1 })
  await scorer.release()
`

test('the runtime collects no usage events, in a worker or out of one', async t => {
  const folder = tempFolder()
  t.after(() => folder.remove())
  const critic = join(folder.path, 'critic')
  await writeTinyCritic(critic)
  for (const program of [WORKER, ENGINE]) {
    const TMPDIR = join(folder.path, 'tmp')
    mkdirSync(TMPDIR, { recursive: true })
    const { ORT_DISABLE_TELEMETRY: _, ...env } = process.env
    const script = join(folder.path, 'program.ts')
    writeFileSync(script, program)
    await promisify(execFile)(process.execPath, [script, critic], { env: { ...env, TMPDIR } })
    assert.deepEqual(readdirSync(TMPDIR), [])
  }
})
