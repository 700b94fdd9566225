// ProcessBench: does a critic find the first wrong step? F1, step AUC and SPC's balanced step accuracy, beside simple baselines.
import type { Scorer } from '../../critic/scorer.ts'
import { readJsonl } from '../data/jsonl.ts'
import { createRng } from '../rng.ts'
import { auc, bestThreshold, judgedSteps, type Located, processBench } from './metrics.ts'

interface Item {
  readonly problem: string
  readonly steps: readonly string[]
  readonly label: number
}

export interface ProcessBenchRow {
  readonly critic: string
  readonly f1: number
  readonly acc_error: number
  readonly acc_correct: number
  readonly step_auc: number
  /** Accuracy on single steps, right and wrong weighing the same, at the same threshold (SPC's figure, never to be mixed with F1). */
  readonly balanced_step_accuracy: number
}

/** Fixed threshold, or the best one on this very subset (then the F1 is an upper bound and says so). */
export type Threshold = number | 'best_here'

function row(critic: string, located: readonly Located[], threshold: Threshold): ProcessBenchRow {
  const tau = threshold === 'best_here' ? bestThreshold(located) : threshold
  const { f1, accError, accCorrect } = processBench(located, tau)
  const judged = judgedSteps(located)
  const share = (right: boolean) => {
    const steps = judged.filter(j => j.right === right)
    return steps.filter(j => j.score >= tau === right).length / Math.max(1, steps.length)
  }
  return {
    critic,
    f1: 100 * f1,
    acc_error: 100 * accError,
    acc_correct: 100 * accCorrect,
    step_auc: auc(judged),
    balanced_step_accuracy: 50 * (share(true) + share(false)),
  }
}

/** Figures of a critic and of the baselines on one subset's file. The critic's threshold is its own τ unless one is given. */
export async function evalProcessBench(
  path: string,
  scorer: Scorer,
  threshold?: Threshold,
): Promise<ProcessBenchRow[]> {
  const items = readJsonl<Item>(path)
  const judged = await scorer.judge(items)
  const rng = createRng('processbench')
  const baseline = (score: (item: Item, step: string, i: number) => number): Located[] =>
    items.map(item => ({ firstError: item.label, scores: item.steps.map((step, i) => score(item, step, i)) }))
  const { version, reading } = scorer.artifact.manifest
  const ours = items.map((item, i) => ({
    firstError: item.label,
    scores: judged[i]!.steps.map(step => step.score),
  }))
  return [
    row(
      'random',
      baseline(() => rng.uniform()),
      'best_here',
    ),
    row(
      'position (later is worse)',
      baseline((_, __, i) => -i),
      'best_here',
    ),
    row(
      'step length (longer is worse)',
      baseline((_, step) => -step.length),
      'best_here',
    ),
    row(version, ours, threshold ?? reading!.threshold),
    row(`${version}, best threshold here`, ours, 'best_here'),
  ]
}
