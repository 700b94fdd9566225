// What the session alone reaches on the same inputs: no HTTP, no queue, no threads between, its text read beforehand.
import type { Device } from '../../src/critic/device.ts'
import { openScorer } from '../../src/critic/scorer.ts'
import type { CritiqueItem } from '../../src/critic/types.ts'

/** Padded tokens of one run; which is best depends on the machine. */
const BUDGETS = [512, 1024, 2048, 4096, 8192]

export interface BareSession {
  /** Steps per second with the best of the budgets, each tried for a part of `seconds`. */
  best(seconds: number): Promise<number>
  /** Milliseconds of one run for each item alone, ascending. */
  single(seconds: number): Promise<number[]>
  close(): Promise<void>
}

export async function openBareSession(
  dir: string,
  items: readonly CritiqueItem[],
  options: { readonly device: Device; readonly threads: number },
): Promise<BareSession> {
  const scorer = await openScorer(dir, options)
  const alone = items.map(item => scorer.prepare(item).jobs)
  const plans = alone.map(jobs => [...scorer.plan(jobs, Number.POSITIVE_INFINITY)].flat())
  const steps = items.reduce((sum, item) => sum + item.steps.length, 0)
  return {
    async best(seconds) {
      let most = 0
      for (const budget of BUDGETS) {
        const runs = [...scorer.plan(alone.flat(), budget)]
        const until = performance.now() + (seconds * 1000) / BUDGETS.length
        do {
          const start = performance.now()
          for (const rows of runs) await scorer.run(rows)
          most = Math.max(most, (steps * 1000) / (performance.now() - start))
        } while (performance.now() < until)
      }
      return most
    },
    async single(seconds) {
      const ms: number[] = []
      const until = performance.now() + seconds * 1000
      for (let i = 0; performance.now() < until || ms.length < 20; i++) {
        const start = performance.now()
        await scorer.run(plans[i % plans.length]!)
        ms.push(performance.now() - start)
      }
      return ms.toSorted((a, b) => a - b)
    },
    close: () => scorer.release(),
  }
}
