// A Redis connection for the store: short patience, outages as our errors, scripts and transactions. Knows no record.
import { type ChainableCommander, Redis, ReplyError } from 'ioredis'
import { AppError } from '../errors.ts'
import type { StoreLog } from './types.ts'

export type { Redis }

// A command waits at most this long for a lost connection or a hung server.
const COMMAND_TIMEOUT_MS = 5000
const MAX_RECONNECT_DELAY_MS = 2000

/** Connects in the background and keeps reconnecting; an outage is logged once, not per attempt. */
export function connect(url: string, log: StoreLog | undefined): Redis {
  const redis = new Redis(url, {
    commandTimeout: COMMAND_TIMEOUT_MS,
    maxRetriesPerRequest: 1,
    retryStrategy: attempt => Math.min(attempt * 100, MAX_RECONNECT_DELAY_MS),
  })
  let down = false
  redis.on('ready', () => {
    down = false
  })
  // Without a listener ioredis prints every attempt itself.
  redis.on('error', (error: Error) => {
    if (!down) log?.warn({ error }, 'the connection to Redis was lost')
    down = true
  })
  return redis
}

/** Says goodbye when the server listens, hangs up when it does not. */
export async function disconnect(redis: Redis): Promise<void> {
  if (redis.status === 'ready') await redis.quit().catch(() => redis.disconnect())
  else redis.disconnect()
}

/** Awaits one reply. @throws {AppError} NOT_READY when Redis is away or cannot take commands now */
export async function reach<T>(reply: Promise<T>): Promise<T> {
  try {
    return await reply
  } catch (error) {
    if (error instanceof ReplyError && !CANNOT_NOW.test((error as Error).message)) throw error
    throw new AppError('NOT_READY', 'The store cannot be used at the moment.', {
      cause: error,
      retryAfterS: 1,
    })
  }
}

// Error replies that pass by themselves or by the operator's hand; all others are mistakes of ours.
const CANNOT_NOW =
  /^(LOADING|BUSY|OOM|READONLY|MISCONF|MASTERDOWN|CLUSTERDOWN|TRYAGAIN|NOREPLICAS|NOAUTH|WRONGPASS)/

/**
 * Runs a Lua script: atomic, and all its keys are declared. Use `{spar}:` as the prefix on a Redis Cluster, so that
 * they share a slot.
 */
export function run(
  redis: Redis,
  script: string,
  keys: readonly string[],
  args: readonly (string | number)[],
): Promise<unknown> {
  return reach(redis.eval(script, keys.length, ...keys, ...args))
}

/** Runs MULTI … EXEC and returns the replies in order. */
export async function exec(commands: ChainableCommander): Promise<unknown[]> {
  const replies = await reach(commands.exec())
  return (replies ?? []).map(([error, reply]) => {
    if (error !== null) throw error
    return reply
  })
}
