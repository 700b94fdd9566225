// The registry of search methods. A new method is a file, a line here and a line in params.ts.
import { auto } from './auto.ts'
import { beam, dvts } from './beam.ts'
import { bestOfN, selfConsistency, weightedBestOfN } from './best-of-n.ts'
import { guard } from './guard.ts'
import { mcts } from './mcts.ts'
import type { Method } from './method.ts'
import { pairwise } from './pairwise.ts'
import type { MethodName } from './params.ts'
import { particle } from './particle.ts'
import { plan } from './plan.ts'
import { revise } from './revise.ts'

export const METHODS: Readonly<Record<MethodName, Method>> = {
  best_of_n: bestOfN,
  weighted_best_of_n: weightedBestOfN,
  self_consistency: selfConsistency,
  pairwise,
  beam,
  dvts,
  particle,
  guard,
  revise,
  plan,
  mcts,
  auto,
}
