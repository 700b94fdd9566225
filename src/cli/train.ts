// `spar train base|critic`: wires a recipe to the clock, the engine and the terminal.

import { tracedEngine } from '../train/engine/engine.ts'
import { type RecipeContext, trainBase } from '../train/recipe/base.ts'
import { trainCritic } from '../train/recipe/critic.ts'
import { type CliValues, numberOption, required } from './options.ts'

/** Trains one artifact. @throws Error for a wrong option or an empty corpus. */
export async function trainCommand(
  what: string | undefined,
  values: CliValues,
  command: string,
): Promise<void> {
  const minutes = numberOption(values.minutes, 'minutes', what === 'base' ? 25 : 30, 0.05, 10_000)
  const steps = values.steps === undefined ? undefined : numberOption(values.steps, 'steps', 0, 1, 1e9)
  const context: RecipeContext = {
    dataDir: required(values.data, 'data'),
    out: required(values.out, 'out'),
    version: values.version,
    seed: numberOption(values.seed, 'seed', 1, 0, 2 ** 31),
    budget: steps === undefined ? { ms: minutes * 60_000 } : { steps },
    engine: tracedEngine({ threads: numberOption(values.threads, 'threads', 2, 1, 256) }),
    now: () => performance.now(),
    print: process.stdout,
    ...(values.log ? { logFile: values.log } : {}),
    command,
    createdAt: new Date().toISOString(),
  }
  const manifest =
    what === 'base'
      ? await trainBase({ ...context, ...(values.from ? { from: values.from } : {}) })
      : what === 'critic'
        ? await trainCritic({
            ...context,
            baseDir: values.base,
            sampledProblems: numberOption(values.problems, 'problems', 1500, 1, 100_000),
          })
        : null
  if (manifest === null) throw new Error('say what to train: base or critic')
  process.stdout.write(
    `\n${JSON.stringify({ version: manifest.version, kind: manifest.kind, data_hash: manifest.data_hash, metrics: manifest.metrics, ...manifest.reading })}\n`,
  )
}
