// A person's hold on a training run: signals, checkpoints and limits from the options.
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { readArguments } from '../../src/cli/options.ts'
import { runControls, untilStopped } from '../../src/cli/run-control.ts'

const options = (...args: string[]) => readArguments(args).values
const never = new AbortController().signal

/** Work that lasts until it is aborted, as training does. */
const untilAborted = (signal: AbortSignal): Promise<never> =>
  new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)))

for (const [name, args, want] of [
  [
    'with a checkpoint says how to go on',
    ['--checkpoint', 'a/b'],
    /give the same command with --resume a\/b /,
  ],
  ['that was resumed says how to go on', ['--resume', 'a/b'], /--resume a\/b /],
  [
    'of a frozen base says that what was read is kept',
    ['--freeze'],
    /same command: what the base has read is kept/,
  ],
  [
    'without a checkpoint says what was lost',
    [],
    /Nothing was kept: a run with --checkpoint <dir> can go on/,
  ],
] as const) {
  test(`a signal ends the run, and one ${name}`, async () => {
    const listeners = process.listenerCount('SIGTERM')
    const run = untilStopped(options(...args), untilAborted)
    process.emit('SIGTERM', 'SIGTERM')
    await assert.rejects(run, want)
    assert.equal(process.listenerCount('SIGTERM'), listeners)
  })
}

test('what is not a signal passes through', async () => {
  assert.equal(await untilStopped(options(), async () => 7), 7)
  await assert.rejects(
    untilStopped(options(), async () => {
      throw new Error('the loss became NaN')
    }),
    /^Error: the loss became NaN$/,
  )
})

test('options become controls, with a limit of memory by default', () => {
  const plain = runControls(options(), 4, never)
  assert.deepEqual([plain.accumulate, plain.dropout, plain.checkpoints], [1, { rate: 0, seed: 4 }, undefined])
  assert.ok(plain.memoryBytes! > 1e8 && Number.isFinite(plain.memoryBytes!))
  const asked = runControls(options('--accumulate', '4', '--dropout', '0.1', '--memory-mb', '500'), 4, never)
  assert.deepEqual([asked.accumulate, asked.dropout?.rate, asked.memoryBytes], [4, 0.1, 5e8])
  assert.throws(
    () => runControls(options('--dropout', '1'), 4, never),
    /--dropout must be a number from 0 to 0.9/,
  )
})

test('a checkpoint’s folder and interval come from the options; a resumption needs one there', () => {
  const dir = mkdtempSync(join(tmpdir(), 'spar-control-'))
  const controls = runControls(options('--checkpoint', dir, '--every-minutes', '2'), 1, never)
  assert.equal(controls.checkpoints?.everyMs, 120_000)
  assert.equal(controls.checkpoints?.load(), null)
  assert.throws(() => runControls(options('--resume', dir), 1, never), /there is no checkpoint in /)
  assert.throws(
    () => runControls(options('--resume', dir, '--checkpoint', `${dir}-2`), 1, never),
    /leave --checkpoint out/,
  )
  rmSync(dir, { recursive: true })
})
