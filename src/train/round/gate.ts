// The gate: may the candidate take the serving critic's place? Pure: two measurements in, a decision with its reason out.
import { judgedSteps } from '../eval/metrics.ts'
import { round } from '../recipe/reading.ts'
import type { Rng } from '../rng.ts'
import { bootstrapAuc, bootstrapMean, type Interval } from './bootstrap.ts'
import { eceOf, LEAST_TRAFFIC, type Measured, unscoredIn } from './measure.ts'
import type { Figures } from './messages.ts'

export interface Verdict {
  readonly decision: 'promoted' | 'rejected'
  /** One sentence. */
  readonly reason: string
  readonly figures: Figures
}

/** Most that each measure may get worse, even where chance could explain it. Duels are few and their noise is larger. */
export const LIMITS = { step_auc: 0.01, traffic_pairs: 0.01, sneaky_ordered: 0.05, ece: 0.03 } as const

/** A measure in [0, 1] of which more is better. */
interface Check {
  readonly name: keyof typeof LIMITS
  /** As a sentence begins. */
  readonly words: string
  readonly interval: Interval
  readonly problems: number
}

/**
 * Promotes unless the candidate is worse: on any measure its upper 90 % bound of (candidate - serving) below 0, or a
 * fall beyond the limit; a calibration error that rises beyond its limit; a step without a score.
 */
export function decide(serving: Measured, candidate: Measured, rng: Rng): Verdict {
  const checks = [sliceCheck(serving, candidate, rng.fork('slice'))]
  const traffic = trafficCheck(serving, candidate, rng.fork('traffic'))
  if (traffic.problems >= LEAST_TRAFFIC) checks.push(traffic)
  const sneaky = sneakyCheck(serving, candidate, rng.fork('sneaky'))
  if (sneaky.problems > 0) checks.push(sneaky)

  const faults: string[] = []
  const unscored = unscoredIn(candidate) - unscoredIn(serving)
  if (unscored > 0) faults.push(`it leaves ${unscored} steps of the slice without a score`)
  for (const check of checks) faults.push(...faultOf(check))
  const ece = { serving: eceOf(serving), candidate: eceOf(candidate) }
  if (!(ece.candidate - ece.serving <= LIMITS.ece))
    faults.push(`its calibration error is ${show(ece.candidate)} where it was ${show(ece.serving)}`)

  const figures = {
    ...Object.fromEntries(checks.map(check => [check.name, shown(check)])),
    ece_change: round(ece.candidate - ece.serving),
  }
  if (faults.length > 0)
    return { decision: 'rejected', reason: `The candidate is worse: ${faults.join(', and ')}.`, figures }
  const changes = checks.map(check => `${check.words} ${signed(check.interval.difference)}`)
  return { decision: 'promoted', reason: `The candidate is not worse: ${changes.join(', ')}.`, figures }
}

function sliceCheck(serving: Measured, candidate: Measured, rng: Rng): Check {
  const problems = new Map<string, number[]>()
  serving.slice.forEach(({ problem }, i) => {
    problems.set(problem, [...(problems.get(problem) ?? []), i])
  })
  const groups = [...problems.values()]
  const judged = ({ slice }: Measured) => groups.map(own => judgedSteps(own.map(i => slice[i]!)))
  return {
    name: 'step_auc',
    words: 'step AUC on the slice',
    interval: bootstrapAuc(judged(serving), judged(candidate), rng),
    problems: groups.length,
  }
}

function trafficCheck(serving: Measured, candidate: Measured, rng: Rng): Check {
  const differences = candidate.traffic
    .map((share, i) => share - serving.traffic[i]!)
    .filter(difference => !Number.isNaN(difference))
  return {
    name: 'traffic_pairs',
    words: 'pairs of held-back traffic',
    interval: bootstrapMean(differences, rng),
    problems: differences.length,
  }
}

function sneakyCheck(serving: Measured, candidate: Measured, rng: Rng): Check {
  const differences = candidate.sneaky.flatMap((duel, i) => {
    const before = serving.sneaky[i] ?? null
    return duel === null || before === null ? [] : [duel.ordered - before.ordered]
  })
  return {
    name: 'sneaky_ordered',
    words: 'sneaky edits scored below the original',
    interval: bootstrapMean(differences, rng),
    problems: differences.length,
  }
}

function faultOf({ name, words, interval: { difference, high } }: Check): string[] {
  if (!Number.isFinite(difference)) return [`${words} cannot be measured`]
  if (difference < -LIMITS[name]) return [`${words} fell by ${show(-difference)}`]
  return high < 0 ? [`${words} fell by ${show(-difference)}, which chance does not explain`] : []
}

const shown = ({ interval, problems }: Check): Figures => ({
  difference: round(interval.difference),
  low: round(interval.low),
  high: round(interval.high),
  problems,
})
const show = (x: number): string => x.toFixed(3)
const signed = (x: number): string => `${x < 0 ? '-' : '+'}${show(Math.abs(x))}`
