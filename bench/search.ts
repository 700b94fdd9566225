// A search's own cost: wall time of every method over its critical path in upstream calls, and what many searches at once do to
// the event loop. The upstream is an HTTP server in another process; the critic is a constant, so that no model's time is in the
// figures. The critical path is the longest chain of calls that did not overlap, and it has to be as long as the method says.
// `npm run -s bench -- search [--repeats 5] [--searches 100]`
import { fork } from 'node:child_process'
import { join } from 'node:path'
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import type { Critic } from '../src/critic/types.ts'
import { type Exchange, exchange } from '../src/llm/exchange.ts'
import { createOpenAiLlm } from '../src/llm/openai.ts'
import type { Llm, StreamWish } from '../src/llm/types.ts'
import type { MethodName } from '../src/search/params.ts'
import { runSearch } from '../src/search/run.ts'
import type { SearchResult } from '../src/search/types.ts'
import { createSearchWorld } from '../src/server/search-world.ts'
import { longestChain, type Span } from './lib/critical-path.ts'
import { overFetch } from './lib/fetch-exchange.ts'

const LATENCY_MS = 50
/** Searches of each method before any is timed: a service that has just started compiles as it goes, and so does its upstream. */
const WARM_UPS = 2
const PROBLEM = 'Add 12, 7, 30 and 5.'
/** Steps of the upstream's solution: a start, three sums, an answer. */
const STEPS = 5

/** Says the same of every step. */
const critic: Critic = {
  version: 'constant',
  threshold: 0.5,
  judge: async items =>
    items.map(({ steps }) => ({ steps: steps.map(() => ({ score: 0.5, evidence: [] })), tokens: 0 })),
}

interface Case {
  readonly method: MethodName
  readonly params: Readonly<Record<string, unknown>>
  /** Above the critic's score where the method is about steps that are refused. */
  readonly threshold?: number
  /**
   * Calls that must wait for each other by the definition of the method; null where it depends on the samples. A search that
   * makes a call wait without need has a longer chain and is no measure of itself.
   */
  readonly depth: (result: SearchResult) => number | null
}

/** No wave has more calls than a search has slots. Step-wise methods: one wave a step, with lookahead one more behind all but the last. */
const CASES: Readonly<Record<MethodName | 'beam_lookahead', Case>> = {
  best_of_n: { method: 'best_of_n', params: { n: 8 }, depth: () => 1 },
  weighted_best_of_n: { method: 'weighted_best_of_n', params: { n: 8 }, depth: () => 1 },
  self_consistency: { method: 'self_consistency', params: { n: 8 }, depth: () => 1 },
  beam: { method: 'beam', params: { n: 8, width: 4 }, depth: () => STEPS },
  beam_lookahead: {
    method: 'beam',
    params: { n: 8, width: 4, lookahead: 1 },
    depth: () => STEPS + STEPS - 1,
  },
  dvts: { method: 'dvts', params: { n: 8, width: 4 }, depth: () => STEPS },
  particle: { method: 'particle', params: { n: 8 }, depth: () => STEPS },
  guard: {
    method: 'guard',
    params: { runs: 4, regenerations: 2 },
    threshold: 0.9,
    depth: () => 3 * STEPS,
  },
  revise: { method: 'revise', params: { runs: 4, regenerations: 2 }, threshold: 0.9, depth: () => 3 },
  // One simulation at a time expands one node at a time.
  mcts: {
    method: 'mcts',
    params: { simulations: 4, width: 4, parallel: 1 },
    depth: ({ tree = [] }) => tree.filter(({ state }) => state === 'expanded').length,
  },
  // Both orders of each pair that disagrees, all at once: up to twelve.
  pairwise: {
    method: 'pairwise',
    params: { n: 4, concurrency: 12 },
    depth: ({ candidates }) => (new Set(candidates.map(({ answer }) => answer)).size > 1 ? 2 : 1),
  },
  // How many rounds there are depends on how many plans differ.
  plan: { method: 'plan', params: { n: 8, plans: 3 }, depth: () => null },
  auto: { method: 'auto', params: { n: 8 }, depth: () => null },
}

async function startUpstream() {
  const child = fork(join(import.meta.dirname, 'lib/llm-process.ts'), [String(LATENCY_MS)])
  const baseUrl = await new Promise<string>((resolve, reject) => {
    child.once('message', url => resolve(String(url)))
    child.once('exit', code => reject(new Error(`the upstream ended with ${code}`)))
  })
  return { baseUrl, stop: () => child.kill() }
}

async function search(llm: Llm, { method, params, threshold = 0.5 }: Case, seed: number) {
  const request = { problem: PROBLEM, method, params, seed, threshold, canContinue: true, canInstruct: true }
  const events = runSearch(request, createSearchWorld(llm, critic), new AbortController().signal)
  for (;;) {
    const next = await events.next()
    if (next.done !== true) continue
    if (next.value.failed > 0) throw new Error(`${next.value.failed} calls of ${method} failed`)
    return next.value
  }
}

/** An LLM at the upstream whose calls are kept in `calls`. The mode is given: a probe would be one more call, once in the life of an upstream. */
function createRecordedLlm(baseUrl: string, calls: Span[], by: Exchange, stream: StreamWish = 'off'): Llm {
  return createOpenAiLlm({
    stream,
    name: 'fixed latency',
    model: 'fake',
    baseUrl,
    continuation: 'continue_final_message',
    async exchange(url, message, signal) {
      const start = performance.now()
      const answer = await by(url, message, signal)
      calls.push({ start, end: performance.now() })
      return answer
    },
  })
}

/** One search alone: its wall time over the time its critical path takes upstream. */
async function timeSearch(llm: Llm, calls: Span[], [name, tested]: [string, Case], seed: number) {
  calls.length = 0
  const start = performance.now()
  const result = await search(llm, tested, seed)
  const ms = performance.now() - start
  const chain = longestChain(calls)
  const depth = tested.depth(result) ?? chain
  if (chain !== depth) throw new Error(`${name}: ${chain} calls one after the other where ${depth} must be`)
  return { ratio: ms / (chain * LATENCY_MS), chain, calls: calls.length }
}

/**
 * Searches of all methods at once, begun as requests come in: each in a turn of its own. The longest delay of the event loop, and
 * the processor time of this process, which a busy machine blurs less than any wall time.
 */
async function runMany(llm: Llm, calls: Span[], count: number) {
  calls.length = 0
  const before = process.cpuUsage()
  const cases = Object.values(CASES)
  const delay = monitorEventLoopDelay({ resolution: 1 })
  delay.enable()
  const running: Promise<SearchResult>[] = []
  for (let i = 0; i < count; i++) {
    running.push(search(llm, cases[i % cases.length]!, i))
    await nextTurn()
  }
  await Promise.all(running)
  delay.disable()
  const { user, system } = process.cpuUsage(before)
  return {
    stall_ms: Number((delay.max / 1e6).toFixed(1)),
    cpu_ms_per_call: Number(((user + system) / 1000 / calls.length).toFixed(3)),
  }
}

/** The most processor time that this thread spent in one turn of the event loop, with `count` searches at once: no other process is in it. */
async function longestTurn(llm: Llm, calls: Span[], count: number): Promise<number> {
  let longest = 0
  let last = process.threadCpuUsage()
  let isOver = false
  const look = () => {
    const now = process.threadCpuUsage()
    longest = Math.max(longest, now.user - last.user + now.system - last.system)
    last = now
    if (!isOver) setImmediate(look)
  }
  look()
  await runMany(llm, calls, count)
  isOver = true
  return Number((longest / 1000).toFixed(1))
}

/**
 * Figures of one upstream whose every answer takes 50 ms. Ratios are medians and hold all that is not those 50 ms: the search, the
 * client, HTTP over loopback, the timer of the upstream. `stall_ms` is the longest time between two turns, its timer's 1 ms included;
 * `cpu_ms_per_call` is the processor time of a call upstream with all that the search does around it; `turn_cpu_ms` the most that one
 * turn of the event loop took of it. `over_fetch`: the same searches
 * with fetch for the client. `streamed`: with every call streamed, some ten chunks each.
 */
export async function run(args: readonly string[]) {
  const { values } = parseArgs({
    args: [...args],
    options: { repeats: { type: 'string', default: '5' }, searches: { type: 'string', default: '100' } },
  })
  const [repeats, searches] = [Number(values.repeats), Number(values.searches)]
  if (!(repeats >= 1 && searches >= 1)) throw new Error('--repeats and --searches must be at least 1')
  const { baseUrl, stop } = await startUpstream()
  try {
    const calls: Span[] = []
    const llm = createRecordedLlm(baseUrl, calls, exchange)
    const overFetched = createRecordedLlm(baseUrl, calls, overFetch)
    const streamed = createRecordedLlm(baseUrl, calls, exchange, 'on')
    for (let i = 0; i < WARM_UPS; i++)
      for (const tested of Object.values(CASES))
        for (const any of [llm, overFetched, streamed]) await search(any, tested, i)
    const ratios: Record<string, number> = {}
    const paths: Record<string, { critical_path: number; calls: number }> = {}
    for (const named of Object.entries(CASES)) {
      const [name] = named
      await timeSearch(llm, calls, named, 0) // opens connections, where those of the method before were closed
      const timed = []
      for (let seed = 1; seed <= repeats; seed++) timed.push(await timeSearch(llm, calls, named, seed))
      const median = timed.toSorted((a, b) => a.ratio - b.ratio)[timed.length >> 1]!
      ratios[name] = Number(median.ratio.toFixed(3))
      paths[name] = { critical_path: median.chain, calls: median.calls }
      process.stderr.write(`${name}: ${ratios[name]} of ${median.chain} calls in a row\n`)
    }
    return {
      bench: 'search',
      ratios,
      worst_ratio: Math.max(...Object.values(ratios)),
      ...(await runMany(llm, calls, searches)),
      turn_cpu_ms: await longestTurn(llm, calls, searches),
      over_fetch: await runMany(overFetched, calls, searches),
      streamed: await runMany(streamed, calls, searches),
      searches,
      paths,
      latency_ms: LATENCY_MS,
      critic: 'constant',
      repeats,
      node: process.version,
    }
  } finally {
    stop()
  }
}
