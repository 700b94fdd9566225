// `spar eval processbench|built-in`: prints a table for people and, last, one JSON line.

import { openScorer } from '../critic/scorer.ts'
import { openSolver } from '../critic/solver-model.ts'
import { hashFiles } from '../train/data/jsonl.ts'
import { evalBuiltIn } from '../train/eval/built-in.ts'
import { evalProcessBench } from '../train/eval/processbench.ts'
import { type CliValues, numberOption, required } from './options.ts'

const table = (rows: readonly object[]): string => {
  const names = Object.keys(rows[0] ?? {})
  const show = (x: unknown) =>
    typeof x === 'number' ? (Math.abs(x) < 1 ? x.toFixed(3) : x.toFixed(1)) : String(x)
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |\n`
  return (
    line(names) + line(names.map(() => '---')) + rows.map(row => line(Object.values(row).map(show))).join('')
  )
}

/** Measures one artifact. @throws Error for a wrong option, AppError for an invalid artifact. */
export async function evalCommand(what: string | undefined, values: CliValues): Promise<void> {
  const threads = numberOption(values.threads, 'threads', 2, 1, 256)
  const scorer = await openScorer(values.critic, { threads })
  const { version } = scorer.artifact.manifest
  if (what === 'processbench') {
    const data = required(values.data, 'data')
    const threshold =
      values.threshold === undefined
        ? undefined
        : values.threshold === 'best'
          ? 'best_here'
          : numberOption(values.threshold, 'threshold', 0, 0, 1)
    const rows = await evalProcessBench(data, scorer, threshold)
    process.stdout.write(table(rows))
    process.stdout.write(
      `${JSON.stringify({ eval: 'processbench', critic: version, data: data.split('/').at(-1), data_hash: hashFiles([data]), rows })}\n`,
    )
  } else if (what === 'built-in') {
    const solver = await openSolver(values.base, { threads })
    const seed = numberOption(values.seed, 'seed', 1, 0, 2 ** 31)
    const figures = await evalBuiltIn(solver, scorer, {
      problems: numberOption(values.problems, 'problems', 200, 1, 100_000),
      n: numberOption(values.n, 'n', 8, 1, 64),
      seed,
      temperature: 0.8,
    })
    await solver.release()
    process.stdout.write(table([figures]))
    process.stdout.write(
      `${JSON.stringify({ eval: 'built-in', critic: version, base: solver.artifact.manifest.version, seed, ...figures })}\n`,
    )
  } else throw new Error('say what to evaluate: processbench or built-in')
  await scorer.release()
}
