// The gate: may the candidate take the serving critic's place? Pure: two measurements in, a decision with its reason out.
import { judgedSteps } from '../eval/metrics.ts'
import { round } from '../recipe/reading.ts'
import type { Rng } from '../rng.ts'
import { bootstrapAuc, bootstrapMean, type Interval } from './bootstrap.ts'
import type { Cost } from './cost.ts'
import { eceOf, type Measured, type SliceItem, unscoredIn } from './measure.ts'
import type { Figures } from './messages.ts'
import { LEAST_TRAFFIC } from './yardsticks.ts'

export interface Verdict {
  readonly decision: 'promoted' | 'rejected'
  /** One sentence. */
  readonly reason: string
  readonly figures: Figures
}

/** Most that each measure may get worse, even where chance could explain it. */
const LIMITS = {
  step_auc: 0.01,
  traffic_pairs: 0.01,
  sneaky_ordered: 0.03,
  part_auc: 0.03,
  best_of_n: 0.05,
  ece: 0.03,
  part_ece: 0.08,
} as const

/** Most that the candidate may cost, as a multiple of what the serving critic does. */
const COSTS = { latency: 2, memory: 1.5 } as const

/** Parts of the slice with fewer problems say nothing by themselves; a calibration error needs more, or chance fills its bins. */
const LEAST_PART = 20
const LEAST_PART_ECE = 60

/** A measure in [0, 1] of which more is better. */
interface Check {
  /** Of its limit. */
  readonly limit: Exclude<keyof typeof LIMITS, 'ece' | 'part_ece'>
  /** In the figures. */
  readonly name: string
  /** As a sentence begins. */
  readonly words: string
  readonly interval: Interval
  readonly problems: number
}

/**
 * Promotes unless the candidate is worse: on the slice or on traffic the upper 90 % bound of (candidate - serving) is
 * below 0, or the fall is beyond the limit; duels, which stand for no real errors (DESIGN 3), parts of the slice and the choice
 * among samples of one problem fall beyond their limits with an upper 98 % bound below 0; the calibration error rises beyond its
 * limit, on the slice or on a part of it; something is left without a score; it is slower or larger than `cost` may be.
 */
export function decide(
  servingAsMeasured: Measured,
  candidateAsMeasured: Measured,
  rng: Rng,
  cost?: Cost,
): Verdict {
  const serving = onlyNumbers(servingAsMeasured)
  const candidate = onlyNumbers(candidateAsMeasured)
  const checks = [sliceCheck(serving, candidate, rng.fork('slice'))]
  const traffic = trafficCheck(serving, candidate, rng.fork('traffic'))
  if (traffic.problems >= LEAST_TRAFFIC) checks.push(traffic)
  const chosen = chosenCheck(serving, candidate, rng.fork('chosen'))
  if (chosen.problems >= LEAST_TRAFFIC) checks.push(chosen)
  const parts = partsOf(serving)
  for (const [name, holds] of parts) {
    const part = sliceCheck(only(serving, holds), only(candidate, holds), rng.fork(`part ${name}`))
    const check = {
      ...part,
      limit: 'part_auc',
      name: `step_auc, ${name}`,
      words: `step AUC on ${name}`,
    } as const
    if (part.problems >= LEAST_PART && Number.isFinite(part.interval.difference)) checks.push(check)
  }
  const sneaky = sneakyCheck(serving, candidate, rng.fork('sneaky'))
  if (sneaky.problems > 0) checks.push(sneaky)

  const faults: string[] = []
  const missing = missingIn(candidate) - missingIn(serving)
  if (missing > 0) faults.push(`it gives no score in ${missing} places where the serving critic gives one`)
  for (const check of checks) faults.push(...faultOf(check))
  const ece = { serving: eceOf(serving), candidate: eceOf(candidate) }
  if (!(ece.candidate - ece.serving <= LIMITS.ece))
    faults.push(`its calibration error is ${show(ece.candidate)} where it was ${show(ece.serving)}`)
  else
    for (const [name, holds] of parts) {
      const [was, is] = [serving, candidate].map(side => eceOf(only(side, holds))) as [number, number]
      if (is - was > LIMITS.part_ece && problemsIn(only(serving, holds)) >= LEAST_PART_ECE)
        faults.push(`its calibration error on ${name} is ${show(is)} where it was ${show(was)}`)
    }
  if (cost && cost.latency > COSTS.latency) faults.push(`it takes ${cost.latency.toFixed(1)} times as long`)
  if (cost && cost.memory > COSTS.memory) faults.push(`its model is ${cost.memory.toFixed(1)} times as large`)

  const figures = {
    ...Object.fromEntries(checks.map(check => [check.name, shown(check)])),
    ece_change: round(ece.candidate - ece.serving),
    ...(cost && { cost: { latency: round(cost.latency), memory: round(cost.memory) } }),
  }
  if (faults.length > 0)
    return { decision: 'rejected', reason: `The candidate is worse: ${faults.join(', and ')}.`, figures }
  const told = checks.filter(({ limit }) => limit !== 'part_auc')
  const changes = told.map(check => `${check.words} ${signed(check.interval.difference)}`)
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
    limit: 'step_auc',
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
    limit: 'traffic_pairs',
    name: 'traffic_pairs',
    words: 'pairs of held-back traffic',
    interval: bootstrapMean(differences, rng),
    problems: differences.length,
  }
}

/** Best-of-N among the same samples: what a search gains by the critic at equal tokens. */
function chosenCheck(serving: Measured, candidate: Measured, rng: Rng): Check {
  const differences = candidate.chosen
    .map((share, i) => share - serving.chosen[i]!)
    .filter(difference => !Number.isNaN(difference))
  return {
    limit: 'best_of_n',
    name: 'best_of_n',
    words: 'best-of-n on held-back traffic',
    interval: bootstrapMean(differences, rng),
    problems: differences.length,
  }
}

type Holds = (item: SliceItem) => boolean

/** Parts in which a candidate could be worse while the whole looks as good: by source of the labels, short and long solutions. */
function partsOf({ slice }: Measured): [name: string, holds: Holds][] {
  const lengths = slice.map(({ scores }) => scores.length).toSorted((a, b) => a - b)
  const middle = lengths[lengths.length >> 1] ?? 0
  const sources = [...new Set(slice.map(({ source }) => source))].toSorted()
  return [
    ...sources.map((source): [string, Holds] => [`labels by ${source}`, item => item.source === source]),
    ['short solutions', ({ scores }) => scores.length <= middle],
    ['long solutions', ({ scores }) => scores.length > middle],
  ]
}

const only = (measured: Measured, holds: Holds): Measured => ({
  ...measured,
  slice: measured.slice.filter(holds),
})
const problemsIn = ({ slice }: Measured): number => new Set(slice.map(({ problem }) => problem)).size

function sneakyCheck(serving: Measured, candidate: Measured, rng: Rng): Check {
  const differences = candidate.sneaky.flatMap((duel, i) => {
    const before = serving.sneaky[i] ?? null
    return duel === null || before === null ? [] : [duel.ordered - before.ordered]
  })
  return {
    limit: 'sneaky_ordered',
    name: 'sneaky_ordered',
    words: 'sneaky edits scored below the original',
    interval: bootstrapMean(differences, rng),
    problems: differences.length,
  }
}

function faultOf({ limit, words, interval: { difference, high, highest } }: Check): string[] {
  if (!Number.isFinite(difference)) return [`${words} cannot be measured`]
  const fell = `${words} fell by ${show(-difference)}`
  const isBeyond = difference < -LIMITS[limit]
  // Small measures jump: many of them would refuse every candidate if each had a veto by chance.
  if (limit === 'part_auc' || limit === 'best_of_n')
    return isBeyond && highest < 0 ? [`${fell}, which chance does not explain`] : []
  if (isBeyond) return [fell]
  return high < 0 && limit !== 'sneaky_ordered' ? [`${fell}, which chance does not explain`] : []
}

const shown = ({ interval, problems }: Check): Figures => ({
  difference: round(interval.difference),
  low: round(interval.low),
  high: round(interval.high),
  problems,
})
const show = (x: number): string => x.toFixed(3)
const signed = (x: number): string => `${x < 0 ? '-' : '+'}${show(Math.abs(x))}`
