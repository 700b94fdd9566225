// Servers that share one store, and critics that behave as they are told. Knows no test.
import type { TestContext } from 'node:test'
import type { Critic } from '../../src/critic/types.ts'
import { AppError } from '../../src/errors.ts'
import { createLog } from '../../src/log.ts'
import { type Desk, type DeskOptions, openDesk } from '../../src/rollout/desk.ts'
import { type RolloutPlan, tryOut } from '../../src/rollout/run.ts'
import { openSqliteStore } from '../../src/store/sqlite.ts'
import type { Store } from '../../src/store/types.ts'

/** Scores every step as it says; fails when told to. */
export function aCritic(
  version: string,
  score: number | 'fails',
  judged: { calls: number } = { calls: 0 },
): Critic {
  return {
    version,
    threshold: 0.5,
    async judge(items, signal) {
      signal?.throwIfAborted()
      judged.calls++
      if (score === 'fails') throw new AppError('CRITIC_FAILED', 'The critic failed on this request.')
      return items.map(({ steps }) => ({ steps: steps.map(() => ({ score, evidence: [] })), tokens: 10 }))
    },
  }
}

export const ITEM = { problem: 'x', steps: ['a', 'b'] }
export const PLAN: RolloutPlan = {
  shadow: { minutes: 1, share: 1 },
  canary: { minutes: 1, share: 0.5 },
  watch: { minutes: 1 },
}

export interface World {
  readonly store: Store
  readonly desks: readonly Desk[]
  /** Decisions that took a critic back. */
  readonly withdrawn: string[]
  serving: string
  clock: number
  /** `count` critiques of clients by name, at every server in turn; the versions that answered. */
  ask(count: number): Promise<string[]>
  look(): Promise<void>
}

/** Two servers and a store. `child` is tried out in the place of `parent`. */
export function aWorld(t: TestContext, child: number | 'fails' = 0.7): World {
  const store = openSqliteStore(':memory:')
  const critics = new Map([
    ['parent', aCritic('parent', 0.6)],
    ['child', aCritic('child', child)],
  ])
  const world = { store, withdrawn: [] as string[], serving: 'parent', clock: 1_000_000 }
  const registry: DeskOptions['registry'] = {
    current: () => critics.get(world.serving)!,
    get: version => critics.get(version)!,
    hold: async () => () => {},
    follow: async () => {},
    async withdraw(version, { reason }) {
      if (world.serving !== version) return null
      world.serving = 'parent'
      world.withdrawn.push(reason)
      return { serving: 'parent', previous: version }
    },
  }
  const log = createLog({ level: 'silent' })
  let ticks = 0 // every critic is as fast as the other, however busy this machine is
  const stopwatch = () => ticks++
  const desks = ['one', 'two'].map(owner =>
    openDesk({ store, registry, owner, log, now: () => world.clock, stopwatch, everyMs: 3_600_000 }),
  )
  t.after(async () => {
    for (const desk of desks) await desk.close()
    await store.close()
  })
  return Object.assign(world, {
    desks,
    async ask(count: number) {
      const answered: string[] = []
      for (let i = 0; i < count; i++) {
        const { critic, fallback } = desks[i % 2]!.criticFor(`client ${i}`)
        await critic.judge([ITEM]).then(
          () => answered.push(critic.version),
          async error => {
            if (fallback === null) throw error
            await fallback.judge([ITEM])
            answered.push(fallback.version)
          },
        )
        await new Promise(resolve => setImmediate(resolve))
      }
      return answered
    },
    async look() {
      for (const desk of desks) await desk.look()
    },
  })
}

/** Tries `child` out; `onReport` may act on the world meanwhile. */
export function tried(
  world: World,
  onReport: (stage: string) => Promise<void>,
  plan = PLAN,
  signal = new AbortController().signal,
) {
  return tryOut({
    store: world.store,
    plan,
    id: 'job_1',
    candidate: 'child',
    parent: 'parent',
    now: () => world.clock,
    signal,
    report: stage => onReport(stage),
    pollMs: 5,
  })
}
