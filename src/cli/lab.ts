// `spar lab traffic` (and the way to `spar lab rounds`): reads the options, starts services of its own, prints tables for people and, last, one JSON line.
import { cpSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openArtifact } from '../critic/manifest.ts'
import { openSolver } from '../critic/solver-model.ts'
import { hashFiles } from '../train/data/jsonl.ts'
import { markdown } from '../train/eval/markdown.ts'
import { readPools } from '../train/eval/pool-data.ts'
import { generatedYardstick, humanYardstick, type Yardstick } from '../train/lab/memory.ts'
import { FOLDS, runTrafficLab } from '../train/lab/traffic.ts'
import { trafficReport } from '../train/lab/traffic-report.ts'
import { labRounds } from './lab-rounds.ts'
import { type CliValues, numberOption, required } from './options.ts'
import { untilSignalled } from './run-control.ts'
import { startService } from './service-process.ts'

const SIZES = '10,30,60,120,200'
const say = (text: string): void => void process.stderr.write(`${text}\n`)

/** Runs one lab. @throws Error for a wrong option or record, when a round fails, or when stopped */
export async function labCommand(what: string | undefined, values: CliValues): Promise<void> {
  if (what === 'rounds') return labRounds(values)
  if (what !== 'traffic') throw new Error('say which lab: traffic or rounds')
  const path = required(values.pool, 'pool')
  const pools = readPools(path)
  const seed = numberOption(values.seed, 'seed', 1, 0, 2 ** 31)
  const plan = {
    sizes: (values.sizes ?? SIZES).split(',').map(size => Math.floor(numberOption(size, 'sizes', 0, 1, 1e5))),
    folds: Math.floor(numberOption(values.folds, 'folds', FOLDS, 1, FOLDS)),
    minutes: numberOption(values.minutes, 'minutes', 4, 0.1, 120), // leaves room for the round's start in five
  }
  const threads = String(numberOption(values.threads, 'threads', 2, 1, 256))
  const { manifest } = openArtifact(values.critic)
  const models = mkdtempSync(join(tmpdir(), 'spar-lab-'))
  try {
    cpSync(values.critic, join(models, 'critic', manifest.version), { recursive: true })
    const folds = await untilSignalled(async signal =>
      runTrafficLab({
        pools,
        ...plan,
        seed,
        yardsticks: await openYardsticks(values, seed, signal),
        start: () => startService({ SPAR_MODELS: models, SPAR_THREADS: threads, SPAR_LOG_LEVEL: 'info' }),
        now: () => performance.now(),
        say,
        signal,
      }),
    )
    const { sections, json } = trafficReport(folds, seed)
    const origin = { ...plan, seed, data_hash: hashFiles([path]) }
    process.stdout.write(`${markdown(sections)}\n${JSON.stringify({ ...json, ...origin })}\n`)
  } finally {
    rmSync(models, { recursive: true, force: true })
  }
}

/** What must not be forgotten; PRM800K only where there is a data folder. */
async function openYardsticks(values: CliValues, seed: number, signal: AbortSignal): Promise<Yardstick[]> {
  if (values.data === undefined) say('PRM800K is left out: --data <dir> names the folder that holds it')
  const human = values.data === undefined ? [] : [humanYardstick(values.data)]
  say('the built-in solver solves fresh problems')
  const solver = await openSolver(values.base, {
    threads: numberOption(values.threads, 'threads', 2, 1, 256),
  })
  try {
    const problems = numberOption(values.problems, 'problems', 100, 1, 100_000)
    const n = numberOption(values.n, 'n', 8, 1, 64)
    return [await generatedYardstick(solver, { problems, n, seed }, signal), ...human]
  } finally {
    await solver.release()
  }
}
