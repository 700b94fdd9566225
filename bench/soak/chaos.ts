// What goes wrong in a soak, and when, by a seed: servers and rounds killed, Redis restarted. Knows no client.
import { setTimeout as sleep } from 'node:timers/promises'
import type { Rng } from '../../src/train/rng.ts'
import type { Fleet, Server } from './fleet.ts'
import type { Rounds } from './rounds.ts'

export interface ChaosOptions {
  readonly fleet: Fleet
  readonly rng: Rng
  readonly rounds: Pick<Rounds, 'hit' | 'isSpared'>
  readonly say: (text: string) => void
}

export interface Kills {
  server: number
  trainer: number
  redis: number
}

/** Between two events, which may overlap: Redis can be away while a server starts. */
const GAP_MS = [40_000, 100_000] as const
/** How long is waited for a round that can be killed. */
const ROUND_STARTS_MS = 20_000
const SERVER_DOWN_MS = [500, 8_000] as const
const REDIS_DOWN_MS = [500, 8_000] as const

/** Starts it; the function returned resolves to how often what was killed, when all is up again. */
export function startChaos({ fleet, rng, rounds, say }: ChaosOptions): () => Promise<Kills> {
  const kills: Kills = { server: 0, trainer: 0, redis: 0 }
  const stopping = new AbortController()
  const between = ([low, high]: readonly [number, number]) => rng.int(low, high)
  let redisBack: Promise<void> = Promise.resolve()
  let serverBack: Promise<unknown> = Promise.resolve()

  const events: Record<keyof Kills, () => Promise<void>> = {
    async server() {
      await serverBack
      const servers = fleet.servers().filter(server => !rounds.isSpared() || !fleet.hasRound(server))
      const server: Server = rng.pick(servers.length > 0 ? servers : fleet.servers())
      const downMs = between(SERVER_DOWN_MS)
      if (fleet.hasRound(server)) rounds.hit()
      say(`kill -9 server ${server.name} for ${downMs} ms`)
      kills.server++
      serverBack = fleet.killServer(server.name, downMs).then(() => say(`server ${server.name} is ready`))
    },
    async trainer() {
      const deadline = performance.now() + ROUND_STARTS_MS
      if (rounds.isSpared()) return
      while (!fleet.killTrainer()) {
        if (stopping.signal.aborted || performance.now() > deadline) return
        await sleep(500)
      }
      rounds.hit()
      say('kill -9 the round')
      kills.trainer++
    },
    async redis() {
      await redisBack
      const signal = rng.pick(['SIGTERM', 'SIGKILL'] as const)
      const downMs = between(REDIS_DOWN_MS)
      say(`${signal} Redis for ${downMs} ms`)
      kills.redis++
      redisBack = fleet.restartRedis(signal, downMs).then(() => say('Redis is back'))
      // Half of the time a server is killed that holds what it could not deliver.
      if (rng.uniform() < 0.5) {
        await sleep(downMs / 2)
        await events.server()
      }
    },
  }

  async function work(): Promise<void> {
    for (;;) {
      await sleep(between(GAP_MS), undefined, { signal: stopping.signal })
      // Each at least once in three: a bag, not dice.
      for (const name of rng.shuffle(Object.keys(events) as (keyof Kills)[])) {
        await events[name]()
        await sleep(between(GAP_MS), undefined, { signal: stopping.signal })
      }
    }
  }

  const working = work().catch(error => {
    if (!stopping.signal.aborted) throw error
  })
  return async () => {
    stopping.abort()
    await working
    await redisBack
    await serverBack
    return kills
  }
}
