// The service as a production would run it, with ways to break it: a Redis that keeps what it was told, two servers, one folder of
// critics. Knows no client and decides nothing.
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { Agent } from 'node:http'
import { getPriority, setPriority, tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { type RunningService, startService } from '../../src/cli/service-process.ts'
import { type RedisServer, startRedisServer } from '../../test/fakes/redis-server.ts'

/** One life of a server, from ready to killed. */
export interface Server extends RunningService {
  readonly name: string
  readonly agent: Agent
  /** Set a moment before it is killed: what breaks from then on is no fault. */
  isKilled: boolean
}

export interface Fleet {
  readonly dataDir: string
  readonly redisUrl: string
  /** Those that a load balancer would send requests to: ready ones. */
  servers(): Server[]
  /** Whether Redis was away, or had come back a moment before, at some time between two of `performance.now()`. */
  wasRedisAway(from: number, to: number): boolean
  /** kill -9, and starts it again after a while; resolves when it is ready. False when the other is not ready. */
  killServer(name: string, downMs: number): Promise<boolean>
  /** kill -9 on the process of the round that runs; false when none does. */
  killTrainer(): boolean
  /** Whether this server's trainer runs a round now. */
  hasRound(server: Server): boolean
  /** Ends Redis and starts it again after a while; resolves when it takes connections. */
  restartRedis(signal: 'SIGTERM' | 'SIGKILL', downMs: number): Promise<void>
  /** Processes that run now, those of rounds too. */
  processes(): { readonly name: string; readonly pid: number }[]
  /** Warnings and errors of the servers' logs, how often each came. */
  complaints(): Record<string, number>
  close(): Promise<void>
}

/** What a client may notice after Redis is back: a reconnection (2 s), a command that timed out (5 s), a recorder's pause (5 s). */
const AFTERMATH_MS = 15_000

/** Lets go of a connection idle for a minute: sooner than the server does, whose timer may come before a request that it has not read. */
const AS_BALANCERS_DO = { keepAlive: true, timeout: 60_000 }

/** Starts Redis and the servers `one` and `two`; resolves when both are ready. */
export async function startFleet(
  redisBinary: string,
  settings: Readonly<Record<string, string>>,
): Promise<Fleet> {
  const folder = mkdtempSync(join(tmpdir(), 'spar-soak-'))
  const dataDir = join(folder, 'data')
  const redisDir = join(folder, 'redis')
  for (const dir of [dataDir, redisDir]) mkdirSync(dir)
  let redis: RedisServer = await startRedisServer(redisBinary, { keepIn: redisDir })
  const outages: { readonly from: number; to: number }[] = []
  const complaints = new Map<string, number>()
  const servers = new Map<string, Server>()

  async function start(name: string): Promise<void> {
    const env = { SPAR_LOG_LEVEL: 'info', SPAR_DATA: dataDir, REDIS_URL: redis.url, ...settings }
    const service = await startService(env, ({ level, message }) => {
      if (level === 'warn' || level === 'error')
        complaints.set(`${level}: ${message}`, (complaints.get(`${level}: ${message}`) ?? 0) + 1)
    })
    servers.set(name, { ...service, name, agent: new Agent(AS_BALANCERS_DO), isKilled: false })
  }

  // A round lets others go first, which on a machine that is never idle means for ever: here it is to end.
  const hurry = setInterval(() => {
    for (const pid of ready().flatMap(server => childrenOf(server.pid))) hurryUp(pid)
  }, 500)
  const ready = () => [...servers.values()].filter(server => !server.isKilled)
  const killAll = () => {
    for (const { pid } of ready()) process.kill(pid, 'SIGKILL')
  }
  process.once('exit', killAll)
  await Promise.all(['one', 'two'].map(start))

  return {
    dataDir,
    redisUrl: redis.url,
    servers: ready,
    hasRound: server => childrenOf(server.pid).length > 0,
    wasRedisAway: (from, to) => outages.some(outage => outage.from <= to && from <= outage.to + AFTERMATH_MS),
    async killServer(name, downMs) {
      const server = servers.get(name)!
      if (ready().length < 2) return false
      server.isKilled = true
      process.kill(server.pid, 'SIGKILL')
      await sleep(downMs)
      server.agent.destroy()
      await start(name)
      return true
    },
    killTrainer() {
      const [pid] = ready().flatMap(server => childrenOf(server.pid))
      if (pid === undefined) return false
      process.kill(pid, 'SIGKILL')
      return true
    },
    async restartRedis(signal, downMs) {
      const outage = { from: performance.now(), to: Number.POSITIVE_INFINITY }
      outages.push(outage)
      await redis.stop(signal)
      await sleep(downMs)
      redis = await startRedisServer(redisBinary, { port: redis.port, keepIn: redisDir })
      outage.to = performance.now()
    },
    processes: () => [
      { name: 'redis', pid: redis.pid },
      ...ready().flatMap(({ name, pid }) => [
        { name, pid },
        ...childrenOf(pid).map(child => ({ name: 'round', pid: child })),
      ]),
    ],
    complaints: () => Object.fromEntries(complaints),
    async close() {
      clearInterval(hurry)
      await Promise.all(ready().map(server => server.stop()))
      process.off('exit', killAll)
      await redis.stop('SIGTERM')
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

/** Gives a process the priority of this one. */
function hurryUp(pid: number): void {
  try {
    if (getPriority(pid) > getPriority()) setPriority(pid, getPriority())
  } catch {} // it ended, or only root may
}

/** Processes that the main thread of a process started: a server starts no others than rounds. */
function childrenOf(pid: number): number[] {
  try {
    const text = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8')
    return text.split(' ').filter(Boolean).map(Number)
  } catch {
    return [] // it ended
  }
}
