// A critic's int8 graph against its float32 graph: the same rows in turn, in batches and alone, on one thread.
// `npm run -s bench -- int8 [--repeats 8] [--items 64] [--critic <dir>]`
import { parseArgs } from 'node:util'
import { SHIPPED_CRITIC } from '../src/cli/options.ts'
import type { Planned } from '../src/critic/plan.ts'
import { INT8_MODEL } from '../src/critic/precision.ts'
import { openScorer, type Scorer } from '../src/critic/scorer.ts'
import { generateProblems } from '../src/train/recipe/built-in.ts'
import { createRng } from '../src/train/rng.ts'
import { quantile } from './lib/load.ts'

/** Padded tokens of a run in batches. */
const BATCH = 2048

interface Timed {
  readonly ms: number
  readonly cpuMs: number
}

async function time(scorer: Scorer, rows: readonly Planned[]): Promise<Timed> {
  const cpu = process.cpuUsage()
  const start = performance.now()
  await scorer.run(rows)
  const ms = performance.now() - start
  const { user, system } = process.cpuUsage(cpu)
  return { ms, cpuMs: (user + system) / 1000 }
}

export async function run(args: readonly string[]) {
  const { values } = parseArgs({
    args: [...args],
    options: {
      repeats: { type: 'string', default: '8' },
      items: { type: 'string', default: '64' },
      critic: { type: 'string', default: SHIPPED_CRITIC },
    },
  })
  const items = generateProblems(createRng('bench int8'), Number(values.items), 'train')
  const float32 = await openScorer(values.critic)
  const int8 = await openScorer(values.critic, { precision: 'int8' })
  if (int8.precision !== 'int8')
    throw new Error(`${values.critic} has no ${INT8_MODEL}: give it one by spar export`)
  const [want, got] = [await float32.judge(items), await int8.judge(items)]
  const distances = want.flatMap(({ steps }, i) =>
    steps.map(({ score }, k) => Math.abs(score! - got[i]!.steps[k]!.score!)),
  )
  const jobs = items.flatMap(item => float32.prepare(item).jobs)
  const kinds = {
    batched: [...float32.plan(jobs, BATCH)],
    alone: jobs.map(job => [...float32.plan([job], BATCH)].flat()),
  }
  const gains: Record<string, number> = {}
  for (const [kind, runs] of Object.entries(kinds)) {
    const timed = { float32: [] as Timed[], int8: [] as Timed[] }
    for (let i = -1; i < Number(values.repeats); i++) {
      const total = { float32: { ms: 0, cpuMs: 0 }, int8: { ms: 0, cpuMs: 0 } }
      // Run by run in turn, so that a machine that slows down favours neither.
      for (const rows of runs)
        for (const [side, scorer] of [['float32', float32] as const, ['int8', int8] as const]) {
          const { ms, cpuMs } = await time(scorer, rows)
          total[side].ms += ms
          total[side].cpuMs += cpuMs
        }
      if (i < 0) continue // the first warms up
      timed.float32.push(total.float32)
      timed.int8.push(total.int8)
    }
    const ratio = (of: keyof Timed) => round(median(timed.float32, of) / median(timed.int8, of))
    gains[`gain_${kind}`] = ratio('ms')
    gains[`gain_${kind}_cpu`] = ratio('cpuMs')
  }
  await Promise.all([float32.release(), int8.release()])
  return {
    bench: 'int8',
    gain: gains['gain_batched']!,
    ...gains,
    score_distance: {
      widest: round(Math.max(...distances)),
      mean: round(distances.reduce((a, b) => a + b, 0) / distances.length),
    },
    steps: distances.length,
    node: process.version,
  }
}

const median = (all: readonly Timed[], of: keyof Timed): number =>
  quantile(
    all.map(timed => timed[of]).toSorted((a, b) => a - b),
    0.5,
  )
const round = (x: number): number => Number(x.toPrecision(4))
