// `spar eval processbench|pools|search|methods|built-in`: reads the options, measures, puts tables for people and, last, one JSON line.

import { openSolver } from '../critic/solver-model.ts'
import { evalBuiltIn } from '../train/eval/built-in.ts'
import { evidenceFigures, evidenceSection } from '../train/eval/evidence.ts'
import { readSubsets } from '../train/eval/labelled.ts'
import { markdown, percentText, shareText, withInterval } from '../train/eval/markdown.ts'
import { readPools } from '../train/eval/pool-data.ts'
import { CALIBRATED, evalPools } from '../train/eval/pools.ts'
import { poolSections, publishedNotes } from '../train/eval/pools-report.ts'
import { evalProcessBench } from '../train/eval/processbench.ts'
import { processBenchSections } from '../train/eval/processbench-report.ts'
import { reliabilitySvg } from '../train/eval/reliability.ts'
import { type OpenedCritic, openCritic, withBaselines } from './eval-critic.ts'
import { evalMethodsCommand } from './eval-methods.ts'
import { origin } from './eval-origin.ts'
import { putEvaluation } from './eval-output.ts'
import { evalSearchCommand } from './eval-search.ts'
import { type CliValues, numberOption, required } from './options.ts'
import { untilSignalled } from './run-control.ts'

const print = (text: string): void => void process.stdout.write(text)

/** Measures one critic. @throws Error for a wrong option or record, AppError for an invalid artifact. */
export async function evalCommand(what: string | undefined, values: CliValues): Promise<void> {
  const commands = { processbench: evalSubsets, pools: evalPoolFile, 'built-in': evalSolver }
  const seed = numberOption(values.seed, 'seed', 1, 0, 2 ** 31)
  if (what === 'search') return evalSearchCommand(values, seed)
  if (what === 'methods') return evalMethodsCommand(values, seed)
  const command = Object.entries(commands).find(([name]) => name === what)?.[1]
  if (!command)
    throw new Error(`say what to evaluate: ${[...Object.keys(commands), 'search', 'methods'].join(', ')}`)
  const data = command === evalSolver ? [] : required(values.data, 'data').split(',')
  const critic = await openCritic(values)
  try {
    await command(critic, values, seed, data)
  } finally {
    await critic.close()
  }
}

type Command = (
  critic: OpenedCritic,
  values: CliValues,
  seed: number,
  data: readonly string[],
) => Promise<void>

const evalSubsets: Command = async (critic, values, seed, data) => {
  const subsets = readSubsets(data)
  const names = subsets.map(({ name }) => name)
  const thresholdFrom = values['threshold-from'] ?? names[0]!
  if (!names.includes(thresholdFrom)) throw new Error(`--threshold-from must be one of ${names.join(', ')}`)
  const figures = await evalProcessBench(subsets, withBaselines(critic, values, seed), {
    thresholdFrom,
    seed,
  })
  const evidence = evidenceFigures(subsets)
  const { facts, json } = origin(critic, values, seed, data)
  putEvaluation(
    {
      title: `Finding the first wrong step: ${critic.judge.name}`,
      facts: [
        ...facts,
        ...subsets.map(({ name, items }) => {
          const count = (is: (first: number | null) => boolean) => items.filter(i => is(i.firstError)).length
          return `${name}: ${items.length} solutions, ${count(i => i !== null && i >= 0)} with an error, ${count(i => i === -1)} without`
        }),
      ],
      sections: [...processBenchSections(figures), evidenceSection(evidence)],
      json: { eval: 'processbench', ...json, ...figures, evidence },
      reliability: reliabilitySvg(figures.calibration, {
        title: `Reliability of ${critic.judge.name}`,
        what: `steps of ${names.join(', ')}`,
        ece: figures.ece,
      }),
    },
    values.out,
    print,
  )
}

const evalPoolFile: Command = async (critic, values, seed, data) => {
  if (data.length !== 1) throw new Error('eval pools takes one file')
  const figures = await evalPools(readPools(data[0]!), withBaselines(critic, values, seed), { seed })
  const { facts, json } = origin(critic, values, seed, data)
  putEvaluation(
    {
      title: `Choosing among candidates: ${critic.judge.name}`,
      facts: [
        ...facts,
        `${figures.problems} problems, ${figures.candidates} candidates, ${figures.mixed} problems with both right and wrong ones`,
      ],
      sections: poolSections(figures),
      json: { eval: 'pools', ...json, ...figures, notes: publishedNotes(figures) },
      reliability: reliabilitySvg(figures.calibration, {
        title: `Reliability of ${critic.judge.name}`,
        what: `${CALIBRATED} of the step scores against the answer`,
        ece: figures.ece,
      }),
    },
    values.out,
    print,
  )
}

const evalSolver: Command = async ({ judge }, values, seed) => {
  const solver = await openSolver(values.base, {
    threads: numberOption(values.threads, 'threads', 2, 1, 256),
  })
  const problems = Math.floor(numberOption(values.problems, 'problems', 500, 1, 100_000))
  const n = Math.floor(numberOption(values.n, 'n', 8, 1, 64))
  const onProblem = (done: number): void => {
    if (done % 50 === 0) process.stderr.write(`${done} of ${problems} problems sampled\n`)
  }
  const figures = await untilSignalled(signal =>
    evalBuiltIn(solver, judge, { problems, n, seed, temperature: 0.8, signal, onProblem }),
  ).finally(() => solver.release())
  const columns = Object.keys(figures)
  const cells = Object.entries(figures).map(([name, x]) => {
    if (typeof x !== 'number') return withInterval(x, percentText)
    return name === 'step_auc' ? shareText(x) : Number.isInteger(x) ? String(x) : percentText(x)
  })
  print(markdown([{ title: `Built-in solver with ${judge.name}`, columns, rows: [cells] }]))
  const base = solver.artifact.manifest.version
  print(`\n${JSON.stringify({ eval: 'built-in', critic: judge.name, base, seed, ...figures })}\n`)
}
