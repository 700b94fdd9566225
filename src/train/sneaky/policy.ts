// Which operator to try: the softmax policy over sneaky operators. Knows no step and no critic.
import type { Rng } from '../rng.ts'
import {
  actionChances,
  type Outcome,
  type PolicyOptions,
  reinforced,
  type SoftmaxPolicy,
  uniformPolicy,
} from './softmax-policy.ts'
import { SNEAKY_OPERATORS, type SneakyOperator } from './types.ts'

/** Both arrays are in the order of `SNEAKY_OPERATORS`. */
export type SneakyPolicy = SoftmaxPolicy

/** One move and what came of it. */
export interface SneakyOutcome extends Omit<Outcome<SneakyOperator>, 'action'> {
  readonly operator: SneakyOperator
  /** +1 for a wrong step the critic took for right, -1 for one it caught; anything between is fine. */
  readonly reward: number
}

/** The uniform policy. */
export const createPolicy = (): SneakyPolicy => uniformPolicy(SNEAKY_OPERATORS.length)

/** Chance of each operator, in the order of `SNEAKY_OPERATORS`, 0 for those not available; the sum is 1 unless none is. */
export const operatorChances = (
  policy: SneakyPolicy,
  available: readonly SneakyOperator[] = SNEAKY_OPERATORS,
): number[] => actionChances(SNEAKY_OPERATORS, policy, available)

/** One of the available operators, drawn from the policy. @throws {RangeError} when none is available. */
export const drawOperator = (
  rng: Rng,
  policy: SneakyPolicy,
  available: readonly SneakyOperator[],
): SneakyOperator => SNEAKY_OPERATORS[rng.weighted(operatorChances(policy, available))]!

/** The policy after a batch of outcomes, see `reinforced`. */
export const updatePolicy = (
  policy: SneakyPolicy,
  outcomes: readonly SneakyOutcome[],
  options: PolicyOptions = {},
): SneakyPolicy =>
  reinforced(
    SNEAKY_OPERATORS,
    policy,
    outcomes.map(({ operator, ...outcome }) => ({ ...outcome, action: operator })),
    options,
  )
