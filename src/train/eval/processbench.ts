// ProcessBench (arXiv 2412.06559): does a critic find the first wrong step? Several subsets, several critics, one threshold taken
// from one subset for all. Knows no file format, prints nothing.
import { createRng } from '../rng.ts'
import type { StepJudge, StepScores } from './judge.ts'
import { problemNumbers, type Subset } from './labelled.ts'
import {
  balancedStepAccuracy,
  bestThreshold,
  type CalibrationBin,
  calibrationBins,
  calibrationError,
  type Judged,
  type Located,
  processBench,
} from './metrics.ts'
import {
  drawResamples,
  type Estimate,
  interval95,
  meanSampled,
  resample,
  type Sampled,
  weightedAuc,
  weightedF1,
} from './resample.ts'
import { byKind, byLength, byPosition, type GroupFigures, groupFigures } from './step-groups.ts'

/** Figures in percent at one threshold. */
export interface AtThreshold {
  readonly threshold: number
  readonly f1: Estimate
  readonly acc_error: number
  readonly acc_correct: number
  /** SPC's figure: steps, not solutions. Never to be mixed with F1. */
  readonly balanced_step_accuracy: number
}

/** A critic on one subset. */
export interface ProcessBenchRow {
  readonly critic: string
  readonly subset: string
  /** At the critic's own τ; null when it has none. */
  readonly own: AtThreshold | null
  /** At the threshold that is best on one subset, used for all; `chosen_here`: this is that subset, so F1 is an upper bound. */
  readonly shared: AtThreshold & { readonly from: string; readonly chosen_here: boolean }
  /** In [0, 1]. */
  readonly step_auc: Estimate
  /** Expected calibration error in [0, 1]; null for scores that are no probabilities. */
  readonly ece: number | null
  /** Steps of known truth without a score; they count in no figure of steps, and F1 passes over them. */
  readonly unscored: number
  readonly by_length: readonly GroupFigures[]
  readonly by_position: readonly GroupFigures[]
  readonly by_kind: readonly GroupFigures[]
}

/** Means over the subsets, each weighing the same. */
interface MeanRow {
  readonly critic: string
  readonly own_f1: Estimate | null
  readonly shared_f1: Estimate
  readonly step_auc: Estimate
}

export interface ProcessBenchFigures {
  readonly threshold_from: string
  readonly rows: readonly ProcessBenchRow[]
  /** Empty for a single subset. */
  readonly means: readonly MeanRow[]
  /** The first critic over all subsets. */
  readonly calibration: readonly CalibrationBin[]
  readonly ece: number
}

interface Scored {
  readonly subset: Subset
  readonly scores: readonly StepScores[]
  /** By problem. */
  readonly located: readonly (readonly Located[])[]
  readonly judged: readonly (readonly Judged[])[]
}

/**
 * Measures every judge on every subset; the first judge is the one under test, whose calibration is shown.
 *
 * @param thresholdFrom name of the subset that each judge's shared threshold is chosen on
 */
export async function evalProcessBench(
  subsets: readonly Subset[],
  judges: readonly StepJudge[],
  { thresholdFrom, seed, signal }: { thresholdFrom: string; seed: number; signal?: AbortSignal },
): Promise<ProcessBenchFigures> {
  const draws = subsets.map(({ name, items }) =>
    drawResamples(problemNumbers(items).count, createRng(seed).fork(`bootstrap ${name}`)),
  )
  const groups = subsets.map(({ items }) => ({
    length: byLength(items),
    position: byPosition(items),
    kind: byKind(items),
  }))
  const rows: ProcessBenchRow[] = []
  const means: MeanRow[] = []
  let tested: readonly Judged[] | null = null
  for (const judge of judges) {
    const scored: Scored[] = []
    for (const subset of subsets) scored.push(byProblem(subset, await judge.judge(subset.items, signal)))
    tested ??= scored.flatMap(({ judged }) => judged.flat())
    const shared = bestThreshold(scored.find(({ subset }) => subset.name === thresholdFrom)!.located.flat())
    const sampled = scored.map(({ located, judged }, s) => ({
      own:
        judge.threshold === null
          ? null
          : percent(resample(weightedF1(located, judge.threshold), located.length, draws[s]!)),
      shared: percent(resample(weightedF1(located, shared), located.length, draws[s]!)),
      auc: resample(weightedAuc(judged), judged.length, draws[s]!),
    }))
    scored.forEach(({ subset: { name, items }, scores, located, judged }, s) => {
      const steps = judged.flat()
      const known = items.flatMap(item => item.truths).filter(truth => truth !== null).length
      const { own, shared: atShared, auc: area } = sampled[s]!
      const { length, position, kind } = groups[s]!
      rows.push({
        critic: judge.name,
        subset: name,
        own: own && at(judge.threshold!, own, located.flat(), steps),
        shared: {
          ...at(shared, atShared, located.flat(), steps),
          from: thresholdFrom,
          chosen_here: name === thresholdFrom,
        },
        step_auc: interval95(area),
        ece: judge.isProbability ? calibrationError(steps) : null,
        unscored: known - steps.length,
        by_length: groupFigures(length, items, scores, shared),
        by_position: groupFigures(position, items, scores, shared),
        by_kind: groupFigures(kind, items, scores, shared),
      })
    })
    const own = sampled.flatMap(parts => parts.own ?? [])
    if (subsets.length > 1)
      means.push({
        critic: judge.name,
        own_f1: own.length === 0 ? null : interval95(meanSampled(own)),
        shared_f1: interval95(meanSampled(sampled.map(parts => parts.shared))),
        step_auc: interval95(meanSampled(sampled.map(parts => parts.auc))),
      })
  }
  return {
    threshold_from: thresholdFrom,
    rows,
    means,
    calibration: calibrationBins(tested ?? []),
    ece: calibrationError(tested ?? []),
  }
}

const percent = ({ value, samples }: Sampled): Sampled => ({
  value: 100 * value,
  samples: samples.map(x => 100 * x),
})

function at(
  threshold: number,
  f1: Sampled,
  located: readonly Located[],
  steps: readonly Judged[],
): AtThreshold {
  const { accError, accCorrect } = processBench(located, threshold)
  return {
    threshold,
    f1: interval95(f1),
    acc_error: 100 * accError,
    acc_correct: 100 * accCorrect,
    balanced_step_accuracy: 100 * balancedStepAccuracy(steps, threshold),
  }
}

/** Scores sorted to their problems. Items whose first error is not known locate nothing, but their known steps are judged. */
function byProblem(subset: Subset, scores: readonly StepScores[]): Scored {
  const { of, count } = problemNumbers(subset.items)
  const located = Array.from({ length: count }, (): Located[] => [])
  const judged = Array.from({ length: count }, (): Judged[] => [])
  subset.items.forEach(({ truths, firstError }, i) => {
    if (firstError !== null) located[of[i]!]!.push({ scores: scores[i]!, firstError })
    truths.forEach((right, step) => {
      const score = scores[i]![step] ?? null
      if (right !== null && score !== null) judged[of[i]!]!.push({ score, right })
    })
  })
  return { subset, scores, located, judged }
}
