// A whole small Spar behind the front door: real store, recorder and LLM client; critics that check sums. Knows no test.

import type { Critic, CritiqueItem } from '../../src/critic/types.ts'
import { AppError } from '../../src/errors.ts'
import { createOpenAiLlm } from '../../src/llm/openai.ts'
import type { Llm } from '../../src/llm/types.ts'
import { guardUrl, parseAllowedHosts } from '../../src/llm/url-guard.ts'
import { createLog } from '../../src/log.ts'
import { createMetrics } from '../../src/metrics.ts'
import { showRollout } from '../../src/rollout/show.ts'
import { openSchedule } from '../../src/schedule.ts'
import { createApp } from '../../src/server/app.ts'
import type { CriticInfo, Critics, Deps, Llms, ServerConfig } from '../../src/server/deps.ts'
import { createRecorder } from '../../src/store/recorder.ts'
import { openSqliteStore } from '../../src/store/sqlite.ts'
import type { LabelledTraffic, Store } from '../../src/store/types.ts'
import { type LlmServer, type LlmServerOptions, startLlmServer } from '../fakes/llm-server.ts'

export const ADMIN_KEY = 'correct-horse-battery-staple'

/** A test, or a test file: what it opened is closed after it. */
interface Scope {
  after(close: () => Promise<void>): void
}

export interface World {
  readonly app: ReturnType<typeof createApp>
  readonly deps: Deps
  readonly store: Store
  /** Lines of the log, newest last. */
  readonly lines: readonly string[]
  /** Every call of `judge`, as the items it was given. */
  readonly judged: readonly (readonly CritiqueItem[])[]
  /** The traffic log, newest first, once all that was handed over is written. */
  traffic(): Promise<LabelledTraffic[]>
}

export interface WorldOptions
  extends Partial<Pick<Deps, 'critics' | 'llms' | 'ready' | 'now' | 'closing' | 'sameAnswer'>> {
  readonly config?: ServerConfig
  /** Base URL of the upstream named `fake`. */
  readonly llmUrl?: string
  /** As SPAR_LLM_HOSTS. */
  readonly llmHosts?: string
}

/** Wires it all up for one test, which closes it, passed or failed. */
export function createWorld(t: Scope, options: WorldOptions = {}): World {
  const lines: string[] = []
  const judged: (readonly CritiqueItem[])[] = []
  const store = openSqliteStore(':memory:')
  const recorder = createRecorder(store)
  let ids = 0
  const deps: Deps = {
    critics: options.critics ?? createCritics(judged),
    llms: options.llms ?? createLlms(options),
    recorder,
    store,
    rollout: showRollout(store),
    schedule: openSchedule(store, options.now ?? (() => Date.UTC(2026, 10, 2, 9, 30))),
    log: createLog({ level: 'debug', stream: { write: (line: string) => void lines.push(line) } }),
    metrics: createMetrics(),
    config: options.config ?? { adminKey: ADMIN_KEY, jobPollMs: 10 },
    ready: options.ready ?? (() => ({ ready: true, critic: 'sums@2', device: 'cpu', precision: 'float32' })),
    newId: prefix => `${prefix}_${String(++ids).padStart(4, '0')}`,
    now: options.now ?? (() => Date.UTC(2026, 10, 2, 9, 30)),
    ...(options.closing && { closing: options.closing }),
    ...(options.sameAnswer && { sameAnswer: options.sameAnswer }),
  }
  t.after(async () => {
    await recorder.close()
    await store.close()
  })
  return {
    app: createApp(deps),
    deps,
    store,
    lines,
    judged,
    async traffic() {
      await recorder.flush()
      return store.readTraffic({ limit: 1000 })
    },
  }
}

/** An LLM endpoint for one test, which closes it, passed or failed. */
export async function startLlm(t: Scope, options: LlmServerOptions = {}): Promise<LlmServer> {
  const server = await startLlmServer(options)
  t.after(() => server.close())
  return server
}

/** Checks the last sum `a + b = c` (or -) of a step: 0.9 when it holds, 0.1 when not, 0.6 without one; `???` is unscored. */
export function sumsCritic(version: string, judged: (readonly CritiqueItem[])[] = []): Critic {
  return {
    version,
    threshold: 0.5,
    async judge(items, signal, onTiming) {
      signal?.throwIfAborted()
      judged.push(items)
      onTiming?.({ queue: 1, tokenise: 0.25, infer: 2.5, total: 3.75 })
      return items.map(({ problem, steps }) => ({
        steps: steps.map(scoreStep),
        tokens: problem.length + steps.join('').length,
      }))
    },
  }
}

function scoreStep(step: string) {
  if (step.includes('???')) return { score: null, evidence: [] }
  const found = [...step.matchAll(/(\d+) ([+-]) (\d+) = (\d+)/g)].at(-1)
  if (found === undefined) return { score: 0.6, evidence: [] }
  const [text, a, sign, b, c] = found
  const left = Number(a) + (sign === '+' ? Number(b) : -Number(b))
  const holds = left === Number(c)
  const evidence = [{ kind: 'equation' as const, text, holds, detail: `the left side is ${left}` }]
  return { score: holds ? 0.9 : 0.1, evidence }
}

/** Two critics, `sums@1` and its child `sums@2`, which serves; `sums@broken` cannot be loaded. */
function createCritics(judged: (readonly CritiqueItem[])[]): Critics {
  const versions = ['sums@1', 'sums@2']
  const loaded = new Map(versions.map(version => [version, sumsCritic(version, judged)]))
  let serving = 'sums@2'
  const history = ['sums@1']
  const get = (version: string) => {
    const critic = loaded.get(version)
    if (critic === undefined) throw new AppError('UNKNOWN_CRITIC', `There is no critic ${version}.`)
    return critic
  }
  const describe = (version: string, i: number): CriticInfo => ({
    version,
    serving: version === serving,
    source: i === 0 ? 'shipped' : 'trained',
    parent: i === 0 ? null : versions[i - 1]!,
    created_at: i === 0 ? null : '2026-11-01T00:00:00.000Z',
    metrics: { step_auc: 0.7 + i / 100 },
  })
  return {
    criticFor: () => ({ critic: get(serving), fallback: null }),
    get,
    named: () =>
      versions.map(name => ({
        name,
        kind: 'local' as const,
        default: name === serving,
        takes_examples: false,
      })),
    list: () => versions.map(describe),
    async promote(version) {
      if (version === 'sums@broken')
        throw new AppError('CRITIC_INVALID', 'model.onnx does not have its hash.')
      const previous = serving
      serving = get(version).version
      history.unshift(previous)
      return { serving, previous }
    },
    async rollback() {
      const parent = history.shift()
      if (parent === undefined) throw new AppError('NO_PARENT', `${serving} is the first.`)
      const previous = serving
      serving = parent
      return { serving, previous }
    },
  }
}

function createLlms({ llmUrl, llmHosts }: WorldOptions): Llms {
  const allowed = parseAllowedHosts(llmHosts)
  const retry = { maxRetries: 0 }
  return {
    names: ['fake', 'builtin'],
    resolve(spec, apiKey): Llm {
      if ('base_url' in spec) {
        const baseUrl = guardUrl(spec.base_url, allowed)
        return createOpenAiLlm({ name: spec.model, baseUrl, model: spec.model, apiKey, retry })
      }
      if (spec.upstream !== 'fake' || llmUrl === undefined)
        throw new AppError('UNKNOWN_UPSTREAM', `There is no upstream ${spec.upstream}.`)
      return createOpenAiLlm({ name: 'fake', baseUrl: llmUrl, model: 'adder', apiKey, retry })
    },
  }
}
