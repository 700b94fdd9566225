// What a candidate costs against the serving critic: time on the same items, in turns, and the size of its model. Decides nothing.
import { statSync } from 'node:fs'
import { join } from 'node:path'
import type { Scorer } from '../../critic/scorer.ts'
import type { CritiqueItem } from '../../critic/types.ts'
import type { Judge } from './play.ts'

/** The candidate's cost as a multiple of the serving critic's. */
export interface Cost {
  readonly latency: number
  readonly memory: number
}

const ROUNDS = 3
const ITEMS = 6

/**
 * Time of the candidate over time of the serving critic: both score the same items in turns, and each one's fastest round counts,
 * since whatever else the machine does only makes a round longer.
 */
export async function compareLatency(
  serving: Judge,
  candidate: Judge,
  items: readonly CritiqueItem[],
  now: () => number = () => performance.now(),
): Promise<number> {
  const timeOf = async (critic: Judge): Promise<number> => {
    const start = now()
    await critic.judge(items)
    return now() - start
  }
  const [first, second] = [[] as number[], [] as number[]]
  for (let round = 0; round <= ROUNDS; round++) {
    const [a, b] = [await timeOf(serving), await timeOf(candidate)]
    if (round === 0) continue // warms both up
    first.push(a)
    second.push(b)
  }
  return Math.min(...second) / Math.max(Number.EPSILON, Math.min(...first))
}

/** Latency on a few solutions of the slice, and bytes of the model's file, which is what a loaded session holds most of. */
export async function compareCost(
  serving: Scorer,
  candidate: Scorer,
  slice: readonly CritiqueItem[],
): Promise<Cost> {
  const bytes = ({ artifact }: Scorer) => statSync(join(artifact.dir, 'model.onnx')).size
  return {
    latency: slice.length === 0 ? 1 : await compareLatency(serving, candidate, slice.slice(0, ITEMS)),
    memory: bytes(candidate) / bytes(serving),
  }
}
