// What the step head says of one step by its features alone, without an engine: for fits that need nothing else. Knows no text.
import { CLOSES_INPUT } from '../../critic/features.ts'
import { dot, sigmoid } from '../numeric.ts'
import { OUTCOME_WEIGHTS, type Weights } from './config.ts'

/** The logit of `featureLogits` in head.ts on the inputs of one step. */
export function featureLogit(weights: Weights, inputs: Float32Array): number {
  const [into, bias, out] = [
    weights['head.features_in']!,
    weights['head.features_in_bias']!,
    weights['head.features_out']!,
  ]
  const inner = Float64Array.from(bias)
  for (let i = 0; i < inputs.length; i++) {
    const x = inputs[i]!
    if (x !== 0) for (let j = 0; j < inner.length; j++) inner[j]! += x * into[i * inner.length + j]!
  }
  return inner.reduce((sum, z, j) => sum + (z / (1 + Math.exp(-z))) * out[j]!, weights['head.out_bias']![0]!)
}

/** In [0, 1]: how far a step ends its solution, the factor of the outcome path in head.ts. */
export function endingShare(weights: Weights, inputs: Float32Array): number {
  const logit = dot(inputs, weights['head.outcome_ends']!) + weights['head.outcome_ends_bias']![0]!
  return inputs[CLOSES_INPUT]! * sigmoid(logit)
}

/** The logit of a step without its text, as `stepLogits` in head.ts gives it where there are no hidden states. */
export const logitByFeatures = (weights: Weights, inputs: Float32Array): number =>
  featureLogit(weights, inputs) + endingShare(weights, inputs) * dot(inputs, weights[OUTCOME_WEIGHTS]!)
