// What Spar counts, behind verbs: a registry of its own for each `createMetrics()`. Knows no HTTP library.
import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client'

export interface Metrics {
  /** A request came in. The function it returns ends it: `status` is the HTTP status, or `gone` when the client left. */
  requestStarted(): (end: { method: string; route: string; status: number | 'gone' }) => void
  critique(done: { critic: string; right: number; wrong: number; unscored: number; tokens: number }): void
  search(done: SearchCount): void
  /** One run of a critic: what its session read, what its prefix cache knew, and how large that is now. */
  criticRun(run: CriticRun): void
  /** A critic's worker has ended, and its cache with it. */
  criticEnded(by: ServedBy): void
  /** One call of a critic that was answered: the milliseconds of each stage. */
  criticCall(call: ServedBy & { readonly timing: Readonly<Record<CriticStage, number>> }): void
  /** The critic that serves; null for none. */
  serving(by: ServedBy | null): void
  /** A figure of training or of a candidate that is tried out; `label` names the one label it has. */
  gauge(reading: GaugeReading): void
  /** A decision about a critic. */
  decided(kind: string): void
  /** The end of a round. */
  roundEnded(decision: string): void
  /** The Prometheus text format with its content type. */
  render(): Promise<{ contentType: string; text: string }>
}

/** A gauge that is set up beforehand, its value, and its labels. */
interface GaugeReading {
  readonly name: string
  readonly value: number
  readonly labels?: Readonly<Record<string, string>>
}

/** Version and device. */
interface ServedBy {
  readonly critic: string
  readonly device: string
}

interface CriticRun extends ServedBy {
  readonly rows: number
  readonly tokens: number
  readonly cachedTokens: number
  readonly cacheBytes: number
}

const CRITIC_STAGES = ['queue', 'tokenise', 'infer', 'total'] as const
type CriticStage = (typeof CRITIC_STAGES)[number]

interface SearchCount {
  readonly method: string
  readonly finishReason: string
  readonly seconds: number
  readonly llm: { readonly calls: number; readonly prompt_tokens: number; readonly completion_tokens: number }
  readonly criticTokens: number
}

// A critique of short steps takes about 5 ms, a search up to minutes.
const SECONDS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120]
const STAGE_SECONDS = [0.0001, 0.00025, 0.0005, ...SECONDS]
const ROWS = [1, 2, 4, 8, 16, 32, 64, 128]
const TOKENS = [32, 64, 128, 256, 512, 1024, 2048, 4096]

/** Sets up every metric, `gauges` by name with their one label, those of the process (memory, CPU, event-loop lag) included. */
export function createMetrics(
  gauges: Readonly<Record<string, { readonly help: string; readonly label: string | null }>> = {},
): Metrics {
  const registry = new Registry()
  const registers = [registry]
  collectDefaultMetrics({ register: registry, eventLoopMonitoringPrecision: 10 })

  const inFlight = new Gauge({
    name: 'spar_http_requests_in_flight',
    help: 'Requests being answered now.',
    registers,
  })
  const requests = new Histogram({
    name: 'spar_http_request_duration_seconds',
    help: 'From the head of the request to the end of the answer, by route pattern and status.',
    labelNames: ['method', 'route', 'status'],
    buckets: SECONDS,
    registers,
  })
  const steps = new Counter({
    name: 'spar_critique_steps_total',
    help: 'Steps that /critique answered, by critic version and verdict.',
    labelNames: ['critic', 'verdict'],
    registers,
  })
  const criticTokens = new Counter({
    name: 'spar_critic_tokens_total',
    help: 'Tokens the critic read, by what for.',
    labelNames: ['kind'],
    registers,
  })
  const searches = new Histogram({
    name: 'spar_search_duration_seconds',
    help: 'Searches, by method and how they ended.',
    labelNames: ['method', 'finish_reason'],
    buckets: SECONDS,
    registers,
  })
  const llmCalls = new Counter({
    name: 'spar_search_llm_calls_total',
    help: 'Calls to language models, by search method.',
    labelNames: ['method'],
    registers,
  })
  const llmTokens = new Counter({
    name: 'spar_search_llm_tokens_total',
    help: 'Tokens of language models, by search method and kind (prompt or completion).',
    labelNames: ['method', 'kind'],
    registers,
  })
  const serving = new Gauge({
    name: 'spar_critic_serving',
    help: '1 for the critic version that serves, with the device it runs on.',
    labelNames: ['version', 'device'],
    registers,
  })
  const stages = new Histogram({
    name: 'spar_critic_stage_duration_seconds',
    help: 'Calls of a critic, by stage: queue (waiting), tokenise, infer, and their total.',
    labelNames: ['stage', 'critic', 'device'],
    buckets: STAGE_SECONDS,
    registers,
  })
  const runRows = new Histogram({
    name: 'spar_critic_run_rows',
    help: 'Rows in a run of the critic’s session.',
    labelNames: ['critic', 'device'],
    buckets: ROWS,
    registers,
  })
  const runTokens = new Histogram({
    name: 'spar_critic_run_tokens',
    help: 'Tokens in a run of the critic’s session, without padding.',
    labelNames: ['critic', 'device'],
    buckets: TOKENS,
    registers,
  })

  const decisions = new Counter({
    name: 'spar_decisions_total',
    help: 'Critics promoted and rolled back by this server, by hand or not.',
    labelNames: ['kind'],
    registers,
  })
  const rounds = new Counter({
    name: 'spar_rounds_total',
    help: 'Sparring rounds that ended on this server, by how.',
    labelNames: ['decision'],
    registers,
  })
  // A rise from nothing at all is none to Prometheus: the first of each kind would go unseen.
  for (const kind of ['promotion', 'rollback']) decisions.inc({ kind }, 0)
  for (const decision of ['promoted', 'rejected', 'failed']) rounds.inc({ decision }, 0)
  const more = new Map(
    Object.entries(gauges).map(([name, { help, label }]) => [
      name,
      new Gauge({ name, help, labelNames: label === null ? [] : [label], registers }),
    ]),
  )
  const prefixTokens = new Counter({
    name: 'spar_critic_prefix_tokens_total',
    help: 'Tokens of scored rows, by whether the prefix cache knew them (hit) or the session read them (miss).',
    labelNames: ['critic', 'device', 'result'],
    registers,
  })
  const cacheSize = new Gauge({
    name: 'spar_critic_prefix_cache_bytes',
    help: 'Memory that the prefix cache of a critic’s worker holds.',
    labelNames: ['critic', 'device'],
    registers,
  })

  return {
    gauge: ({ name, value, labels = {} }) => more.get(name)?.set(labels, value),
    decided: kind => decisions.inc({ kind }),
    roundEnded: decision => rounds.inc({ decision }),
    requestStarted() {
      const startedAt = performance.now()
      inFlight.inc()
      return ({ method, route, status }) => {
        inFlight.dec()
        requests.observe({ method, route, status: String(status) }, (performance.now() - startedAt) / 1000)
      }
    },
    critique(done) {
      for (const verdict of ['right', 'wrong', 'unscored'] as const)
        steps.inc({ critic: done.critic, verdict }, done[verdict])
      criticTokens.inc({ kind: 'critique' }, done.tokens)
    },
    search({ method, finishReason, seconds, llm, criticTokens: tokens }) {
      searches.observe({ method, finish_reason: finishReason }, seconds)
      llmCalls.inc({ method }, llm.calls)
      llmTokens.inc({ method, kind: 'prompt' }, llm.prompt_tokens)
      llmTokens.inc({ method, kind: 'completion' }, llm.completion_tokens)
      criticTokens.inc({ kind: 'search' }, tokens)
    },
    criticRun({ critic, device, rows, tokens, cachedTokens, cacheBytes }) {
      if (tokens > 0) {
        runRows.observe({ critic, device }, rows)
        runTokens.observe({ critic, device }, tokens)
      }
      prefixTokens.inc({ critic, device, result: 'hit' }, cachedTokens)
      prefixTokens.inc({ critic, device, result: 'miss' }, tokens)
      cacheSize.set({ critic, device }, cacheBytes)
    },
    criticEnded({ critic, device }) {
      cacheSize.remove({ critic, device })
    },
    criticCall({ critic, device, timing }) {
      for (const stage of CRITIC_STAGES) stages.observe({ stage, critic, device }, timing[stage] / 1000)
    },
    serving(by) {
      serving.reset()
      if (by !== null) serving.set({ version: by.critic, device: by.device }, 1)
    },
    async render() {
      return { contentType: registry.contentType, text: await registry.metrics() }
    },
  }
}
