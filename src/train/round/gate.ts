// The gate: may the candidate take the serving critic's place? Pure: two measurements in, a decision with its reason out.

import type { Manifest } from '../../critic/manifest.ts'
import { round } from '../recipe/reading.ts'
import type { Rng } from '../rng.ts'
import { type Check, checksOf, LIMITS, only, partsOf, shown } from './checks.ts'
import type { Cost } from './cost.ts'
import { frozenChecks } from './frozen-checks.ts'
import { eceOf, type Measured, unscoredIn } from './measure.ts'
import type { Figures } from './messages.ts'

export interface Verdict {
  readonly decision: 'promoted' | 'rejected'
  /** One sentence. */
  readonly reason: string
  readonly figures: Figures
}

/** Most that the calibration error may rise, on the slice and on a part of it. */
const ECE_LIMITS = { whole: 0.03, part: 0.08 } as const
/** Most that the candidate may cost, as a multiple of what the serving critic does. */
const COSTS = { latency: 2, memory: 1.5 } as const
/**
 * Most that the slice's step AUC may have fallen since it was best in the line, whatever each round's part of it: many falls that a round's limit
 * lets pass are a great one (what trials of equivalence call biocreep).
 */
const MOST_FALLEN = 0.02
/** Of fewer problems chance fills a calibration error's bins. */
const LEAST_PART_ECE = 60

/**
 * Promotes unless the candidate is worse: on the slice or on traffic the upper 90 % bound of (candidate - serving) is
 * below 0, or the fall is beyond the limit; duels, which stand for no real errors (DESIGN 3), parts of the slice, the choice
 * among samples of one problem and the traps of frozen generators fall beyond their limits with an upper 98 % bound below 0; the calibration
 * error rises beyond its limit, on the slice or on a part of it; something is left without a score; it is slower or larger than `cost` may be; the
 * slice falls where it has `fallen` before, since it was best, so that both together are too much.
 */
export function decide(
  servingAsMeasured: Measured,
  candidateAsMeasured: Measured,
  rng: Rng,
  cost?: Cost,
  fallen = 0,
): Verdict {
  const serving = onlyNumbers(servingAsMeasured)
  const candidate = onlyNumbers(candidateAsMeasured)
  const checks = checksOf(serving, candidate, rng)
  const frozen = frozenChecks(serving.frozen, candidate.frozen, rng.fork('frozen'))

  const faults: string[] = []
  const missing = missingIn(candidate) - missingIn(serving)
  if (missing > 0) faults.push(`it gives no score in ${missing} places where the serving critic gives one`)
  for (const check of [...checks, ...frozen]) faults.push(...faultOf(check))
  faults.push(...calibrationFaults(serving, candidate))
  const { difference } = checks[0]!.interval // of the slice
  const fallenNow = Math.max(0, fallen - difference)
  if (faults.length === 0 && difference < 0 && fallenNow > MOST_FALLEN)
    faults.push(`step AUC on the slice fell by ${show(fallenNow)} over the rounds since it was best`)
  if (cost && cost.latency > COSTS.latency) faults.push(`it takes ${cost.latency.toFixed(1)} times as long`)
  if (cost && cost.memory > COSTS.memory) faults.push(`its model is ${cost.memory.toFixed(1)} times as large`)

  const figures = {
    ...Object.fromEntries(checks.map(check => [check.name, shown(check)])),
    ...(frozen.length > 0 && { frozen: frozenFigures(frozen) }),
    ece_change: round(eceOf(candidate) - eceOf(serving)),
    fallen: round(fallenNow),
    ...(cost && { cost: { latency: round(cost.latency), memory: round(cost.memory) } }),
  }
  if (faults.length > 0)
    return { decision: 'rejected', reason: `The candidate is worse: ${faults.join(', and ')}.`, figures }
  const told = [...checks, ...frozen].filter(
    ({ limit }) => limit !== 'part_auc' && limit !== 'frozen_generator',
  )
  const changes = told.map(check => `${check.words} ${signed(check.interval.difference)}`)
  return { decision: 'promoted', reason: `The candidate is not worse: ${changes.join(', ')}.`, figures }
}

/** How far the slice's step AUC had fallen since it was best when a round made this critic; 0 for one that no round made. */
export function fallenBefore({ metrics }: Pick<Manifest, 'metrics'>): number {
  const verdict = metrics['round'] as Partial<Verdict> | undefined
  const fallen = (verdict?.figures?.['gate'] as Figures | undefined)?.['fallen']
  return typeof fallen === 'number' && Number.isFinite(fallen) ? fallen : 0
}

/** Of all frozen generators together, and of each: `upper` is the bound that decides. */
function frozenFigures(checks: readonly Check[]): Figures {
  const figuresOf = ({ interval, problems }: Check): Figures => ({
    difference: round(interval.difference),
    upper: round(interval.highest),
    problems,
  })
  const [all, ...each] = checks
  return { all: figuresOf(all!), ...Object.fromEntries(each.map(check => [check.name, figuresOf(check)])) }
}

function calibrationFaults(serving: Measured, candidate: Measured): string[] {
  const [was, is] = [serving, candidate].map(eceOf) as [number, number]
  if (!(is - was <= ECE_LIMITS.whole))
    return [`its calibration error is ${show(is)} where it was ${show(was)}`]
  return partsOf(serving).flatMap(([name, holds]) => {
    const [before, after] = [serving, candidate].map(side => eceOf(only(side, holds))) as [number, number]
    const isWorse = after - before > ECE_LIMITS.part && problemsIn(only(serving, holds)) >= LEAST_PART_ECE
    return isWorse ? [`its calibration error on ${name} is ${show(after)} where it was ${show(before)}`] : []
  })
}

/** A score that is no number is no score: it must neither be sorted nor be averaged. */
function onlyNumbers(measured: Measured): Measured {
  const slice = measured.slice.map(located => ({
    ...located,
    scores: located.scores.map(score => (score !== null && Number.isFinite(score) ? score : null)),
  }))
  return { ...measured, slice }
}

/** Slice steps, traffic problems and duels that could not be scored (or set: that is so for both sides). */
const missingIn = (measured: Measured): number =>
  unscoredIn(measured) +
  measured.traffic.filter(Number.isNaN).length +
  [measured.sneaky, ...measured.frozen.map(({ duels }) => duels)].flat().filter(duel => duel === null).length

const problemsIn = ({ slice }: Measured): number => new Set(slice.map(({ problem }) => problem)).size

/** Small measures jump: many of them would refuse every candidate if each had a veto by chance. */
const JUMPY: ReadonlySet<Check['limit']> = new Set(['part_auc', 'best_of_n', 'frozen', 'frozen_generator'])

function faultOf({ limit, words, interval: { difference, high, highest } }: Check): string[] {
  if (!Number.isFinite(difference)) return [`${words} cannot be measured`]
  const fell = `${words} fell by ${show(-difference)}`
  const isBeyond = difference < -LIMITS[limit]
  if (JUMPY.has(limit)) return isBeyond && highest < 0 ? [`${fell}, which chance does not explain`] : []
  if (isBeyond) return [fell]
  return high < 0 && limit !== 'sneaky_ordered' ? [`${fell}, which chance does not explain`] : []
}

const show = (x: number): string => x.toFixed(3)
const signed = (x: number): string => `${x < 0 ? '-' : '+'}${show(Math.abs(x))}`
