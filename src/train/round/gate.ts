// The gate: may the candidate take the serving critic's place? Pure: two measurements in, a decision with its reason out.
import { judgedSteps } from '../eval/metrics.ts'
import { round } from '../recipe/reading.ts'
import type { Rng } from '../rng.ts'
import { bootstrapAuc, bootstrapMean, type Interval } from './bootstrap.ts'
import { eceOf, type Measured, unscoredIn } from './measure.ts'
import type { Figures } from './messages.ts'
import { LEAST_TRAFFIC } from './yardsticks.ts'

export interface Verdict {
  readonly decision: 'promoted' | 'rejected'
  /** One sentence. */
  readonly reason: string
  readonly figures: Figures
}

/** Most that each measure may get worse, even where chance could explain it. */
const LIMITS = { step_auc: 0.01, traffic_pairs: 0.01, sneaky_ordered: 0.03, ece: 0.03 } as const

/** A measure in [0, 1] of which more is better. */
interface Check {
  readonly name: keyof typeof LIMITS
  /** As a sentence begins. */
  readonly words: string
  readonly interval: Interval
  readonly problems: number
}

/**
 * Promotes unless the candidate is worse: on the slice or on traffic the upper 90 % bound of (candidate - serving) is
 * below 0, or the fall is beyond the limit; duels, which stand for no real errors (DESIGN 3), fall beyond the limit;
 * the calibration error rises beyond its limit; something is left without a score.
 */
export function decide(servingAsMeasured: Measured, candidateAsMeasured: Measured, rng: Rng): Verdict {
  const serving = onlyNumbers(servingAsMeasured)
  const candidate = onlyNumbers(candidateAsMeasured)
  const checks = [sliceCheck(serving, candidate, rng.fork('slice'))]
  const traffic = trafficCheck(serving, candidate, rng.fork('traffic'))
  if (traffic.problems >= LEAST_TRAFFIC) checks.push(traffic)
  const sneaky = sneakyCheck(serving, candidate, rng.fork('sneaky'))
  if (sneaky.problems > 0) checks.push(sneaky)

  const faults: string[] = []
  const missing = missingIn(candidate) - missingIn(serving)
  if (missing > 0) faults.push(`it gives no score in ${missing} places where the serving critic gives one`)
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

/** A score that is no number is no score: it must neither be sorted nor be averaged. */
function onlyNumbers(measured: Measured): Measured {
  const slice = measured.slice.map(located => ({
    ...located,
    scores: located.scores.map(score => (score !== null && Number.isFinite(score) ? score : null)),
  }))
  return { ...measured, slice }
}

/** Slice steps, traffic problems and duels that could not be scored. */
const missingIn = (measured: Measured): number =>
  unscoredIn(measured) +
  measured.traffic.filter(Number.isNaN).length +
  measured.sneaky.filter(duel => duel === null).length

function sliceCheck(serving: Measured, candidate: Measured, rng: Rng): Check {
  const groups = [...Map.groupBy(serving.slice.keys(), i => serving.slice[i]!.problem).values()]
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
  return high < 0 && name !== 'sneaky_ordered'
    ? [`${words} fell by ${show(-difference)}, which chance does not explain`]
    : []
}

const shown = ({ interval, problems }: Check): Figures => ({
  difference: round(interval.difference),
  low: round(interval.low),
  high: round(interval.high),
  problems,
})
const show = (x: number): string => x.toFixed(3)
const signed = (x: number): string => `${x < 0 ? '-' : '+'}${show(Math.abs(x))}`
