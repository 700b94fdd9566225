// Measures a critic on what was held back: the slice, traffic problems, fresh sneaky edits. Both sides of a comparison are measured
// by the same code on the same items. Decides nothing.
import type { Scorer } from '../../critic/scorer.ts'
import type { CritiqueItem } from '../../critic/types.ts'
import { AGGREGATIONS, logAggregate } from '../../search/aggregate.ts'
import { auc, calibrationError, judgedSteps, type Located, mean, processBench } from '../eval/metrics.ts'
import { type Candidate, pairShare } from '../eval/pairs.ts'
import { locate, round } from '../recipe/reading.ts'
import { type MetTraps, meetTraps, trapFigures } from './frozen-traps.ts'
import type { TrafficProblem } from './outcomes.ts'
import { type Judge, type JudgedDuel, judgeDuels } from './play.ts'
import type { Yardsticks } from './yardsticks.ts'

/** A solution of the slice with the critic's scores. */
export interface SliceItem extends Located {
  readonly problem: string
  /** Where its labels come from. */
  readonly source: string
}

/** A critic's figures item by item, in the order of the yardsticks, so that two critics can be compared in pairs. */
export interface Measured {
  readonly version: string
  readonly threshold: number
  readonly slice: readonly SliceItem[]
  /** For each traffic problem the share of its (right, wrong) pairs in the right order; NaN when one kind is unscored. */
  readonly traffic: readonly number[]
  /** For each traffic problem the chance that the solution with the best score is right; NaN when none is scored. */
  readonly chosen: readonly number[]
  readonly sneaky: readonly (JudgedDuel | null)[]
  /** Of every frozen generator. */
  readonly frozen: readonly MetTraps[]
}

const CHUNK = 48

/** The critic, asked in chunks between which timers, messages and an abort get their turn. */
export function interruptible(scorer: Judge, signal?: AbortSignal): Judge {
  return {
    async judge(items: readonly CritiqueItem[]) {
      const all: Awaited<ReturnType<Judge['judge']>> = []
      for (let from = 0; from < items.length; from += CHUNK) {
        signal?.throwIfAborted()
        all.push(...(await scorer.judge(items.slice(from, from + CHUNK))))
        await new Promise(resolve => setImmediate(resolve))
      }
      return all
    },
  }
}

/** Measures a critic on all yardsticks. @throws the signal's reason when aborted */
export async function measure(
  scorer: Scorer,
  yardsticks: Yardsticks,
  signal?: AbortSignal,
): Promise<Measured> {
  const { version, reading } = scorer.artifact.manifest
  const threshold = reading!.threshold
  const critic = interruptible(scorer, signal)
  const problems: string[] = []
  const located = await locate(
    {
      async logits(items) {
        problems.push(...items.map(item => item.problem))
        return scoresOf(critic, items)
      },
    },
    yardsticks.slice,
  )
  return {
    version,
    threshold,
    slice: located.map((l, i) => ({ ...l, problem: problems[i]! })),
    ...(await trafficFigures(critic, yardsticks.traffic)),
    sneaky: await judgeDuels(critic, threshold, yardsticks.sneaky),
    frozen: await meetTraps(critic, threshold, yardsticks.frozen),
  }
}

async function scoresOf(critic: Judge, items: readonly CritiqueItem[]): Promise<(number | null)[][]> {
  return (await critic.judge(items)).map(critique => critique.steps.map(step => step.score))
}

/** A client may take any aggregation, so figures are means over all. Both critics choose among the same samples: equal tokens. */
async function trafficFigures(
  critic: Judge,
  problems: readonly TrafficProblem[],
): Promise<Pick<Measured, 'traffic' | 'chosen'>> {
  const told = problems.map(({ solutions }) => solutions.filter(({ outcome }) => outcome !== null))
  const scores = await scoresOf(critic, told.flat())
  let next = 0
  const scored = told.map(solutions =>
    solutions.flatMap(({ outcome }) => {
      const own = scores[next++]!
      return own.every(score => score === null) ? [] : [{ scores: own, correct: outcome!.right }]
    }),
  )
  const overAll = (figure: (candidates: readonly Candidate[]) => number) =>
    scored.map(candidates =>
      mean(
        AGGREGATIONS.map(by =>
          figure(candidates.map(({ scores, correct }) => ({ score: logAggregate(scores, by)!, correct }))),
        ),
      ),
    )
  return { traffic: overAll(pairShare), chosen: overAll(bestIsRight) }
}

/** Chance that the candidate with the best score is right; NaN when there is none. */
function bestIsRight(candidates: readonly Candidate[]): number {
  const best = Math.max(...candidates.map(({ score }) => score))
  return mean(candidates.filter(({ score }) => score === best).map(({ correct }) => (correct ? 1 : 0)))
}

/** Steps of the slice that the critic gave no score. */
export const unscoredIn = ({ slice }: Measured): number =>
  slice.reduce((sum, { scores }) => sum + scores.filter(score => score === null).length, 0)

/** Calibration error on the slice, in [0, 1]. */
export const eceOf = ({ slice }: Measured): number => calibrationError(judgedSteps(slice))

/** The figures for people. */
export function measuredFigures(measured: Measured): Record<string, unknown> {
  const { slice, threshold, traffic } = measured
  const duels = measured.sneaky.filter(duel => duel !== null)
  const mean = (values: readonly number[]) =>
    values.length === 0 ? null : round(values.reduce((sum, x) => sum + x, 0) / values.length)
  return {
    critic: measured.version,
    step_auc: round(auc(judgedSteps(slice))),
    f1: round(processBench(slice, threshold).f1),
    ece: round(eceOf(measured)),
    unscored_steps: unscoredIn(measured),
    traffic_problems: traffic.length,
    traffic_pairs: mean(traffic),
    traffic_best_of_n: mean(measured.chosen.filter(share => !Number.isNaN(share))),
    sneaky_duels: duels.length,
    sneaky_success: mean(duels.map(d => (d.fooled ? 1 : 0))),
    sneaky_ordered: mean(duels.map(d => d.ordered)),
    ...(measured.frozen.length > 0 && { frozen: trapFigures(measured.frozen) }),
  }
}
