// What the rounds lab measures of a critic in every round: how it reads the steps of real writers, and ProcessBench. Knows no round.
import type { Scorer } from '../../critic/scorer.ts'
import { type StepJudge, scorerJudge } from '../eval/judge.ts'
import type { Subset } from '../eval/labelled.ts'
import { balancedStepAccuracy, labelledSteps, mean, processBench } from '../eval/metrics.ts'
import { type RealErrorFigures, readWriter, type Writer } from './real-errors.ts'

/** A critic on everything that stays the same over the rounds. */
export interface CriticFigures {
  readonly version: string
  readonly writers: readonly (RealErrorFigures & { readonly name: string })[]
  /** At the critic's own τ, mean over the subsets, in percent; null without data. */
  readonly processBench: { readonly f1: number; readonly step_accuracy: number } | null
}

/** What critics are measured on. */
export interface Measures {
  /** The first is the one the headline is about. */
  readonly writers: readonly Writer[]
  /** ProcessBench; none when there is no data. */
  readonly subsets: readonly Subset[]
  readonly signal?: AbortSignal
}

/** @throws the signal's reason when aborted */
export async function measureCritic(
  scorer: Scorer,
  { writers, subsets, signal }: Measures,
): Promise<CriticFigures> {
  const judge = scorerJudge(scorer)
  const read: CriticFigures['writers'][number][] = []
  for (const writer of writers) read.push({ name: writer.name, ...(await readWriter(judge, writer, signal)) })
  return { version: judge.name, writers: read, processBench: await onSubsets(judge, subsets, signal) }
}

async function onSubsets(
  judge: StepJudge,
  subsets: readonly Subset[],
  signal?: AbortSignal,
): Promise<CriticFigures['processBench']> {
  if (subsets.length === 0) return null
  const threshold = judge.threshold ?? 0.5
  const figures: { f1: number; accuracy: number }[] = []
  for (const { items } of subsets) {
    const scores = await judge.judge(items, signal)
    const located = items.flatMap(({ firstError }, i) =>
      firstError === null ? [] : [{ scores: scores[i]!, firstError }],
    )
    const labels = items.map(({ truths }) => ({
      labels: truths.map(truth => (truth === null ? null : truth ? 1 : 0)),
    }))
    figures.push({
      f1: processBench(located, threshold).f1,
      accuracy: balancedStepAccuracy(labelledSteps(labels, scores), threshold),
    })
  }
  return {
    f1: 100 * mean(figures.map(({ f1 }) => f1)),
    step_accuracy: 100 * mean(figures.map(({ accuracy }) => accuracy)),
  }
}
