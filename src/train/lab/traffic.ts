// The traffic lab: does a critic that is given the outcomes of some problems' candidates order those of other problems better?
// Five-fold by problem, each round on a fresh service. Prints nothing; what it makes is thrown away with its services.
import type { Aggregation } from '../../search/aggregate.ts'
import { openHttpJudge } from '../eval/http-judge.ts'
import type { StepJudge } from '../eval/judge.ts'
import { mean } from '../eval/metrics.ts'
import { isMixed, type Pool } from '../eval/pool-data.ts'
import { createRng } from '../rng.ts'
import { stepAuc, type Yardstick } from './memory.ts'
import { bestAggregation, orderedShares, type Shares } from './order.ts'
import { type LabService, type Round, retrain, sendFeedback, sendTraffic } from './service.ts'

export interface TrafficLabOptions {
  readonly pools: readonly Pool[]
  /** Numbers of problems given with feedback; the largest is also given without. */
  readonly sizes: readonly number[]
  /** Folds measured, of five. */
  readonly folds: number
  /** Of each round. */
  readonly minutes: number
  readonly seed: number
  readonly yardsticks: readonly Yardstick[]
  /** A fresh service with the critic under test. */
  readonly start: () => Promise<LabService>
  /** Milliseconds, monotonic. */
  readonly now: () => number
  /** Told what begins. */
  readonly say: (text: string) => void
  readonly signal?: AbortSignal
}

/** One critic on the problems of one fold that nobody was given. */
export interface Measured {
  readonly critic: string
  readonly shares: Shares
  /** The best one on problems that were given with their outcomes; `last` without any. */
  readonly aggregation: Aggregation
  /** Step AUC in percent, by yardstick. */
  readonly memory: Readonly<Partial<Record<Yardstick['name'], number>>>
}

/** What was given before a round. */
interface Given {
  readonly problems: number
  readonly feedback: boolean
}

export interface TrafficRun extends Given {
  readonly round: Round
  /** The round's candidate, whatever was decided on it. */
  readonly candidate: Measured
}

export interface Fold {
  /** The critic that every round of the fold began with. */
  readonly before: Measured
  /** One for each size with feedback, then the one without. */
  readonly runs: readonly TrafficRun[]
}

export const FOLDS = 5
/** Given problems with right and wrong candidates that an aggregation is chosen on, at most: they are scored for nothing else. */
const CHOSEN_ON = 40

interface Split {
  readonly test: readonly Pool[]
  /** In the order in which they are given: more problems are the fewer ones and others. */
  readonly rest: readonly Pool[]
}

/** Parts problems into five, each once the test. The same seed makes the same parts. */
export function splitFolds(pools: readonly Pool[], seed: number): Split[] {
  const shuffled = createRng(seed).fork('folds').shuffle(pools)
  return Array.from({ length: FOLDS }, (_, fold) => ({
    test: shuffled.filter((_, i) => i % FOLDS === fold),
    rest: shuffled.filter((_, i) => i % FOLDS !== fold),
  }))
}

/** Runs the lab. @throws Error when the pool has too few problems or one twice, or a round fails; the signal's reason when aborted */
export async function runTrafficLab(options: TrafficLabOptions): Promise<Fold[]> {
  const { pools, sizes, seed, say } = options
  const splits = splitFolds(pools, seed)
  const largest = Math.max(...sizes)
  const most = Math.min(...splits.map(({ rest }) => rest.length))
  if (largest > most) throw new Error(`--sizes has ${largest}, but a fold leaves ${most} problems to give`)
  if (new Set(pools.map(({ problem }) => problem.trim())).size < pools.length)
    throw new Error('the pool has a problem twice: one could be given and the other measured')

  const plans: Given[] = [
    ...sizes.map(problems => ({ problems, feedback: true })),
    { problems: largest, feedback: false },
  ]
  const folds: Fold[] = []
  for (const [i, split] of splits.slice(0, options.folds).entries()) {
    const tell = (text: string) => say(`fold ${i + 1} of ${options.folds}: ${text}`)
    tell('the critic before')
    const before = await withService(options, async service =>
      measure(
        await openHttpJudge(service.url, {}, options.signal),
        split.test,
        split.rest.slice(0, largest),
        options,
      ),
    )
    tell(orderOf(before))
    const runs: TrafficRun[] = []
    for (const plan of plans) {
      tell(`${plan.problems} problems ${plan.feedback ? 'with' : 'without'} feedback`)
      const run = await withService(options, service => learn(service, split, plan, options))
      tell(
        `${orderOf(run.candidate)}, ${run.round.decision} after ${Math.round(run.round.seconds)} s: ${run.round.reason}`,
      )
      runs.push(run)
    }
    folds.push({ before, runs })
  }
  return folds
}

const orderOf = ({ shares, aggregation }: Measured): string =>
  `${(100 * mean(shares[aggregation])).toFixed(1)} % of pairs in order (${aggregation})`

async function withService<T>(
  { start, signal }: TrafficLabOptions,
  work: (service: LabService) => Promise<T>,
): Promise<T> {
  signal?.throwIfAborted()
  const service = await start()
  try {
    return await work(service)
  } finally {
    await service.stop()
  }
}

/** Gives problems to a service, lets it hold a round and measures what came of it. */
async function learn(
  service: LabService,
  { test, rest }: Split,
  plan: Given,
  options: TrafficLabOptions,
): Promise<TrafficRun> {
  const { minutes, seed, now, signal } = options
  const given = rest.slice(0, plan.problems)
  const ids = await sendTraffic(service, given, signal)
  if (plan.feedback) await sendFeedback(service, given, ids)
  const round = await retrain(service, { minutes, seed }, now, signal)
  const judge = await openHttpJudge(service.url, { version: round.candidate }, signal)
  return { ...plan, round, candidate: await measure(judge, test, plan.feedback ? given : [], options) }
}

/** Order on the test problems; the aggregation is chosen on known ones, where there are any. */
async function measure(
  judge: StepJudge,
  test: readonly Pool[],
  known: readonly Pool[],
  { yardsticks, signal }: TrafficLabOptions,
): Promise<Measured> {
  const memory: Partial<Record<Yardstick['name'], number>> = {}
  for (const yardstick of yardsticks) memory[yardstick.name] = await stepAuc(judge, yardstick, signal)
  return {
    critic: judge.name,
    shares: await orderedShares(judge, test, signal),
    aggregation: bestAggregation(
      await orderedShares(judge, known.filter(isMixed).slice(0, CHOSEN_ON), signal),
    ),
    memory,
  }
}
