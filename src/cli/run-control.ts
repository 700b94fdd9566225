// How a person holds a training run: signals that end it well, checkpoints, and what the options say of its steps. Knows no recipe.
import { totalmem } from 'node:os'
import { openCheckpoints } from '../train/fit/checkpoint.ts'
import type { FitControls } from '../train/fit/fit.ts'
import { type CliValues, numberOption } from './options.ts'

/** Share of the machine's memory a run may plan with. */
const MEMORY_SHARE = 0.75

/** What `--accumulate`, `--dropout`, `--memory-mb`, `--checkpoint`, `--every-minutes` and `--resume` say. @throws naming a wrong option, or what is wrong with a checkpoint. */
export function runControls(values: CliValues, seed: number, signal: AbortSignal): FitControls {
  const limit = Math.min(totalmem(), process.constrainedMemory() || Number.POSITIVE_INFINITY) / 1e6
  const dir = values.checkpoint ?? values.resume
  const everyMs = numberOption(values['every-minutes'], 'every-minutes', 5, 0.01, 1e5) * 60_000
  const resume = values.resume !== undefined
  if (resume && values.checkpoint !== undefined && values.checkpoint !== values.resume)
    throw new Error('--resume goes on in its own folder: leave --checkpoint out')
  return {
    accumulate: Math.floor(numberOption(values.accumulate, 'accumulate', 1, 1, 4096)),
    dropout: { rate: numberOption(values.dropout, 'dropout', 0, 0, 0.9), seed },
    memoryBytes: 1e6 * numberOption(values['memory-mb'], 'memory-mb', MEMORY_SHARE * limit, 1, 1e8),
    ...(dir !== undefined && { checkpoints: openCheckpoints(dir, everyMs, resume) }),
    signal,
  }
}

/** A run was stopped by a signal. */
class Stopped extends Error {}

/** Runs `work` with a signal that SIGINT and SIGTERM abort; a second one ends the process at once. @throws Error, saying so, when stopped. */
export async function untilSignalled<T>(work: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const stop = new AbortController()
  const signals = ['SIGINT', 'SIGTERM'] as const
  const onSignal = (name: NodeJS.Signals) => {
    release()
    stop.abort(new Stopped(`\nStopped by ${name}.`))
  }
  const release = () => {
    for (const name of signals) process.off(name, onSignal)
  }
  for (const name of signals) process.on(name, onSignal)
  try {
    return await work(stop.signal)
  } finally {
    release()
  }
}

/** What a person reads when a run was stopped. */
function howToGoOn({ freeze, checkpoint, resume }: CliValues): string {
  const dir = checkpoint ?? resume
  if (freeze) return '\nStopped. To go on, give the same command: what the base has read is kept.'
  return dir === undefined
    ? '\nStopped. Nothing was kept: a run with --checkpoint <dir> can go on.'
    : `\nStopped. To go on, give the same command with --resume ${dir} in place of --checkpoint.`
}

/** Runs training, see `untilSignalled`. @throws saying how to go on. */
export async function untilStopped<T>(
  values: CliValues,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  try {
    return await untilSignalled(work)
  } catch (error) {
    if (!(error instanceof Stopped)) throw error
    throw new Error(howToGoOn(values), { cause: error })
  }
}
