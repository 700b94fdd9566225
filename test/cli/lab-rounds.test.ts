// `spar lab rounds` from end to end: a tiny critic, a tiny base, real rounds of some seconds; and what it refuses.
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { mkdirSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { writeJsonl } from '../../src/train/data/jsonl.ts'
import { type LlmServer, startLlmServer } from '../fakes/llm-server.ts'
import { tempFolder, writeTinyBase } from '../fakes/tiny-critic.ts'
import { labelledExamples, writeRoundCritic } from '../train/round-world.ts'

const CLI = fileURLToPath(new URL('../../src/cli.ts', import.meta.url))
const folder = tempFolder()
const at = (name: string) => join(folder.path, name)
let llm: LlmServer
before(async () => {
  llm = await startLlmServer()
})
after(async () => {
  await llm.close()
  folder.remove()
})

/** Runs the command with a temporary folder of its own. */
function spar(...args: string[]) {
  const env = { ...process.env, TMPDIR: at('tmp'), SPAR_LLM_FAKE_URL: llm.url, SPAR_LLM_FAKE_MODEL: 'fake' }
  return promisify(execFile)(process.execPath, [CLI, ...args], { env })
}

interface Line {
  readonly round: number
  readonly step_accuracy: number
  readonly processbench_f1: number | null
  readonly sneaky_success: number
  readonly frozen_worst_drop: number
  readonly ece: number
  readonly decision: string
}

test('the lab runs a real round, measures every writer and opponent, and leaves nothing behind', {
  timeout: 300_000,
}, async () => {
  mkdirSync(at('tmp'))
  mkdirSync(at('data'))
  await writeRoundCritic(at('critic'), { version: 'tiny@0.1.0' })
  await writeTinyBase(at('base'), { maxLength: 512 })
  const labelled = labelledExamples('bench', 6, 'heldout').map(({ problem, steps, labels }) => ({
    problem,
    steps,
    label: labels.indexOf(0),
  }))
  writeJsonl(at('data/processbench_tiny.jsonl'), labelled)
  const paths = ['--critic', at('critic'), '--base', at('base'), '--data', at('data'), '--llm', 'fake']
  const quick = ['--rounds', '1', '--minutes', '0.02', '--problems', '3', '--n', '2', '--given', '2']
  const { stdout } = await spar('lab', 'rounds', ...paths, ...quick)
  const { lab, rounds } = JSON.parse(stdout.trim().split('\n').at(-1)!) as { lab: string; rounds: Line[] }
  assert.equal(lab, 'rounds')
  assert.deepEqual(
    rounds.map(row => row.round),
    [0, 1],
  )
  assert.equal(rounds[0]!.decision, 'start')
  assert.match(rounds[1]!.decision, /^(promoted|rejected)$/)
  for (const row of rounds) {
    assert.ok(row.processbench_f1 !== null && row.processbench_f1 >= 0 && row.processbench_f1 <= 100)
    assert.ok(row.sneaky_success >= 0 && row.sneaky_success <= 100)
    assert.ok(row.frozen_worst_drop >= 0)
  }
  assert.match(stdout, /built-in solver: step accuracy \| AUC \| ECE \| fake: step accuracy/)
  assert.ok(llm.requests.length >= 6)
  assert.deepEqual(
    readdirSync(at('tmp')).filter(name => name.startsWith('spar-')),
    [],
  )
})

test('a wrong option is named before anything is run', async () => {
  for (const [args, said] of [
    [['--ablate', 'no-sleep'], /--ablate knows all, .*not no-sleep/],
    [['--llm', 'nobody'], /--llm nobody/],
    [['--data', '/nowhere'], /--data: there is no folder \/nowhere/],
    [['--rounds', '0'], /--rounds must be/],
  ] as const)
    await assert.rejects(spar('lab', 'rounds', ...args), { message: said })
})
