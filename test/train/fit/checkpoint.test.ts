// A run that is stopped and resumed is the run that was not stopped; a bad checkpoint says what is wrong with it.
import assert from 'node:assert/strict'
import { existsSync, mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { openCheckpoints } from '../../../src/train/fit/checkpoint.ts'
import type { FitOptions } from '../../../src/train/fit/fit.ts'
import { initWeights } from '../../../src/train/model/config.ts'
import { initLora, lora } from '../../../src/train/model/lora.ts'
import { createRng } from '../../../src/train/rng.ts'
import { TINY_MODEL } from '../../fakes/tiny-critic.ts'
import { shortRun } from './run.ts'

const root = mkdtempSync(join(tmpdir(), 'spar-checkpoint-'))
after(() => rmSync(root, { recursive: true }))
let count = 0
const fresh = () => join(root, `run-${++count}`)

/** Runs to step 3, where an abort stops it. */
async function stopped(dir: string, options: Partial<FitOptions> = {}) {
  const stop = new AbortController()
  const losses: number[] = []
  const run = shortRun({
    ...options,
    checkpoints: openCheckpoints(dir, 1e9, false),
    signal: stop.signal,
    onStep: ({ step, loss }) => {
      losses.push(loss)
      if (step === 2) stop.abort(new Error('stopped'))
    },
  })
  await assert.rejects(run, /stopped/)
  return losses
}

const LORA = { rank: 2, alpha: 4, targets: ['q', 'v'] } as const
const base = initWeights(TINY_MODEL, createRng('base'))
const KINDS: Readonly<Record<string, Partial<FitOptions>>> = {
  'the plain step': {},
  'accumulation and dropout': { accumulate: 2, dropout: { rate: 0.2, seed: 5 } },
  'low-rank pairs beside a frozen base': {
    adaptation: lora(TINY_MODEL, LORA),
    weights: { ...base, ...initLora(TINY_MODEL, LORA, createRng('pairs')) },
  },
}

for (const [name, options] of Object.entries(KINDS)) {
  test(`six steps at once equal three, a stop, and three more, bit for bit: ${name}`, async () => {
    const dir = fresh()
    const whole = await shortRun(options)
    const before = await stopped(dir, options)
    const rest = await shortRun({ ...options, checkpoints: openCheckpoints(dir, 1e9, true) })
    assert.deepEqual(
      rest.reports.map(r => r.step),
      [3, 4, 5],
    )
    assert.deepEqual(
      [...before, ...rest.reports.map(r => r.loss)],
      whole.reports.map(r => r.loss),
    )
    assert.deepEqual(rest.reports, whole.reports.slice(3))
    assert.deepEqual(rest.weights, whole.weights)
  })
}

test('a run saves after its time, and at its end, so that it can be trained on', async () => {
  const dir = fresh()
  let clock = 0
  const saves: number[] = []
  const store = openCheckpoints(dir, 250, false)
  const first = await shortRun({
    budget: { ms: 1000 },
    now: () => clock,
    onStep: () => (clock += 100),
    checkpoints: {
      ...store,
      save: checkpoint => {
        saves.push(checkpoint.step)
        store.save(checkpoint)
      },
    },
  })
  assert.deepEqual(saves, [3, 6, 9, 10])
  assert.ok(!existsSync(join(dir, 'run.checkpoint.new')))
  const ended = await shortRun({
    budget: { ms: 1000 },
    now: () => clock,
    checkpoints: openCheckpoints(dir, 250, true),
  })
  assert.deepEqual([ended.reports, ended.weights], [[], first.weights])
  const longer = await shortRun({ budget: { steps: 12 }, checkpoints: openCheckpoints(dir, 1e9, true) })
  assert.deepEqual(
    longer.reports.map(r => [r.step, r.elapsedMs]),
    [
      [10, 1000],
      [11, 1000],
    ],
  )
})

test('saving that takes long is done so seldom that it takes a hundredth of the time', async () => {
  let clock = 0
  const saves: number[] = []
  await shortRun({
    budget: { ms: 2500 },
    now: () => clock,
    onStep: () => (clock += 100),
    checkpoints: {
      everyMs: 100,
      load: () => null,
      save({ step }) {
        saves.push(step)
        clock += 10
      },
    },
  })
  assert.deepEqual(saves, [1, 11, 21, 25])
})

test('an abort before the first step saves nothing', async () => {
  const dir = fresh()
  const signal = AbortSignal.abort(new Error('early'))
  await assert.rejects(shortRun({ signal, checkpoints: openCheckpoints(dir, 1, false) }), /early/)
  assert.ok(!existsSync(dir))
})

test('a missing, torn, changed or foreign checkpoint says so, and none is overwritten', async () => {
  const dir = fresh()
  assert.throws(() => openCheckpoints(dir, 1, true), /there is no checkpoint in /)
  await stopped(dir)
  const path = join(dir, 'run.checkpoint')
  assert.throws(() => openCheckpoints(dir, 1, false), /holds the checkpoint of a run: go on with --resume/)
  const good = readFileSync(path)
  const changed = Buffer.from(good)
  changed[good.length - 100]! ^= 1
  writeFileSync(path, changed)
  assert.throws(() => openCheckpoints(dir, 1, true), /is torn or was changed/)
  writeFileSync(path, good)
  truncateSync(path, good.length - 7)
  assert.throws(() => openCheckpoints(dir, 1, true), /is torn or was changed/)
  truncateSync(path, 20)
  assert.throws(() => openCheckpoints(dir, 1, true), /is torn or was changed/)
  writeFileSync(path, 'PK something else')
  assert.throws(() => openCheckpoints(dir, 1, true), /is no checkpoint of Spar/)
})

test('a run with other settings, data or frozen weights does not go on', async () => {
  const dir = fresh()
  await stopped(dir)
  const resume = (change: Parameters<typeof shortRun>[0]) =>
    shortRun({ ...change, checkpoints: openCheckpoints(dir, 1e9, true) })
  await assert.rejects(resume({ accumulate: 2 }), /its accumulate is 1, this run's 2/)
  await assert.rejects(resume({ dropout: { rate: 0.1, seed: 1 } }), /its dropout is \{"rate":0/)
  await assert.rejects(resume({ seed: 'another' }), /the data or the seed differ/)
  const frozen = fresh()
  const options = KINDS['low-rank pairs beside a frozen base']!
  await stopped(frozen, options)
  const other = { ...options.weights!, embed: options.weights!['embed']!.map(x => x + 1) }
  await assert.rejects(
    shortRun({ ...options, weights: other, checkpoints: openCheckpoints(frozen, 1e9, true) }),
    /its frozen weights is /,
  )
})
