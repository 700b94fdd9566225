// `spar lab traffic` from end to end: a tiny critic, a tiny pool, real services, real rounds of some seconds.
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { mkdirSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { writeJsonl } from '../../src/train/data/jsonl.ts'
import { tempFolder, writeTinyBase } from '../fakes/tiny-critic.ts'
import { labelledExamples, writeRoundCritic } from '../train/round-world.ts'

const CLI = fileURLToPath(new URL('../../src/cli.ts', import.meta.url))
const folder = tempFolder()
after(() => folder.remove())
const at = (name: string) => join(folder.path, name)

/** Runs the command with a temporary folder of its own. */
function spar(...args: string[]) {
  const env = { ...process.env, TMPDIR: at('tmp') }
  return promisify(execFile)(process.execPath, [CLI, ...args], { env })
}

/** A right and a wrong solution of each of some generated problems. */
function writePool(path: string, problems: number): void {
  const groups = Map.groupBy(labelledExamples('lab', problems, 'train'), ({ problem }) => problem)
  const pools = [...groups].map(([problem, examples]) => ({
    problem,
    candidates: examples.map(({ steps, labels }) => ({ steps, correct: !labels.includes(0) })),
  }))
  writeJsonl(path, pools)
}

test('the lab measures before and after real rounds, says what it left out, and leaves nothing behind', {
  timeout: 300_000,
}, async () => {
  mkdirSync(at('tmp'))
  writePool(at('pool.jsonl'), 20)
  await writeRoundCritic(at('critic'), { version: 'tiny@0.1.0' })
  await writeTinyBase(at('base'), { maxLength: 512 })
  const paths = ['--pool', at('pool.jsonl'), '--critic', at('critic'), '--base', at('base')]
  const quick = ['--folds', '1', '--sizes', '10', '--minutes', '0.1', '--problems', '2', '--n', '2']
  const { stdout, stderr } = await spar('lab', 'traffic', ...paths, ...quick)
  const last = JSON.parse(stdout.trim().split('\n').at(-1)!) as {
    lab: string
    with_feedback: Record<string, number>
    without: number
    before: number
    seconds: number
    critic: string
  }
  assert.equal(last.lab, 'traffic')
  assert.equal(last.critic, 'tiny@0.1.0')
  assert.deepEqual(Object.keys(last.with_feedback), ['10'])
  for (const share of [last.with_feedback['10']!, last.without, last.before])
    assert.ok(Number.isFinite(share) && share >= 0 && share <= 100, stdout)
  assert.ok(last.seconds > 1 && last.seconds < 250)
  assert.match(stdout, /^\| before \|/m)
  assert.match(stdout, /^\| 1, 10 without feedback \| /m)
  assert.match(stderr, /PRM800K is left out/)
  assert.deepEqual(
    readdirSync(at('tmp')).filter(name => name.startsWith('spar-')),
    [],
  )
})

test('a wrong option is named', async () => {
  await assert.rejects(spar('lab', 'traffic'), /--pool is missing/)
  await assert.rejects(spar('lab'), /say which lab: traffic/)
})
