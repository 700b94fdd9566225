// `spar train base|critic`: wires a recipe to the clock, the engine and the terminal.

import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import type { Manifest } from '../critic/manifest.ts'
import { DEVICES, isGpu, openEngine } from '../train/engine/devices.ts'
import { LORA_TARGETS, type LoraOptions } from '../train/model/lora.ts'
import { type RecipeContext, trainBase } from '../train/recipe/base.ts'
import { trainCritic } from '../train/recipe/critic.ts'
import { READ_TOKENS, trainFrozenCritic } from '../train/recipe/frozen-critic.ts'
import { plotLog } from '../train/recipe/plot.ts'
import { type CliValues, numberOption, required } from './options.ts'
import { runControls, untilStopped } from './run-control.ts'

/** What `--lora`, `--alpha` and `--targets` say; null where all weights are trained. */
function loraOption(values: CliValues): LoraOptions | null {
  if (values.lora === undefined) return null
  const rank = Math.floor(numberOption(values.lora, 'lora', 0, 1, 1024))
  const targets = values.targets.split(',').map(name => {
    const target = LORA_TARGETS.find(t => t === name)
    if (!target) throw new Error(`--targets knows ${LORA_TARGETS.join(', ')}, not ${name}`)
    return target
  })
  return { rank, alpha: numberOption(values.alpha, 'alpha', 2 * rank, 0, 1e4), targets }
}

/** Trains a critic on a base whose states are read once: `--freeze`, `--layers`, `--read-tokens`, `--states` and `--from`. */
function frozenCritic(context: RecipeContext, values: CliValues): Promise<Manifest> {
  const other = (['lora', 'checkpoint', 'resume', 'minutes', 'steps'] as const).find(
    name => values[name] !== undefined,
  )
  if (other)
    throw new Error(
      `--${other} does not go with --freeze, which reads once and goes on from what --states has`,
    )
  return trainFrozenCritic({
    ...context,
    baseDir: values.base,
    ...(values.layers && { layers: numberOption(values.layers, 'layers', 0, 1, 1000) }),
    readTokens: numberOption(values['read-tokens'], 'read-tokens', READ_TOKENS, 1, 1e9),
    ...(values.from && { featuresFrom: values.from }),
    statesDir: values.states ?? `${context.out}.states`,
  })
}

/** What only the recipe of a critic that moves its base takes. A base with low-rank pairs is taken to be an imported one, which solves no problem before it has learned the form. */
function criticOptions(values: CliValues) {
  const lora = loraOption(values)
  return {
    baseDir: values.base,
    sampledProblems: numberOption(values.problems, 'problems', lora ? 0 : 1500, 0, 100_000),
    ...(lora && { lora }),
  }
}

/** Trains one artifact. @throws Error for a wrong option, an empty corpus, a device that is missing, or when stopped. */
export async function trainCommand(
  what: string | undefined,
  values: CliValues,
  command: string,
): Promise<void> {
  if (what !== 'base' && what !== 'critic') throw new Error('say what to train: base or critic')
  const device = DEVICES.find(name => name === values.device)
  if (device === undefined) throw new Error(`--device knows ${DEVICES.join(', ')}, not ${values.device}`)
  const minutes = numberOption(values.minutes, 'minutes', what === 'base' ? 25 : 30, 0.05, 10_000)
  const steps = values.steps === undefined ? undefined : numberOption(values.steps, 'steps', 0, 1, 1e9)
  const seed = numberOption(values.seed, 'seed', 1, 0, 2 ** 31)
  const logFile = values.log ?? (values.plot && `${values.plot}.jsonl`) // a picture is drawn from a log
  const [dataDir, out] = [required(values.data, 'data'), required(values.out, 'out')]
  const threads = numberOption(values.threads, 'threads', 2, 1, 256)
  const manifest = await untilStopped(values, async signal => {
    const context: RecipeContext = {
      dataDir,
      out,
      version: values.version,
      seed,
      budget: steps === undefined ? { ms: minutes * 60_000 } : { steps },
      controls: runControls(values, seed, signal),
      engine: await openEngine(device, threads),
      ...(isGpu(device) && { featureEngine: await openEngine('cpu', threads) }),
      ...(values.rate && { learningRate: numberOption(values.rate, 'rate', 0, 1e-8, 1) }),
      ...(values['batch-tokens'] && {
        batchTokens: numberOption(values['batch-tokens'], 'batch-tokens', 0, 64, 1e6),
      }),
      now: () => performance.now(),
      print: process.stdout,
      ...(logFile && { logFile }),
      command,
      createdAt: new Date().toISOString(),
    }
    try {
      if (what === 'base')
        return await trainBase({ ...context, ...(values.from ? { from: values.from } : {}) })
      return values.freeze
        ? await frozenCritic(context, values)
        : await trainCritic({ ...context, ...criticOptions(values) })
    } finally {
      if (values.plot && logFile && existsSync(logFile))
        writeFileSync(values.plot, plotLog(readFileSync(logFile, 'utf8')))
    }
  })
  process.stdout.write(
    `\n${JSON.stringify({ version: manifest.version, kind: manifest.kind, data_hash: manifest.data_hash, metrics: manifest.metrics, ...manifest.reading })}\n`,
  )
}
