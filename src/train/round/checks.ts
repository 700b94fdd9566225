// The measures that the gate compares two critics on, each with its interval: slice, parts of it, traffic, choice, duels. Decides nothing.
import { judgedSteps } from '../eval/metrics.ts'
import { round } from '../recipe/reading.ts'
import type { Rng } from '../rng.ts'
import { bootstrapAuc, bootstrapMean, type Interval } from './bootstrap.ts'
import type { Measured, SliceItem } from './measure.ts'
import type { Figures } from './messages.ts'
import { LEAST_TRAFFIC } from './yardsticks.ts'

/** Most that each measure may get worse, even where chance could explain it. */
export const LIMITS = {
  step_auc: 0.01,
  traffic_pairs: 0.01,
  sneaky_ordered: 0.03,
  part_auc: 0.03,
  best_of_n: 0.05,
  frozen: 0.03,
  frozen_generator: 0.05,
} as const

/** A measure in [0, 1] of which more is better. */
export interface Check {
  readonly limit: keyof typeof LIMITS
  /** In the figures. */
  readonly name: string
  /** As a sentence begins. */
  readonly words: string
  readonly interval: Interval
  readonly problems: number
}

/** Parts of the slice with fewer problems say nothing by themselves. */
const LEAST_PART = 20

/** What there is enough of to compare the two on. */
export function checksOf(serving: Measured, candidate: Measured, rng: Rng): Check[] {
  const checks = [sliceCheck(serving, candidate, rng.fork('slice'))]
  for (const [name, of] of [
    ['traffic', trafficCheck],
    ['chosen', chosenCheck],
  ] as const) {
    const check = of(serving, candidate, rng.fork(name))
    if (check.problems >= LEAST_TRAFFIC) checks.push(check)
  }
  for (const [name, holds] of partsOf(serving)) {
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
  return checks
}

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

type Holds = (item: SliceItem) => boolean

/** Parts in which a candidate could be worse while the whole looks as good: by source of the labels, short and long solutions. */
export function partsOf({ slice }: Measured): [name: string, holds: Holds][] {
  const lengths = slice.map(({ scores }) => scores.length).toSorted((a, b) => a - b)
  const middle = lengths[lengths.length >> 1] ?? 0
  const sources = [...new Set(slice.map(({ source }) => source))].toSorted()
  return [
    ...sources.map((source): [string, Holds] => [`labels by ${source}`, item => item.source === source]),
    ['short solutions', ({ scores }) => scores.length <= middle],
    ['long solutions', ({ scores }) => scores.length > middle],
  ]
}

/** The part of the slice for which `holds` is true. */
export const only = (measured: Measured, holds: Holds): Measured => ({
  ...measured,
  slice: measured.slice.filter(holds),
})

/** A check's figures for people. */
export const shown = ({ interval, problems }: Check): Figures => ({
  difference: round(interval.difference),
  low: round(interval.low),
  high: round(interval.high),
  problems,
})
