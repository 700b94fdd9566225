// The batcher with a session that only takes notes: what runs together, in what order, and what one failure does to others.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setImmediate as tick } from 'node:timers/promises'
import { type Batcher, createBatcher, type Scored } from '../../src/critic/batcher.ts'
import { type Job, type Planned, planRuns } from '../../src/critic/plan.ts'
import type { Prepared } from '../../src/critic/scorer.ts'
import type { CritiqueItem } from '../../src/critic/types.ts'

/** An item of rows that have as many tokens as its problem has characters; each row scores one step, as its length. */
const item = (tokens: number, rows = 1): CritiqueItem => ({
  problem: 'x'.repeat(tokens),
  steps: Array<string>(rows).fill('step'),
})

interface Desk {
  readonly batcher: Batcher
  /** Lengths of the rows of each run. */
  readonly runs: number[][]
  readonly scored: Scored[]
  readonly failed: number[]
}

/** `duringRun` is called in every run, with its number from 0. Runs with a row of `bad` tokens fail; items of that problem cannot be read. */
function open(
  options: {
    batchTokens?: number
    bad?: number
    unreadable?: string
    duringRun?: (run: number) => void
  } = {},
): Desk {
  const { batchTokens = 1000, bad, unreadable, duringRun } = options
  const desk = { runs: [] as number[][], scored: [] as Scored[], failed: [] as number[] }
  const prepare = ({ problem, steps }: CritiqueItem): Prepared => {
    if (problem === unreadable) throw new Error('cannot read this')
    const out: (number | null)[] = steps.map(() => null)
    const tokens = Array<number>(problem.length).fill(0)
    const jobs = steps.map((_, index): Job => {
      const row = {
        tokens,
        slots: tokens,
        flags: tokens,
        ends: [problem.length - 1],
        steps: [{ index, at: 0 }],
      }
      return { row, features: [], out }
    })
    return {
      jobs,
      logits: out,
      critique: () => ({ steps: out.map(score => ({ score, evidence: [] })), tokens: 0 }),
    }
  }
  const plan = <T extends Job>(jobs: readonly T[]) => planRuns(jobs, null, batchTokens)
  const run = async (rows: readonly Planned[]) => {
    const lengths = rows.map(row => row.length)
    desk.runs.push(lengths)
    duringRun?.(desk.runs.length - 1)
    await tick()
    if (bad !== undefined && lengths.includes(bad)) throw new Error('out of memory')
    for (const { job, length } of rows) for (const { index } of job.row.steps) job.out[index] = length
  }
  const batcher = createBatcher({
    scorer: { prepare, plan, run },
    batchTokens,
    onRan: ({ rows, tokens, scored }) => {
      assert.equal(
        tokens,
        rows === 0 ? 0 : desk.runs.at(-1)!.reduce((a, b) => a + b),
        'tokens are those of the run',
      )
      desk.scored.push(...scored)
    },
    onFailed: id => desk.failed.push(id),
  })
  return { batcher, ...desk }
}

const ids = (scored: readonly Scored[]) => scored.map(({ id }) => id)
const scoresOf = (scored: readonly Scored[], id: number) =>
  scored.find(entry => entry.id === id)!.results.map(({ steps }) => steps.map(({ score }) => score))

test('requests that are there when a batch is formed share it, and each gets its own scores', async () => {
  const { batcher, runs, scored } = open()
  batcher.add(1, [item(40), item(42, 2)])
  batcher.add(2, [item(41)])
  await batcher.idle()
  assert.deepEqual(runs, [[40, 41, 42, 42]])
  assert.deepEqual(scoresOf(scored, 1), [[40], [42, 42]])
  assert.deepEqual(scoresOf(scored, 2), [[41]])
})

test('lengths that differ much do not share a run', async () => {
  const { batcher, runs } = open()
  batcher.add(1, [item(300), item(40), item(310), item(45)])
  await batcher.idle()
  assert.deepEqual(runs, [
    [40, 45],
    [300, 310],
  ])
})

test('a huge request is scored in parts, between which one that comes later has its turn', async () => {
  const desk = open({
    batchTokens: 100,
    duringRun: run => run === 1 && desk.batcher.add(2, [item(50)]),
  })
  desk.batcher.add(1, [item(50, 20)])
  await desk.batcher.idle()
  assert.deepEqual(ids(desk.scored), [2, 1])
  assert.ok(desk.runs.every(run => run.length <= 2))
  assert.equal(desk.runs.flat().length, 21)
})

test('a departed client’s rows do not run, not even those that were taken already', async () => {
  const desk = open({ duringRun: run => run === 0 && desk.batcher.leave(2) })
  desk.batcher.add(1, [item(40)])
  desk.batcher.add(2, [item(40), item(100, 3)])
  desk.batcher.add(3, [item(100)])
  await desk.batcher.idle()
  assert.deepEqual(desk.runs, [[40, 40], [100]])
  assert.deepEqual(ids(desk.scored), [1, 3])
})

test('a request that cannot be run fails alone: those beside it are run again without it', async () => {
  const { batcher, runs, scored, failed } = open({ bad: 41 })
  batcher.add(1, [item(40)])
  batcher.add(2, [item(41), item(42)])
  batcher.add(3, [item(43)])
  await batcher.idle()
  assert.deepEqual(failed, [2])
  assert.deepEqual(ids(scored), [1, 3])
  assert.deepEqual(runs, [[40, 41, 42, 43], [40], [41], [43]], 'nor is the rest of the failed one run')
})

test('a request that cannot be read fails alone', async () => {
  const { batcher, scored, failed } = open({ unreadable: 'xx' })
  batcher.add(1, [item(2)])
  batcher.add(2, [item(3), item(2), item(3)])
  batcher.add(3, [item(3)])
  await batcher.idle()
  assert.deepEqual(failed, [1, 2])
  assert.deepEqual(ids(scored), [3])
})

test('items without steps, and no items, are answered all the same', async () => {
  const { batcher, scored } = open()
  batcher.add(1, [])
  batcher.add(2, [item(40, 0)])
  batcher.add(3, [item(40), item(40, 0)])
  await batcher.idle()
  assert.deepEqual(ids(scored).toSorted(), [1, 2, 3])
  assert.deepEqual(scoresOf(scored, 2), [[]])
  assert.deepEqual(scoresOf(scored, 3), [[40], []])
})

test('once idle it works again for the next request, and tells the time it took', async () => {
  const { batcher, scored } = open()
  await batcher.idle()
  for (const id of [1, 2]) {
    batcher.add(id, [item(40)])
    await batcher.idle()
  }
  assert.deepEqual(ids(scored), [1, 2])
  for (const { timing } of scored) assert.ok(timing.infer > 0 && timing.tokenise >= 0)
})
