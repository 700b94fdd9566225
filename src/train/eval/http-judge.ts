// A critic behind `POST /critique` as a judge: batches, few requests in flight, patience with a busy service. Knows no metric.
import { setTimeout as sleep } from 'node:timers/promises'
import type { CritiqueItem } from '../../critic/types.ts'
import { parseRetryAfter } from '../../llm/retry-after.ts'
import { inParallel } from './in-parallel.ts'
import type { StepJudge, StepScores } from './judge.ts'

export interface HttpJudgeOptions {
  /** Critic to ask for, by version or name; the one that serves at the start when absent. */
  readonly version?: string
  /** Requests under way at once. */
  readonly inFlight?: number
  readonly timeoutMs?: number
  /** Solutions in one request at most, from 1 to 64; a slow critic needs few. */
  readonly batch?: number
  /** Tries of one request, the first included; only a busy or failing service (429, 502, 503, 504) is asked again. */
  readonly attempts?: number
}

/** The contract's limits: items of one request, and bytes of its body with room to spare. */
const MAX_ITEMS = 64
const MAX_BYTES = 900_000
/** A longer `Retry-After` is not waited for. */
const MAX_WAIT_MS = 60_000
const BUSY: ReadonlySet<number> = new Set([429, 502, 503, 504])
const PROBE: CritiqueItem = { problem: 'What is 1 + 1?', steps: ['1 + 1 = 2.'] }

interface Answer {
  readonly critic: string
  readonly threshold: number
  readonly scores: StepScores
}

/**
 * Asks a service for its critic's version and threshold, then stays with that version through any swap. Nothing that is sent
 * is kept by the service for training (`X-Spar-Log: off`).
 *
 * @param url where the service listens, e.g. `http://127.0.0.1:8080`
 * @throws Error that names the address when it cannot be reached, refuses, or answers with something else than the contract's
 */
export async function openHttpJudge(
  url: string,
  options: HttpJudgeOptions = {},
  signal?: AbortSignal,
): Promise<StepJudge> {
  const endpoint = endpointOf(url)
  const ask = createAsk(endpoint, options)
  const [probe] = await ask([PROBE], options.version, signal)
  const { critic, threshold } = probe!
  return {
    name: critic,
    threshold,
    isProbability: true,
    async judge(items, outer) {
      const all: StepScores[] = Array.from({ length: items.length }, () => [])
      await inParallel(
        batchesOf(items, options.batch ?? MAX_ITEMS),
        options.inFlight ?? 4,
        outer,
        async ([from, to], stop) => {
          const answers = await ask(items.slice(from, to), critic, stop, from)
          answers.forEach((answer, i) => {
            if (answer.critic !== critic)
              throw new Error(`${endpoint} answered with critic ${answer.critic} when asked for ${critic}`)
            all[from + i] = answer.scores
          })
        },
      )
      return all
    },
  }
}

function endpointOf(url: string): string {
  const parsed = URL.canParse(url) ? new URL(url) : null
  if (parsed === null || !/^https?:$/.test(parsed.protocol))
    throw new Error('--url must be an address such as http://127.0.0.1:8080')
  return `${parsed.href.replace(/[?#].*$/, '').replace(/\/+$/, '')}/critique`
}

type Ask = (
  items: readonly CritiqueItem[],
  critic: string | undefined,
  signal: AbortSignal | undefined,
  first?: number,
) => Promise<Answer[]>

/** One request of a batch, tried again while the service is busy. `first`: number of the batch's first item, for errors. */
function createAsk(endpoint: string, { timeoutMs = 120_000, attempts = 6 }: HttpJudgeOptions): Ask {
  async function send(body: string, signal: AbortSignal | undefined): Promise<[Response, string]> {
    const timeout = AbortSignal.timeout(timeoutMs)
    try {
      const response = await fetch(endpoint, {
        method: 'POST',
        headers: { 'content-type': 'application/json', 'x-spar-log': 'off' },
        body,
        signal: signal ? AbortSignal.any([signal, timeout]) : timeout,
      })
      return [response, await response.text()]
    } catch (cause) {
      signal?.throwIfAborted()
      if (timeout.aborted) throw new Error(`${endpoint} did not answer within ${timeoutMs / 1000} s`)
      const { code } = ((cause as Error).cause ?? {}) as { code?: string }
      throw new Error(`${endpoint} could not be reached${code ? ` (${code})` : ''}`, { cause })
    }
  }
  return async (items, critic, signal, first) => {
    const texts = items.map(({ problem, steps }) => ({ problem, steps }))
    const body = JSON.stringify({ items: texts, ...(critic === undefined ? {} : { critic }) })
    for (let attempt = 1; ; attempt++) {
      const [response, text] = await send(body, signal)
      if (response.ok) return readAnswers(endpoint, text, items)
      const askedS = parseRetryAfter(response.headers.get('retry-after'), Date.now())
      const waitMs = askedS === undefined ? 250 * 2 ** attempt : 1000 * askedS
      if (!BUSY.has(response.status) || attempt >= attempts || waitMs > MAX_WAIT_MS)
        throw new Error(refusal(endpoint, response.status, text, first))
      await sleep(waitMs, undefined, signal ? { signal } : {})
    }
  }
}

/** What a problem document says, with the place of the first mistake. */
function refusal(endpoint: string, status: number, text: string, first: number | undefined): string {
  type Problem = { code?: string; detail?: string; errors?: { path: string; message: string }[] }
  let problem: Problem = {}
  try {
    problem = JSON.parse(text) as Problem
  } catch {
    // not a Spar, or something in front of it: the status has to do
  }
  const [mistake] = problem.errors ?? []
  const words = [problem.code, problem.detail, mistake && `${mistake.path} ${mistake.message}`].filter(
    Boolean,
  )
  const place = first === undefined ? '' : ` for solutions from number ${first} on`
  return [`${endpoint} answered ${status}${place}`, ...words].join(': ')
}

function readAnswers(endpoint: string, text: string, items: readonly CritiqueItem[]): Answer[] {
  const wrong = (what: string) => new Error(`${endpoint} is no Spar critic: ${what}`)
  type Wire = { critic?: unknown; threshold?: unknown; steps?: { score?: unknown }[] }
  let results: Wire[] | undefined
  try {
    results = (JSON.parse(text) as { results?: Wire[] }).results
  } catch {
    throw wrong('its answer is not JSON')
  }
  if (!Array.isArray(results) || results.length !== items.length)
    throw wrong(`it was asked for ${items.length} results and did not give as many`)
  return results.map(({ critic, threshold, steps }, i) => {
    if (typeof critic !== 'string' || typeof threshold !== 'number')
      throw wrong('critic or threshold is missing')
    if (!Array.isArray(steps) || steps.length !== items[i]!.steps.length)
      throw wrong('a result has not one entry per step')
    const scores = steps.map(({ score }) => {
      if (score === null) return null
      if (typeof score === 'number' && score >= 0 && score <= 1) return score
      throw wrong('a score is neither null nor from 0 to 1')
    })
    return { critic, threshold, scores }
  })
}

/** Ranges [from, to) of at most `most` items and 0.9 MB. */
function batchesOf(items: readonly CritiqueItem[], most: number): [number, number][] {
  const batches: [number, number][] = []
  let from = 0
  let bytes = 0
  items.forEach((item, i) => {
    const size = Buffer.byteLength(JSON.stringify(item))
    if (i > from && (i - from === most || bytes + size > MAX_BYTES)) {
      batches.push([from, i])
      from = i
      bytes = 0
    }
    bytes += size
  })
  if (from < items.length) batches.push([from, items.length])
  return batches
}
