// Fits the weights of an ensemble of critics on labelled steps, and says what it and each member do on steps that were held back.
// Knows no service and no file.
import { logitOf } from '../../remote/ensemble.ts'
import { sigmoid, softplus } from '../numeric.ts'
import { createRng } from '../rng.ts'
import type { StepJudge, StepScores } from './judge.ts'
import { knownSteps, type LabelledItem, problemNumbers } from './labelled.ts'
import { fitLogistic } from './logistic.ts'
import { auc, bestThreshold, calibrationError, fitPlatt, type Judged, mean } from './metrics.ts'

/** P = sigmoid(bias + Σ weightᵢ · logit(pᵢ)), as `remote/ensemble.ts` reads it. */
interface EnsembleWeights {
  readonly weights: readonly number[]
  readonly bias: number
}

/** A critic on the steps that every member scored. */
interface EnsembleRow {
  readonly critic: string
  readonly step_auc: number
  /** Mean of -ln P(what is true), in nats. */
  readonly log_loss: number
  readonly ece: number
}

export interface EnsembleFit extends EnsembleWeights {
  /** With the best F1 on first errors, of the held-back scores. */
  readonly threshold: number
  readonly steps: number
  /** Steps of known truth that some member did not score; they count nowhere. */
  readonly passed_over: number
  /** The ensemble first, each step scored by weights that were fitted on other problems; then each member. */
  readonly rows: readonly EnsembleRow[]
}

interface Step {
  readonly item: number
  readonly step: number
  readonly problem: number
  readonly logits: readonly number[]
  readonly right: boolean
}

/** Problems are dealt out to so many folds. */
const FOLDS = 5

/** @throws Error when the steps that every member scored lack right or wrong ones */
export async function fitEnsemble(
  items: readonly LabelledItem[],
  judges: readonly StepJudge[],
  { seed, signal }: { readonly seed: number; readonly signal?: AbortSignal },
): Promise<EnsembleFit> {
  const scores: StepScores[][] = []
  for (const judge of judges) scores.push(await judge.judge(items, signal))
  const known = knownSteps(items)
  const { of: problems, count } = problemNumbers(items)
  const steps = known.flatMap(({ item, step, right }): Step[] => {
    const found = scores.map(all => all[item]![step] ?? null)
    if (found.includes(null)) return []
    return [{ item, step, right, problem: problems[item]!, logits: found.map(p => logitOf(p!)) }]
  })
  const dealt = Array.from({ length: count }, (_, i) => i % FOLDS)
  const foldOf = createRng(`ensemble ${seed}`).shuffle(dealt)
  const heldBack = steps.map(() => 0)
  for (let fold = 0; fold < FOLDS; fold++) {
    const weights = fitWeights(steps.filter(({ problem }) => foldOf[problem] !== fold))
    for (const [i, { problem, logits }] of steps.entries())
      if (foldOf[problem] === fold) heldBack[i] = combine(weights, logits)
  }
  const members = judges.map(({ name }, m) =>
    rowOf(
      name,
      steps.map(({ logits, right }) => ({ score: sigmoid(logits[m]!), right })),
    ),
  )
  const together = steps.map(({ right }, i) => ({ score: heldBack[i]!, right }))
  return {
    ...fitWeights(steps),
    threshold: chooseThreshold(items, steps, heldBack),
    steps: steps.length,
    passed_over: known.length - steps.length,
    rows: [rowOf('ensemble, held back', together), ...members],
  }
}

/** The regression weighs right and wrong alike; Platt's map then brings back how common they are. */
function fitWeights(steps: readonly Step[]): EnsembleWeights {
  const { slopes, bias } = fitLogistic(
    steps.map(({ logits }) => logits),
    steps.map(({ right }) => right),
  ).linear
  const sums = steps.map(({ logits, right }) => ({ score: sumOf({ weights: slopes, bias }, logits), right }))
  const { a, b } = fitPlatt(sums)
  return { weights: slopes.map(slope => a * slope), bias: a * bias + b }
}

const sumOf = ({ weights, bias }: EnsembleWeights, logits: readonly number[]): number =>
  logits.reduce((sum, z, m) => sum + weights[m]! * z, bias)

const combine = (weights: EnsembleWeights, logits: readonly number[]): number =>
  sigmoid(sumOf(weights, logits))

function rowOf(critic: string, judged: readonly Judged[]): EnsembleRow {
  const losses = judged.map(({ score, right }) => softplus(right ? -logitOf(score) : logitOf(score)))
  return { critic, step_auc: auc(judged), log_loss: mean(losses), ece: calibrationError(judged) }
}

function chooseThreshold(
  items: readonly LabelledItem[],
  steps: readonly Step[],
  scores: readonly number[],
): number {
  const byItem = items.map(({ steps: texts }) => texts.map((): number | null => null))
  for (const [i, { item, step }] of steps.entries()) byItem[item]![step] = scores[i]!
  const located = items.flatMap(({ firstError }, i) =>
    firstError === null ? [] : [{ scores: byItem[i]!, firstError }],
  )
  return bestThreshold(located)
}
