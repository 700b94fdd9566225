// What the server needs of the rest, as interfaces: main wires the real things, tests wire small ones. Knows no HTTP.
import type { SameAnswer } from '../answer/equivalence.ts'
import type { Critic } from '../critic/types.ts'
import type { Llm } from '../llm/types.ts'
import type { Log } from '../log.ts'
import type { Metrics } from '../metrics.ts'
import type { Recorder } from '../store/recorder.ts'
import type { Store } from '../store/types.ts'

export interface Deps {
  readonly critics: Critics
  readonly llms: Llms
  readonly recorder: Pick<Recorder, 'record' | 'flush'>
  /** Whether two answers are equal as mathematics; by their canonical forms alone when left out. */
  readonly sameAnswer?: SameAnswer
  readonly store: Pick<
    Store,
    'addFeedback' | 'createJob' | 'getJob' | 'listJobs' | 'readDecisions' | 'updateJob'
  >
  readonly rollout: RolloutDesk
  readonly schedule: ScheduleDesk
  readonly log: Log
  readonly metrics: Metrics
  readonly config: ServerConfig
  /** Whether critiques can be answered now. */
  ready(): Readiness
  /** A new unguessable id, e.g. `req_0f3c9a51d27e4b68`. */
  newId(prefix: 'req' | 'search' | 'job'): string
  /** Unix milliseconds. */
  now(): number
  /** Aborts when the service shuts down: searches and event streams end, so that the port can close. */
  readonly closing?: AbortSignal
}

/** When rounds start by themselves. */
interface ScheduleDesk {
  /** Null for never. */
  show(): Promise<ScheduleSet | null>
  /** @throws {AppError} INVALID_REQUEST for a pattern that is none */
  set(wish: Omit<ScheduleSet, 'last_count' | 'last_at'>): Promise<ScheduleSet>
  clear(): Promise<unknown>
}

export interface ScheduleSet {
  readonly after_items: number | null
  readonly cron: string | null
  readonly minutes: number
  readonly paused: boolean
  readonly last_count: number
  /** Unix milliseconds. */
  readonly last_at: number
}

/** What is tried out now. */
interface RolloutDesk {
  /** Null for nothing. */
  show(): Promise<RolloutShown | null>
  /** Asks for the next stage, or the end, of what is tried out; false when nothing is. */
  wish(wish: 'skip' | 'abort'): Promise<boolean>
}

interface RolloutShown {
  readonly id: string
  readonly candidate: string
  readonly parent: string
  readonly stage: 'shadow' | 'canary' | 'watch'
  /** Unix milliseconds. */
  readonly since: number
  readonly until: number
  readonly share: number
  readonly figures: object
}

export interface ServerConfig {
  /** Without one, admin routes answer ADMIN_DISABLED. */
  readonly adminKey?: string
  /** Largest body in bytes; 1 MB (2^20) when left out. */
  readonly bodyLimitBytes?: number
  /** How often a followed job is looked up; 250 when left out. */
  readonly jobPollMs?: number
  /** Time between two signs of life on an idle event stream; 15,000 when left out. */
  readonly heartbeatMs?: number
  /** How long the reader of an event stream may read nothing; 30,000 when left out. */
  readonly stallMs?: number
  /** Those left out: 100 running, 1000 ended, an hour, 64 MB. */
  readonly searches?: Partial<SearchLimits>
  /** Left out: all is kept but what says `X-Spar-Log: off`. */
  readonly privacy?: Privacy
}

/** What of the traffic may be kept. */
export interface Privacy {
  /** Only requests that say `X-Spar-Log: on` are kept. */
  readonly onlyWhenAsked?: boolean
  /** Fingerprints of keys whose requests are never kept, see client.ts. */
  readonly optedOut?: readonly string[]
}

/** How many searches are remembered, and how long. */
export interface SearchLimits {
  /** Searches that run without their client, or under a claim, at the same time. */
  readonly running: number
  /** Searches that have ended. */
  readonly ended: number
  /** From the end of a search. */
  readonly ageMs: number
  /** Of what was found, as JSON. */
  readonly bytes: number
}

type Readiness =
  | { readonly ready: true; readonly critic: string; readonly device: string; readonly precision: string }
  | { readonly ready: false; readonly reason: string }

/** Who answers, and who does in its place when it fails; null for nobody. */
export interface Routed {
  readonly critic: Critic
  readonly fallback: Critic | null
}

/** The critics there are, one of which serves. */
export interface Critics {
  /** The one for requests that name none: the default, or else the local one that serves or is tried out. @throws {AppError} NOT_READY */
  criticFor(client: string): Routed
  /** A critic by version or name. @throws {AppError} UNKNOWN_CRITIC, NOT_READY */
  get(name: string): Critic
  /** Every critic that a request can name. @throws {AppError} NOT_READY */
  named(): NamedCritic[]
  /** The local versions. */
  list(): CriticInfo[]
  /** The request's id goes into the decision record. @throws {AppError} UNKNOWN_CRITIC, CRITIC_INVALID, NOT_READY */
  promote(version: string, requestId: string): Promise<Switched>
  /** @throws {AppError} NO_PARENT, UNKNOWN_CRITIC, CRITIC_INVALID, NOT_READY */
  rollback(requestId: string): Promise<Switched>
}

export interface NamedCritic {
  readonly name: string
  readonly kind: 'local' | 'vllm' | 'generative' | 'ensemble'
  readonly default: boolean
  readonly takes_examples: boolean
}

export interface CriticInfo {
  readonly version: string
  readonly serving: boolean
  readonly source: 'shipped' | 'trained'
  readonly parent: string | null
  /** RFC 3339, null when unknown. */
  readonly created_at: string | null
  readonly metrics: Readonly<Record<string, unknown>>
}

/** Which version serves and which served before. */
interface Switched {
  readonly serving: string
  readonly previous: string | null
}

type LlmSpec = ({ readonly upstream: string } | { readonly base_url: string; readonly model: string }) & {
  /** Whether its calls are streamed; as the upstream is configured when left out. */
  readonly stream?: boolean | undefined
}

export interface Llms {
  /** Of the upstreams there are; the first is meant where none is named. */
  readonly names: readonly string[]
  /**
   * The language model a request names. `apiKey` is for this request only.
   * @throws {AppError} UNKNOWN_UPSTREAM, LLM_HOST_NOT_ALLOWED
   */
  resolve(spec: LlmSpec, apiKey?: string): Llm
}
