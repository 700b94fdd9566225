// Everything the environment can say, read once at start. The README's table lists the same names; a test keeps both equal.
import { cpus } from 'node:os'
import { resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { PRECISIONS, type PrecisionChoice } from './critic/precision.ts'
import type { Device } from './critic/scorer.ts'
import { BUILTIN_UPSTREAM, parseUpstreams, type UpstreamConfig } from './llm/upstreams.ts'
import { type AllowedHosts, parseAllowedHosts } from './llm/url-guard.ts'
import type { LogLevel } from './log.ts'

/** Name -> what it is for. `<NAME>` stands for the upper-case name of an upstream. */
export const VARIABLES = {
  PORT: 'Port to listen on; 8080.',
  HOST: 'Address to listen on; 127.0.0.1. Use 0.0.0.0 to be reached from other machines.',
  SPAR_DATA: 'Folder of the database and of trained critics; ./data.',
  SPAR_MODELS: 'Folder of shipped critics and bases, only read; `models` of this installation.',
  SPAR_ADMIN_KEY: 'Key of the admin routes, sent as `Authorization: Bearer …`. Without one they answer 403.',
  SPAR_DEVICE: 'Where the critic runs: auto, cpu, webgpu or cuda; auto tries cuda, then cpu.',
  SPAR_THREADS: 'Threads of the critic’s worker; one less than there are cores.',
  SPAR_PRECISION:
    'Matrices of the critic: float32, int8 (where the critic has them and runs on a CPU), or auto (int8 where the CPU has VNNI or is an ARM); float32.',
  SPAR_PREFIX_CACHE_MB:
    'Memory for what the critic computed of problems and steps that may come again, as in a search, for each worker, in MiB; 64, 0 turns it off.',
  SPAR_LLM_HOSTS: 'Hosts that a request’s `llm.base_url` may name, comma-separated; none.',
  'SPAR_LLM_<NAME>_URL': 'Base URL of the named upstream, e.g. http://127.0.0.1:11434/v1.',
  'SPAR_LLM_<NAME>_MODEL': 'Model to ask there.',
  'SPAR_LLM_<NAME>_KEY': 'Its API key, if it needs one.',
  'SPAR_LLM_<NAME>_CONTINUATION':
    'How it continues a partial answer: auto, continue_final_message, assistant_prefill or prompted; auto.',
  SPAR_CHAT_UPSTREAM:
    'Upstream that the chat model `spar` stands for; the first named one by the alphabet, else builtin.',
  SPAR_LOG_LEVEL: 'debug, info, warn, error or silent; info.',
  REDIS_URL:
    'Redis for traffic, feedback, jobs and the serving pointer, shared by several machines; without it a SQLite file in SPAR_DATA.',
} as const

export interface Config {
  readonly port: number
  readonly host: string
  readonly dataDir: string
  /** Holds `critic/<version>` and `base/<version>`. */
  readonly modelsDir: string
  readonly adminKey: string | undefined
  /** Tried in order. */
  readonly devices: readonly Device[]
  readonly threads: number
  readonly precision: PrecisionChoice
  /** Of each critic's worker, in MiB; 0 = none. */
  readonly prefixCacheMb: number
  readonly allowedHosts: AllowedHosts
  readonly upstreams: ReadonlyMap<string, UpstreamConfig>
  /** Name of the upstream that the chat model `spar` stands for. */
  readonly chatUpstream: string
  readonly logLevel: LogLevel
  readonly redisUrl: string | undefined
}

const DEVICES: Readonly<Record<string, readonly Device[]>> = {
  auto: ['cuda', 'cpu'],
  cpu: ['cpu'],
  webgpu: ['webgpu'],
  cuda: ['cuda'],
}

const SHIPPED = fileURLToPath(new URL('../models', import.meta.url))

type Env = Readonly<Record<string, string | undefined>>

function oneOf<T extends string>(env: Env, name: string, choices: readonly T[], fallback: T): T {
  const value = env[name] || fallback
  if (!choices.includes(value as T)) throw new Error(`${name} must be one of ${choices.join(', ')}`)
  return value as T
}

function wholeNumber(env: Env, name: string, fallback: number, low: number, high: number): number {
  const value = env[name] ? Number(env[name]) : fallback
  if (!Number.isInteger(value) || value < low || value > high)
    throw new Error(`${name} must be a whole number from ${low} to ${high}`)
  return value
}

/** Reads the environment. @throws Error naming the variable that is wrong, never its value. */
export function readConfig(env: Env): Config {
  const upstreams = parseUpstreams(env)
  const names = [...[...upstreams.keys()].sort(), BUILTIN_UPSTREAM]
  return {
    port: wholeNumber(env, 'PORT', 8080, 0, 65_535),
    host: env['HOST'] || '127.0.0.1',
    dataDir: resolve(env['SPAR_DATA'] || './data'),
    modelsDir: resolve(env['SPAR_MODELS'] || SHIPPED),
    adminKey: env['SPAR_ADMIN_KEY'] || undefined,
    devices: DEVICES[oneOf(env, 'SPAR_DEVICE', Object.keys(DEVICES), 'auto')]!,
    threads: wholeNumber(env, 'SPAR_THREADS', Math.max(1, cpus().length - 1), 1, 256),
    precision: oneOf(env, 'SPAR_PRECISION', PRECISIONS, 'float32'),
    prefixCacheMb: wholeNumber(env, 'SPAR_PREFIX_CACHE_MB', 64, 0, 1_000_000),
    allowedHosts: parseAllowedHosts(env['SPAR_LLM_HOSTS']),
    upstreams,
    chatUpstream: oneOf(env, 'SPAR_CHAT_UPSTREAM', names, names[0]!),
    logLevel: oneOf<LogLevel>(env, 'SPAR_LOG_LEVEL', ['debug', 'info', 'warn', 'error', 'silent'], 'info'),
    redisUrl: env['REDIS_URL'] || undefined,
  }
}
