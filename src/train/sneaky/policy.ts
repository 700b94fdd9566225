// Which operator to try: a softmax policy on plain arrays, learned by REINFORCE. Knows no step and no critic.
import type { Rng } from '../rng.ts'
import { SNEAKY_OPERATORS, type SneakyOperator } from './types.ts'

/** Plain data, fit for JSON. Both arrays are in the order of `SNEAKY_OPERATORS`. */
export interface SneakyPolicy {
  /** Softmax logits. */
  readonly weights: readonly number[]
  /** Moving average of each operator's reward. */
  readonly baselines: readonly number[]
}

/** One move and what came of it. */
export interface SneakyOutcome {
  readonly operator: SneakyOperator
  /** +1 for a wrong step the critic took for right, -1 for one it caught; anything between is fine. */
  readonly reward: number
  /** The operators that could have been chosen; absent: all of them. */
  readonly available?: readonly SneakyOperator[]
}

export interface PolicyOptions {
  /** Step of the logits per batch. */
  readonly learningRate?: number
  /** Share of the old baseline kept at each outcome, in [0, 1). */
  readonly decay?: number
  /** Least entropy in nats, at most ln(number of operators). */
  readonly entropyFloor?: number
}

/** The uniform policy. */
export function createPolicy(): SneakyPolicy {
  return { weights: SNEAKY_OPERATORS.map(() => 0), baselines: SNEAKY_OPERATORS.map(() => 0) }
}

/**
 * Chance of each operator, in the order of `SNEAKY_OPERATORS`, 0 for those not available; the sum is 1 unless none is.
 * A policy saved before an operator was added counts the new one as weight 0.
 */
export function operatorChances(
  policy: SneakyPolicy,
  available: readonly SneakyOperator[] = SNEAKY_OPERATORS,
): number[] {
  const open = new Set(available)
  const top = Math.max(
    ...SNEAKY_OPERATORS.map((op, i) => (open.has(op) ? (policy.weights[i] ?? 0) : -Infinity)),
  )
  const raw = SNEAKY_OPERATORS.map((op, i) => (open.has(op) ? Math.exp((policy.weights[i] ?? 0) - top) : 0))
  const total = raw.reduce((sum, value) => sum + value, 0)
  return total > 0 ? raw.map(value => value / total) : raw
}

/** One of the available operators, drawn from the policy. @throws {RangeError} when none is available. */
export function drawOperator(
  rng: Rng,
  policy: SneakyPolicy,
  available: readonly SneakyOperator[],
): SneakyOperator {
  return SNEAKY_OPERATORS[rng.weighted(operatorChances(policy, available))] as SneakyOperator
}

/**
 * The policy after a batch of outcomes: one REINFORCE step (Williams 1992), then the entropy floor.
 * The advantage is measured against the mean of the operators' baselines under the policy, read before they move. (Each
 * operator's own baseline would cancel exactly the differences between operators that there are to learn.)
 */
export function updatePolicy(
  policy: SneakyPolicy,
  outcomes: readonly SneakyOutcome[],
  options: PolicyOptions = {},
): SneakyPolicy {
  const { learningRate = 0.5, decay = 0.95, entropyFloor = 0.5 * Math.log(SNEAKY_OPERATORS.length) } = options
  const baselines = SNEAKY_OPERATORS.map((_, i) => policy.baselines[i] ?? 0)
  const gradient = SNEAKY_OPERATORS.map(() => 0)
  for (const { operator, reward, available } of outcomes) {
    const chances = operatorChances(policy, available)
    const expected = chances.reduce((sum, p, i) => sum + p * (baselines[i] as number), 0)
    const chosen = SNEAKY_OPERATORS.indexOf(operator)
    for (let i = 0; i < gradient.length; i++)
      gradient[i] =
        (gradient[i] as number) + (reward - expected) * ((i === chosen ? 1 : 0) - (chances[i] as number))
    baselines[chosen] = decay * (baselines[chosen] as number) + (1 - decay) * reward
  }
  const rate = learningRate / Math.max(1, outcomes.length)
  const weights = gradient.map((g, i) => (policy.weights[i] ?? 0) + rate * g)
  return { weights: withEntropy(weights, entropyFloor), baselines }
}

/** Entropy of the softmax of `weights`, in nats. */
export function entropyOf(weights: readonly number[]): number {
  const top = Math.max(...weights)
  const raw = weights.map(w => Math.exp(w - top))
  const total = raw.reduce((sum, value) => sum + value, 0)
  return -raw.reduce((sum, value) => sum + (value > 0 ? (value / total) * Math.log(value / total) : 0), 0)
}

/** The weights, drawn towards their mean by one factor until the entropy is at least `floor`. */
function withEntropy(weights: readonly number[], floor: number): number[] {
  const mean = weights.reduce((sum, w) => sum + w, 0) / weights.length
  const scaled = (by: number) => weights.map(w => (w - mean) * by)
  if (entropyOf(weights) >= floor) return scaled(1)
  let low = 0
  let high = 1
  for (let i = 0; i < 40; i++) {
    const middle = (low + high) / 2
    if (entropyOf(scaled(middle)) >= floor) low = middle
    else high = middle
  }
  return scaled(low)
}
