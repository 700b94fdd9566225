// The options of the command line: their names, defaults and checks. Knows no command.
import { parseArgs } from 'node:util'

/** The value, or an error that names the option. */
export function required(value: string | undefined, name: string): string {
  if (value === undefined || value === '') throw new Error(`--${name} is missing`)
  return value
}

/** A number within bounds. @throws naming the option and the bounds. */
export function numberOption(
  value: string | undefined,
  name: string,
  fallback: number,
  low: number,
  high: number,
): number {
  if (value === undefined) return fallback
  const x = Number(value)
  if (!Number.isFinite(x) || x < low || x > high)
    throw new Error(`--${name} must be a number from ${low} to ${high}`)
  return x
}

/** Where the shipped critic lies. */
export const SHIPPED_CRITIC = 'models/critic/0.5.0'

/** Splits arguments into positionals and options. @throws for an option there is not. */
export const readArguments = (args: readonly string[]) =>
  parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      data: { type: 'string' },
      pool: { type: 'string' },
      'only-recorded': { type: 'boolean', default: false },
      base: { type: 'string', default: 'models/base/0.1.0' },
      critic: { type: 'string', default: SHIPPED_CRITIC },
      out: { type: 'string' },
      from: { type: 'string' },
      version: { type: 'string', default: '0.1.0' },
      minutes: { type: 'string' },
      steps: { type: 'string' },
      seed: { type: 'string', default: '1' },
      threads: { type: 'string', default: '2' },
      problems: { type: 'string' },
      url: { type: 'string' },
      'critic-version': { type: 'string' },
      batch: { type: 'string' },
      members: { type: 'string' },
      train: { type: 'string' },
      threshold: { type: 'string' },
      'threshold-from': { type: 'string' },
      n: { type: 'string', default: '8' },
      llm: { type: 'string' },
      budgets: { type: 'string' },
      methods: { type: 'string' },
      'max-tokens': { type: 'string' },
      parallel: { type: 'string' },
      log: { type: 'string' },
      lora: { type: 'string' },
      alpha: { type: 'string' },
      targets: { type: 'string', default: 'q,v' },
      freeze: { type: 'boolean', default: false },
      layers: { type: 'string' },
      'read-tokens': { type: 'string' },
      states: { type: 'string' },
      rate: { type: 'string' },
      'batch-tokens': { type: 'string' },
      device: { type: 'string', default: 'cpu' },
      accumulate: { type: 'string' },
      dropout: { type: 'string' },
      checkpoint: { type: 'string' },
      'every-minutes': { type: 'string' },
      resume: { type: 'string' },
      'memory-mb': { type: 'string' },
      plot: { type: 'string' },
      folds: { type: 'string' },
      sizes: { type: 'string' },
      head: { type: 'string' },
      rounds: { type: 'string' },
      given: { type: 'string' },
      ablate: { type: 'string' },
      help: { type: 'boolean', default: false },
    },
  })

export type CliValues = ReturnType<typeof readArguments>['values']
