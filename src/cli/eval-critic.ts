// Opens the critic that `spar eval` is asked about, a folder or a service, and the baselines beside it. Knows no figure.
import { openScorer } from '../critic/scorer.ts'
import { baselines } from '../train/eval/baselines.ts'
import { handFeatureJudge } from '../train/eval/hand-features.ts'
import { openHttpJudge } from '../train/eval/http-judge.ts'
import { type StepJudge, scorerJudge } from '../train/eval/judge.ts'
import { type CliValues, numberOption, SHIPPED_CRITIC } from './options.ts'

export interface OpenedCritic {
  readonly judge: StepJudge
  /** The folder or the address. */
  readonly source: string
  close(): Promise<void>
}

/** The critic of `--url` or `--critic`, with τ from `--threshold` when that is given. @throws Error for a wrong option */
export async function openCritic(values: CliValues): Promise<OpenedCritic> {
  const opened = await (values.url === undefined ? openFolder(values) : openService(values, values.url))
  if (values.threshold === undefined) return opened
  const threshold = numberOption(values.threshold, 'threshold', 0, 0, 1)
  return { ...opened, judge: { ...opened.judge, threshold } }
}

async function openFolder(values: CliValues): Promise<OpenedCritic> {
  if ((values['critic-version'] ?? values.batch) !== undefined)
    throw new Error('--critic-version and --batch go with --url')
  const scorer = await openScorer(values.critic, {
    threads: numberOption(values.threads, 'threads', 2, 1, 256),
  })
  return { judge: scorerJudge(scorer), source: values.critic, close: () => scorer.release() }
}

async function openService(values: CliValues, url: string): Promise<OpenedCritic> {
  if (values.critic !== SHIPPED_CRITIC)
    throw new Error('--critic and --url name two critics: give one of them')
  const version = values['critic-version']
  const judge = await openHttpJudge(url, { ...batchOf(values), ...(version !== undefined && { version }) })
  return { judge, source: url, close: async () => {} }
}

/** What `--batch` says of the size of requests. */
export const batchOf = ({ batch }: CliValues) =>
  batch === undefined ? {} : { batch: numberOption(batch, 'batch', 64, 1, 64) }

/** Says on a terminal who is asked about how much: a pool can take minutes. */
export const announced = (judge: StepJudge): StepJudge => ({
  ...judge,
  judge(items, signal) {
    if (process.stderr.isTTY) process.stderr.write(`${judge.name}: ${items.length} solutions …\n`)
    return judge.judge(items, signal)
  },
})

/** The critic first, then every baseline; hand features only where `--train` has what they are fitted on. */
export function withBaselines({ judge }: OpenedCritic, values: CliValues, seed: number): StepJudge[] {
  const trained = values.train === undefined ? [] : [handFeatureJudge(values.train)]
  return [judge, ...baselines(seed), ...trained].map(announced)
}
