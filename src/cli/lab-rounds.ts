// `spar lab rounds`: reads the options, opens solver, writers and benchmark, prints tables for people and, last, one JSON line.
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openSolver } from '../critic/solver-model.ts'
import { createOpenAiLlm } from '../llm/openai.ts'
import type { Llm } from '../llm/types.ts'
import { parseUpstreams } from '../llm/upstreams.ts'
import type { LabelledTraffic } from '../store/types.ts'
import { readSubsets } from '../train/eval/labelled.ts'
import { markdown } from '../train/eval/markdown.ts'
import { givenTraffic } from '../train/lab/given.ts'
import { llmWriter, solverWriter } from '../train/lab/real-errors.ts'
import { type RoundsLabOptions, runRoundsLab } from '../train/lab/rounds.ts'
import { type RoundsRun, roundsReport } from '../train/lab/rounds-report.ts'
import { ABLATIONS, type Ablation } from '../train/round/ablation.ts'
import { type CliValues, numberOption } from './options.ts'
import { untilSignalled } from './run-control.ts'

/** Beside what is not ablated. */
const FULL = 'full'
const say = (text: string): void => void process.stderr.write(`${text}\n`)

/** Runs the lab. @throws Error for a wrong option, or when stopped */
export async function labRounds(values: CliValues): Promise<void> {
  const runs = runsOption(values.ablate)
  const whole = (value: string | undefined, name: string, fallback: number, high: number) =>
    Math.floor(numberOption(value, name, fallback, 1, high))
  const plan = {
    rounds: whole(values.rounds, 'rounds', 4, 100),
    minutes: numberOption(values.minutes, 'minutes', 15, 0.02, 1000),
    seed: Math.floor(numberOption(values.seed, 'seed', 1, 0, 2 ** 31)),
    threads: whole(values.threads, 'threads', 2, 256),
  }
  const counts = {
    problems: whole(values.problems, 'problems', 150, 100_000),
    n: whole(values.n, 'n', 8, 64),
    seed: plan.seed,
  }
  const given = { ...counts, problems: whole(values.given, 'given', 150, 100_000) }
  const llm = values.llm === undefined ? null : openLlm(values.llm)
  const files = processBenchFiles(values.data)
  if (files.length === 0) say('ProcessBench is left out: --data <dir> names the folder that holds it')
  const subsets = files.length === 0 ? [] : readSubsets(files)
  const solver = await openSolver(values.base, { threads: plan.threads })
  const scratch = mkdtempSync(join(tmpdir(), 'spar-lab-'))
  try {
    await untilSignalled(async signal => {
      say('the writers solve held-out problems')
      const writers = [await solverWriter(solver, counts, signal)]
      if (llm !== null) writers.push(await llmWriter(llm, counts, signal))
      const sent = new Map<number, Promise<LabelledTraffic[]>>() // the same for every run
      const traffic: RoundsLabOptions['traffic'] = round => {
        const records = sent.get(round) ?? givenTraffic(solver, round, given, signal)
        sent.set(round, records)
        return records
      }
      const done: RoundsRun[] = []
      for (const [i, name] of runs.entries()) {
        const workDir = join(scratch, String(i))
        mkdirSync(workDir)
        const rows = await runRoundsLab({
          ...plan,
          criticDir: values.critic,
          workDir,
          traffic,
          writers,
          ...(llm && { sneakyLlm: llm }),
          subsets,
          ...(name !== FULL && { ablation: name }),
          now: () => performance.now(),
          createdAt: new Date().toISOString(),
          say: text => say(runs.length === 1 ? text : `${name}: ${text}`),
          signal,
        })
        done.push({ name, rows })
      }
      const { sections, json } = roundsReport(done)
      const options = { ...plan, problems: counts.problems, n: counts.n, given: given.problems }
      process.stdout.write(
        `${markdown(sections)}\n${JSON.stringify({ ...json, seed: plan.seed, options })}\n`,
      )
    })
  } finally {
    await solver.release()
    rmSync(scratch, { recursive: true, force: true })
  }
}

/** The runs that `--ablate` asks for: the full one, then each ablated one. @throws for an ablation there is not */
function runsOption(value: string | undefined): (Ablation | typeof FULL)[] {
  const names = value === undefined ? [] : value === 'all' ? ABLATIONS : value.split(',')
  const known = names.map(name => {
    const ablation = ABLATIONS.find(one => one === name)
    if (ablation === undefined) throw new Error(`--ablate knows all, ${ABLATIONS.join(', ')}, not ${name}`)
    return ablation
  })
  return [FULL, ...known]
}

function processBenchFiles(dir: string | undefined): string[] {
  if (dir === undefined) return []
  if (!existsSync(dir)) throw new Error(`--data: there is no folder ${dir}`)
  const files = readdirSync(dir).filter(name => /^processbench_.*\.jsonl(\.gz)?$/.test(name))
  return files.toSorted().map(name => join(dir, name))
}

/** The upstream of this name in the environment (`SPAR_LLM_<NAME>_URL` …). @throws when there is none */
function openLlm(name: string): Llm {
  const upstream = parseUpstreams(process.env).get(name.toLowerCase())
  if (upstream === undefined) throw new Error(`--llm ${name}: the environment names no such upstream`)
  return createOpenAiLlm(upstream)
}
