// A softmax policy over named actions on plain arrays, learned by REINFORCE. Knows no action's meaning.

/** Plain data, fit for JSON. Both arrays are in the order of the actions. */
export interface SoftmaxPolicy {
  /** Softmax logits. */
  readonly weights: readonly number[]
  /** Moving average of each action's reward. */
  readonly baselines: readonly number[]
}

/** One move and what came of it. */
export interface Outcome<A> {
  readonly action: A
  readonly reward: number
  /** The actions that could have been chosen; absent: all of them. */
  readonly available?: readonly A[]
}

export interface PolicyOptions {
  /** Step of the logits per batch. */
  readonly learningRate?: number
  /** Share of the old baseline kept at each outcome, in [0, 1). */
  readonly decay?: number
  /** Least entropy in nats, at most ln(number of actions). */
  readonly entropyFloor?: number
}

/** The uniform policy over so many actions. */
export const uniformPolicy = (actions: number): SoftmaxPolicy => ({
  weights: Array.from({ length: actions }, () => 0),
  baselines: Array.from({ length: actions }, () => 0),
})

/**
 * Chance of each action, in order, 0 for those not available; the sum is 1 unless none is. A policy saved before an
 * action was added counts the new one as weight 0.
 */
export function actionChances<A>(
  actions: readonly A[],
  policy: SoftmaxPolicy,
  available: readonly A[] = actions,
): number[] {
  const open = new Set(available)
  const weight = (i: number) => policy.weights[i] ?? 0
  const top = Math.max(...actions.map((action, i) => (open.has(action) ? weight(i) : -Infinity)))
  const raw = actions.map((action, i) => (open.has(action) ? Math.exp(weight(i) - top) : 0))
  const total = raw.reduce((sum, value) => sum + value, 0)
  return total > 0 ? raw.map(value => value / total) : raw
}

/**
 * The policy after a batch of outcomes: one REINFORCE step (Williams 1992), then the entropy floor.
 * The advantage is measured against the mean of the actions' baselines under the policy, read before they move. (Each
 * action's own baseline would cancel exactly the differences between actions that there are to learn.)
 */
export function reinforced<A>(
  actions: readonly A[],
  policy: SoftmaxPolicy,
  outcomes: readonly Outcome<A>[],
  options: PolicyOptions = {},
): SoftmaxPolicy {
  const { learningRate = 0.5, decay = 0.95, entropyFloor = 0.5 * Math.log(actions.length) } = options
  const baselines = actions.map((_, i) => policy.baselines[i] ?? 0)
  const gradient = actions.map(() => 0)
  for (const { action, reward, available } of outcomes) {
    const chances = actionChances(actions, policy, available)
    const expected = chances.reduce((sum, p, i) => sum + p * (baselines[i] as number), 0)
    const chosen = actions.indexOf(action)
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
