// Everything the environment can say, read once at start.
import { readFileSync } from 'node:fs'
import { cpus } from 'node:os'
import { resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { DEVICES, type Device } from './critic/device.ts'
import { PRECISIONS, type PrecisionChoice } from './critic/precision.ts'
import { type Env, numberFrom, oneOf, wholeNumber } from './env.ts'
import { type AddressRanges, parseAddressRanges } from './llm/address-guard.ts'
import type { GgufOptions } from './llm/gguf-model.ts'
import { BUILTIN_UPSTREAM, GGUF_UPSTREAM, parseUpstreams, type UpstreamConfig } from './llm/upstreams.ts'
import { type AllowedHosts, parseAllowedHosts } from './llm/url-guard.ts'
import type { LogLevel } from './log.ts'
import { FieldError } from './remote/fields.ts'
import { type CriticSpec, LOCAL, parseCriticSpecs } from './remote/specs.ts'
import type { RolloutPlan } from './rollout/run.ts'
import { parseRedaction, type Redact } from './store/redact.ts'
import type { SparringSettings } from './train/round/messages.ts'
import { WEIGHED_SOURCES } from './train/round/source-weights.ts'

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
  /** Further critics by name. */
  readonly critics: ReadonlyMap<string, CriticSpec>
  /** Name of the critic for requests that name none; null for the local one that serves. */
  readonly firstCritic: string | null
  readonly allowedHosts: AllowedHosts
  readonly privateRanges: AddressRanges
  readonly upstreams: ReadonlyMap<string, UpstreamConfig>
  /** Null without a GGUF file. */
  readonly gguf: Omit<GgufOptions, 'threads' | 'gpu'> | null
  /** Name of the upstream that the chat model `spar` stands for. */
  readonly chatUpstream: string
  readonly traffic: TrafficConfig
  readonly rollout: RolloutPlan
  readonly sparring: SparringSettings
  /** Whether spans are sent; where to, the SDK reads itself. */
  readonly sendsSpans: boolean
  readonly logLevel: LogLevel
  readonly redisUrl: string | undefined
}

/** What of the traffic is kept, for how long, and how much of it one client may be. */
interface TrafficConfig {
  readonly onlyWhenAsked: boolean
  /** Fingerprints. */
  readonly optedOut: readonly string[]
  readonly redact: Redact
  readonly retention: { readonly ageMs: number; readonly records: number }
  readonly clientShare: number
}

const DAY_MS = 86_400_000
const FINGERPRINT = /^[0-9a-f]{16}$/

/** WebGPU is not among them: it also runs on drivers that compute on the CPU, more slowly than the CPU itself, and does not tell. */
const AUTO: readonly Device[] = ['cuda', 'cpu']

const SHIPPED = fileURLToPath(new URL('../models', import.meta.url))

function readDevices(env: Env, name: string): readonly Device[] {
  const value = env[name] || 'auto'
  if (value === 'auto') return AUTO
  return value.split(',').map(word => {
    const device = DEVICES.find(known => known === word.trim())
    if (device === undefined)
      throw new Error(`${name} must be auto, or one or more of ${DEVICES.join(', ')}, comma-separated`)
    return device
  })
}

function readCritics(env: Env): Map<string, CriticSpec> {
  const path = env['SPAR_CRITICS']
  if (!path) return new Map()
  try {
    return parseCriticSpecs(readFileSync(path, 'utf8'), env)
  } catch (error) {
    const why = error instanceof FieldError ? error.message : 'it cannot be read.'
    throw new Error(`SPAR_CRITICS: ${why}`)
  }
}

function readGguf(env: Env): Config['gguf'] {
  const contextTokens = wholeNumber(env, 'SPAR_GGUF_CONTEXT', 4096, 256, 1_048_576)
  const parallel = wholeNumber(env, 'SPAR_GGUF_PARALLEL', 8, 1, 64)
  const path = env['SPAR_GGUF']
  if (!path) return null
  return { path: resolve(path), library: env['SPAR_GGUF_LIBRARY'] || undefined, contextTokens, parallel }
}

function readTrafficConfig(env: Env): TrafficConfig {
  const optedOut = (env['SPAR_OPTED_OUT'] ?? '').split(',').flatMap(item => item.trim() || [])
  if (!optedOut.every(item => FINGERPRINT.test(item)))
    throw new Error('SPAR_OPTED_OUT must hold the first 16 hex digits of the SHA-256 of each key')
  return {
    onlyWhenAsked: oneOf(env, 'SPAR_CONSENT', ['implied', 'asked'], 'implied') === 'asked',
    optedOut,
    redact: readRedaction(env['SPAR_REDACT'] ?? 'email,secret'),
    retention: {
      ageMs: DAY_MS * numberFrom(env, 'SPAR_RETENTION_DAYS', 90, 0.001, 36_500),
      records: wholeNumber(env, 'SPAR_RETENTION_RECORDS', 500_000, 0, 2 ** 31 - 1),
    },
    clientShare: numberFrom(env, 'SPAR_CLIENT_SHARE', 0.25, 0.01, 1),
  }
}

function readRolloutPlan(env: Env): RolloutPlan {
  const minutes = (name: string, fallback: number) =>
    numberFrom(env, `SPAR_${name}_MINUTES`, fallback, 0, 100_000)
  const share = (name: string, fallback: number) => numberFrom(env, `SPAR_${name}_SHARE`, fallback, 0, 1)
  return {
    shadow: { minutes: minutes('SHADOW', 1), share: share('SHADOW', 0.2) },
    canary: { minutes: minutes('CANARY', 1), share: share('CANARY', 0.1) },
    watch: { minutes: minutes('WATCH', 60) },
  }
}

function readRedaction(text: string): Redact {
  try {
    return parseRedaction(text)
  } catch (error) {
    throw new Error(`SPAR_REDACT: ${(error as Error).message}`)
  }
}

/** An upstream that a variable names, under `key`; nothing where it is not set. */
function namedUpstream<K extends string>(
  env: Env,
  name: string,
  key: K,
  upstreams: ReadonlyMap<string, UpstreamConfig>,
): { [key in K]?: UpstreamConfig } {
  if (!env[name]) return {}
  const upstream = upstreams.get(env[name].toLowerCase())
  if (upstream === undefined) throw new Error(`${name} must be the name of an upstream (SPAR_LLM_<NAME>_URL)`)
  return { [key]: upstream } as { [key in K]?: UpstreamConfig }
}

/** Another critic that teaches: one endpoint, since an ensemble may have this service's own critic in it. */
function teacherCritic(
  env: Env,
  critics: ReadonlyMap<string, CriticSpec>,
  upstreams: ReadonlyMap<string, UpstreamConfig>,
): Pick<SparringSettings, 'teacherCritic'> {
  const name = env['SPAR_TEACHER_CRITIC']
  if (!name) return {}
  if (env['SPAR_TEACHER_LLM']) throw new Error('SPAR_TEACHER_LLM and SPAR_TEACHER_CRITIC: set one of them')
  const spec = critics.get(name)
  if (spec === undefined || spec.kind === 'ensemble')
    throw new Error(
      'SPAR_TEACHER_CRITIC must be the name of a critic in SPAR_CRITICS, of kind vllm or generative',
    )
  const upstream = spec.kind === 'generative' ? upstreams.get(spec.upstream) : undefined
  return { teacherCritic: { name, spec, ...(upstream && { upstream }) } }
}

function weightsOf(env: Env, name: string): Pick<SparringSettings, 'sourceWeights'> {
  if (!env[name]) return {}
  const weights = env[name].split(',').map(part => {
    const [source, value] = part.split('=').map(word => word.trim())
    const known = WEIGHED_SOURCES.find(one => one === source)
    const weight = Number(value || 'none')
    if (known === undefined || !(weight >= 0 && weight <= 1))
      throw new Error(`${name} takes ${WEIGHED_SOURCES.join(', ')}, each with a weight from 0 to 1`)
    return [known, weight] as const
  })
  return { sourceWeights: Object.fromEntries(weights) }
}

/** Reads the environment. @throws Error naming the variable that is wrong, never its value. */
export function readConfig(env: Env): Config {
  const upstreams = parseUpstreams(env)
  const critics = readCritics(env)
  const firstCritic = oneOf(env, 'SPAR_CRITIC', [LOCAL, ...critics.keys()], LOCAL)
  const gguf = readGguf(env)
  const local = gguf === null ? [BUILTIN_UPSTREAM] : [GGUF_UPSTREAM, BUILTIN_UPSTREAM]
  const names = [...[...upstreams.keys()].sort(), ...local]
  return {
    port: wholeNumber(env, 'PORT', 8080, 0, 65_535),
    host: env['HOST'] || '127.0.0.1',
    dataDir: resolve(env['SPAR_DATA'] || './data'),
    modelsDir: resolve(env['SPAR_MODELS'] || SHIPPED),
    adminKey: env['SPAR_ADMIN_KEY'] || undefined,
    devices: readDevices(env, 'SPAR_DEVICE'),
    threads: wholeNumber(env, 'SPAR_THREADS', Math.max(1, cpus().length - 1), 1, 256),
    precision: oneOf(env, 'SPAR_PRECISION', PRECISIONS, 'float32'),
    prefixCacheMb: wholeNumber(env, 'SPAR_PREFIX_CACHE_MB', 64, 0, 1_000_000),
    critics,
    firstCritic: firstCritic === LOCAL ? null : firstCritic,
    allowedHosts: parseAllowedHosts(env['SPAR_LLM_HOSTS']),
    privateRanges: parseAddressRanges(env['SPAR_LLM_PRIVATE']),
    upstreams,
    gguf,
    chatUpstream: oneOf(env, 'SPAR_CHAT_UPSTREAM', names, names[0]!),
    traffic: readTrafficConfig(env),
    rollout: readRolloutPlan(env),
    sparring: {
      ...namedUpstream(env, 'SPAR_SNEAKY_LLM', 'sneakyLlm', upstreams),
      ...namedUpstream(env, 'SPAR_TEACHER_LLM', 'teacherLlm', upstreams),
      ...teacherCritic(env, critics, upstreams),
      ...weightsOf(env, 'SPAR_SOURCE_WEIGHTS'),
    },
    sendsSpans: !!env['OTEL_EXPORTER_OTLP_ENDPOINT'],
    logLevel: oneOf<LogLevel>(env, 'SPAR_LOG_LEVEL', ['debug', 'info', 'warn', 'error', 'silent'], 'info'),
    redisUrl: env['REDIS_URL'] || undefined,
  }
}
