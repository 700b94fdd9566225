// `spar fit ensemble` as a person runs it, against a service that has two critics: its entry is what SPAR_CRITICS takes.
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { parseCriticSpecs } from '../../src/remote/specs.ts'
import { writeJsonl } from '../../src/train/data/jsonl.ts'
import { tempFolder } from '../fakes/tiny-critic.ts'
import { listening } from '../server/listening.ts'
import { createWorld } from '../server/world.ts'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))
const folder = tempFolder()
after(() => folder.remove())
const data = join(folder.path, 'sums.jsonl')
writeJsonl(
  data,
  Array.from({ length: 40 }, (_, i) => ({
    problem: `Add ${i} and 1.`,
    steps: [`${i} + 1 = ${i % 2 === 0 ? i + 1 : i}`, 'So it is.'],
    label: i % 2 === 0 ? -1 : 0,
  })),
)

function spar(...args: string[]): Promise<{ code: number; out: string; err: string }> {
  return new Promise(resolve =>
    execFile(process.execPath, ['src/cli.ts', 'fit', ...args], { cwd: ROOT }, (error, out, err) =>
      resolve({ code: error ? Number(error.code) : 0, out, err }),
    ),
  )
}

test('members are asked over HTTP, and the entry it prints is one that the service takes', t =>
  listening(createWorld(t).app, async url => {
    const args = ['ensemble', '--url', url, '--members', 'sums@1,sums@2', '--data', data, '--batch', '16']
    const { code, out, err } = await spar(...args)
    assert.equal(code, 0, err)
    const { fit, entry, rows, steps } = JSON.parse(out.trimEnd().split('\n').at(-1)!)
    assert.deepEqual([fit, rows.length, steps], ['ensemble', 3, 60])
    assert.deepEqual(
      entry.members.map(({ critic }: { critic: string }) => critic),
      ['sums@1', 'sums@2'],
    )
    const [a, b] = entry.members.map(({ weight }: { weight: number }) => weight)
    assert.ok(a > 0 && Math.abs(a - b) < 1e-6, 'twins weigh the same')
    assert.equal(parseCriticSpecs(JSON.stringify({ mix: entry }), {}).get('mix')?.kind, 'ensemble')
    assert.ok(out.includes(`entry for SPAR_CRITICS: ${JSON.stringify(entry)}`))
  }))

for (const [args, want] of [
  [[], /say what to fit: ensemble/],
  [['ensemble'], /--url is missing/],
  [['ensemble', '--url', 'http://127.0.0.1:1'], /--members is missing/],
  [['ensemble', '--url', 'http://127.0.0.1:1', '--members', 'a', '--data', data], /could not be reached/],
] as const)
  test(`spar fit ${args.slice(0, 4).join(' ')} says what is wrong`, async () => {
    const { code, err } = await spar(...args)
    assert.equal(code, 1)
    assert.match(err, want)
  })
