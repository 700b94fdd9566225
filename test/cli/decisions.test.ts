// `spar decisions` on a whole and on a broken export.
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { openSqliteStore } from '../../src/store/sqlite.ts'
import { tempFolder } from '../fakes/tiny-critic.ts'
import { aDecision } from '../store/samples.ts'

const CLI = fileURLToPath(new URL('../../src/cli.ts', import.meta.url))
const folder = tempFolder()
after(() => folder.remove())
const spar = (...args: string[]) => promisify(execFile)(process.execPath, [CLI, 'decisions', ...args])

test('an export is checked: whole, changed, cut off', async () => {
  const store = openSqliteStore(':memory:')
  for (const id of ['a', 'b', 'c']) await store.appendDecision(aDecision(id))
  const lines = await store.readDecisions()
  await store.close()
  const write = (name: string, texts: readonly string[]) => {
    const path = join(folder.path, name)
    writeFileSync(path, texts.map(text => `${text}\n`).join(''))
    return path
  }
  const { stdout } = await spar(write('whole', lines))
  const { head, ...rest } = JSON.parse(stdout) as { head: string }
  assert.deepEqual(rest, { ok: true, entries: 3, broken_at: null })

  const changed = write('changed', [lines[0]!, lines[1]!.replace('not worse', 'far better'), lines[2]!])
  await assert.rejects(spar(changed), { code: 1, stderr: /from entry 2 on/ })
  const short = write('short', lines.slice(0, 2))
  assert.equal(JSON.parse((await spar(short)).stdout).ok, true)
  await assert.rejects(spar(short, '--head', head), { code: 1, stderr: /from entry 3 on/ })
})
