// A text path that is one linear function of the hidden state, fitted at once: with some thousand labels more would learn them by heart
// (models/LOG.md). Knows no base, no file and no corpus.
import { fitLogistic } from '../eval/logistic.ts'
import { auc } from '../eval/metrics.ts'
import type { Weights } from '../model/config.ts'

/** A labelled step: what the base left at its end, and the logit that the features alone give it. */
export interface LabelledState {
  readonly state: Float32Array
  readonly byFeatures: number
  readonly right: boolean
}

/** What the text adds to the features' logit: share · (slopes · state + bias). */
export interface LinearText {
  readonly slopes: Float32Array
  readonly bias: number
  /** How much the text counts, at least 0. */
  readonly share: number
}

/** Penalties tried; for some thousand labels the best is among them. */
const PENALTIES = [1000, 300, 100]
/** Shares tried. */
const SHARES = [0, 0.1, 0.2, 0.3, 0.5, 0.7, 1, 1.5]

export interface Tried extends LinearText {
  readonly penalty: number
  /** Step AUC on the held-back steps, of features and text together and of the text alone. */
  readonly auc: number
  readonly aloneAuc: number
}

/** What the text says of a step by itself. */
const said = ({ slopes, bias }: Omit<LinearText, 'share'>, state: Float32Array): number =>
  state.reduce((sum, x, i) => sum + x * slopes[i]!, bias)

/** Logit of a step from features and text. */
export const logitWith = (text: LinearText, step: Omit<LabelledState, 'right'>): number =>
  step.byFeatures + text.share * said(text, step.state)

/**
 * Fits a logistic regression on the states (standardised, right and wrong weighing the same) for each penalty, and gives it the share with which
 * the held-back steps are ordered best. Best first. @throws Error when right or wrong steps are missing in either list
 */
export function fitLinearText(train: readonly LabelledState[], held: readonly LabelledState[]): Tried[] {
  if (new Set(held.map(({ right }) => right)).size < 2)
    throw new Error('no right and wrong steps are held back to choose by')
  const states = train.map(({ state }) => state)
  const right = train.map(step => step.right)
  const aucOf = (score: (i: number) => number): number =>
    auc(held.map(({ right }, i) => ({ score: score(i), right })))
  const tried = PENALTIES.flatMap(penalty => {
    const { linear } = fitLogistic(states, right, penalty)
    const text = { slopes: Float32Array.from(linear.slopes), bias: linear.bias }
    const alone = held.map(({ state }) => said(text, state))
    const aloneAuc = aucOf(i => alone[i]!)
    return SHARES.map(share => {
      const together = aucOf(i => held[i]!.byFeatures + share * alone[i]!)
      return { ...text, share, penalty, auc: together, aloneAuc }
    })
  })
  return tried.toSorted((a, b) => b.auc - a.auc)
}

/**
 * Weights whose text path says what `text` does, everywhere: x = silu(x) - silu(-x), so two hidden units hold the function, the others stay as they are
 * and have no say; the gate is the same for every step. Changed arrays are new.
 */
export function withLinearText(weights: Readonly<Weights>, { slopes, bias, share }: LinearText): Weights {
  const units = weights['head.text_out']!.length
  const open = 0.5 // sigmoid of the gate's logit, 0
  const textIn = Float32Array.from(weights['head.text_in']!)
  slopes.forEach((slope, i) => {
    textIn[i * units] = slope
    textIn[i * units + 1] = -slope
  })
  const inBias = Float32Array.from(weights['head.text_in_bias']!)
  inBias.set([bias, -bias])
  const textOut = new Float32Array(units)
  textOut.set([share / open, -share / open])
  return {
    ...weights,
    'head.text_in': textIn,
    'head.text_in_bias': inBias,
    'head.text_out': textOut,
    'head.gate': new Float32Array(weights['head.gate']!.length),
    'head.gate_bias': new Float32Array(1),
  }
}
