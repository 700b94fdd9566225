// Fits the step head's outcome path: which of one problem's solutions are right, read off the step that ends each. Knows no engine, no
// corpus and no traffic.
import { CLOSES_INPUT, featureInputs } from '../../critic/features.ts'
import type { Comparison, Example } from '../data/example.ts'
import { featuresOf } from '../data/units.ts'
import { type Contest, fitOrder, type OrderFit, type Ranked } from '../fit/order.ts'
import { OUTCOME_WEIGHTS, type Weights } from '../model/config.ts'
import { endingShare, featureLogit } from '../model/feature-logit.ts'

/** Right and wrong solutions of one problem. */
export interface OutcomeGroup {
  readonly right: readonly Example[]
  readonly wrong: readonly Example[]
  /** Above 0: how much its outcomes count. */
  readonly weight: number
}

/** Comparisons whose solutions end differently, those of one problem together. */
export function endingsOf(comparisons: readonly Comparison[]): OutcomeGroup[] {
  const differing = comparisons.filter(({ better, worse }) => better.steps.at(-1) !== worse.steps.at(-1))
  return [...Map.groupBy(differing, ({ better }) => better.problem).values()].map(ofOne => ({
    right: [...new Set(ofOne.map(({ better }) => better))],
    wrong: ofOne.map(({ worse }) => worse),
    weight: 1,
  }))
}

/** The weights, of which the outcome path alone has changed, and the fit. */
export interface OutcomeFit extends Pick<OrderFit, 'ridge' | 'loss'> {
  readonly weights: Weights
}

/**
 * Goes on from the outcome path that the weights have. What the feature path says of the last steps is counted in; the text path is not, whose gate
 * is shut on unfamiliar text. Right solutions are scored as before on average, wrong ones lower, so that τ keeps its meaning.
 *
 * @param ridges see `fitOrder`
 */
export function fitOutcomePath(
  weights: Weights,
  groups: readonly OutcomeGroup[],
  ridges?: readonly number[],
): OutcomeFit {
  const ranked = (example: Example): Ranked => {
    const inputs = featureInputs(featuresOf(example).at(-1)!)
    const share = endingShare(weights, inputs)
    return { inputs: inputs.map(x => share * x), offset: featureLogit(weights, inputs) }
  }
  const contests = groups.map(
    ({ right, wrong, weight }): Contest => ({
      right: right.map(ranked),
      wrong: wrong.map(ranked),
      weight,
    }),
  )
  const start = weights[OUTCOME_WEIGHTS]!
  const { weights: fitted, ...fit } = fitOrder(contests, start, ridges)
  return { weights: { ...weights, [OUTCOME_WEIGHTS]: centred(fitted, start, contests) }, ...fit }
}

/** The order does not tell how high endings stand as a whole: the mean change over right ones becomes 0. */
function centred(fitted: Float32Array, start: Float32Array, contests: readonly Contest[]): Float32Array {
  const right = contests.flatMap(contest => contest.right)
  const change = ({ inputs }: Ranked) => inputs.reduce((sum, x, j) => sum + x * (fitted[j]! - start[j]!), 0)
  const shares = right.reduce((sum, { inputs }) => sum + inputs[CLOSES_INPUT]!, 0)
  if (shares === 0) return fitted
  const mean = right.reduce((sum, one) => sum + change(one), 0) / shares
  return fitted.map((w, j) => (j === CLOSES_INPUT ? w - mean : w))
}
