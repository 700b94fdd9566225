// Runs one search: finds its critic and its LLM, tells its events, hands over what it found and counts it. Knows neither the route
// that asked nor how the answer is sent.
import { randomInt } from 'node:crypto'
import { AppError } from '../errors.ts'
import { SearchError } from '../search/error.ts'
import { resolveParams } from '../search/params.ts'
import { runSearch, type SearchRequest } from '../search/run.ts'
import type { SearchEvent, SearchResult } from '../search/types.ts'
import type { TrafficRecord } from '../store/types.ts'
import { inSpan, type OpenSpan } from '../tracing.ts'
import type { components } from './api.d.ts'
import type { Deps } from './deps.ts'
import { type WordedEvent, wordEvent, wordResult, wordTree } from './search-words.ts'
import { createSearchWorld, type SearchWorld } from './search-world.ts'
import { logged } from './traffic.ts'
import { InvalidRequest } from './validate.ts'
import { chooseCritic } from './verdict.ts'
import { withFallback } from './with-fallback.ts'

type Schemas = components['schemas']

/** A search as a request asks for it, the contract's defaults filled in. */
export type SearchAsk = Omit<Schemas['SearchRequest'], 'stream'>

/** For whom a search runs. */
export interface Asker {
  readonly requestId: string
  /** Key for the LLM. */
  readonly apiKey: string | undefined
  /** Fingerprint of the client's key. */
  readonly client: string | undefined
  /** Aborts when the search is not wanted any more. */
  readonly signal: AbortSignal
  /** Takes what was found, with its records for the traffic log. */
  found(found: Found, makeRecords: () => TrafficRecord[]): void
}

export interface Found {
  readonly answer: Schemas['SearchAnswer']
  readonly tree: Schemas['TreeNode'][] | null
  /** Unix milliseconds. */
  readonly startedAt: number
}

/** A search that can begin. */
export interface PreparedSearch {
  readonly id: string
  /**
   * Runs it once. The listener hears of each event as it happens, and the search goes on when it has settled.
   * @throws {AppError} METHOD_UNSUPPORTED, CRITIC_*, LLM_*, NOT_READY
   */
  run(onEvent?: (event: WordedEvent) => Promise<void>): Promise<Found>
}

/**
 * Checks all of a search that can be checked without a call, and gives it its id.
 * @throws {AppError} INVALID_REQUEST, UNKNOWN_CRITIC, UNKNOWN_UPSTREAM, LLM_HOST_NOT_ALLOWED, NOT_READY
 */
export function prepareSearch(deps: Deps, ask: SearchAsk, asker: Asker): PreparedSearch {
  const { problem, method, params, budget, seed = randomInt(2 ** 32) } = ask
  const { signal, requestId } = asker
  const critic = withFallback(chooseCritic(deps.critics, ask.critic, asker.client ?? requestId))
  // What it decides by stays the same, whoever judges.
  const { threshold } = critic
  const llm = deps.llms.resolve(ask.llm, asker.apiKey)
  checkParams(method, params)
  const id = deps.newId('search')
  return {
    id,
    run: onEvent =>
      inSpan('search', { 'spar.search': id, 'spar.method': method }, span => run(span, onEvent)),
  }

  async function run(span: OpenSpan, onEvent: Parameters<PreparedSearch['run']>[0]): Promise<Found> {
    const begunAt = performance.now()
    const startedAt = deps.now()
    const canContinue = await llm.canContinue(signal)
    const world = createSearchWorld(llm, critic, deps.sameAnswer)
    const deadlineMs = Math.max(1, budget.deadline_ms - Math.round(performance.now() - begunAt))
    const limits = { maxTokens: budget.max_tokens, maxCalls: budget.max_calls, deadlineMs }
    const { canInstruct } = llm
    const request = { problem, method, params, budget: limits, seed, threshold, canContinue, canInstruct }
    const wording = () => ({ threshold: critic.threshold, estimated: world.isEstimated() })
    let firstFailure: unknown
    const result = await runToEnd(request, world, signal, async event => {
      if (event.type === 'failure') firstFailure ??= event.error
      await onEvent?.(wordEvent(event, wording()))
    })
    const answer: Schemas['SearchAnswer'] = {
      id,
      ...wordResult(result, wording()),
      critic: critic.version,
      method,
      seed,
      request_id: requestId,
    }
    const found = { answer, tree: wordTree(result), startedAt }
    const at = deps.now()
    asker.found(found, () => recordsOf(answer, result, problem, at))
    span.add({
      'spar.critic': answer.critic,
      'spar.finish_reason': answer.finish_reason,
      'spar.llm.calls': answer.usage.llm.calls,
      'spar.llm.prompt_tokens': answer.usage.llm.prompt_tokens,
      'spar.llm.completion_tokens': answer.usage.llm.completion_tokens,
      'spar.critic.tokens': answer.usage.critic.tokens,
    })
    report(deps, answer, { failed: result.failed, firstFailure, begunAt })
    return found
  }
}

/** @throws {AppError} METHOD_UNSUPPORTED, CRITIC_FAILED, LLM_* */
async function runToEnd(
  request: SearchRequest,
  world: SearchWorld,
  signal: AbortSignal,
  onEvent: (event: SearchEvent) => Promise<void>,
): Promise<SearchResult> {
  try {
    const events = runSearch(request, world, signal)
    for (;;) {
      const { done, value } = await events.next()
      if (done === true) return orTimeout(value)
      await onEvent(value)
    }
  } catch (error) {
    throw inWords(error)
  }
}

/** A search's own error as the caller may meet it; any other as it is. */
function inWords(error: unknown): unknown {
  if (!(error instanceof SearchError)) return error
  if (error.code === 'INVALID_REQUEST')
    return new InvalidRequest([{ path: 'params', message: error.message }])
  return new AppError(error.code, `${error.message}.`)
}

function checkParams(method: SearchAsk['method'], params: SearchAsk['params']): void {
  try {
    resolveParams(method, params)
  } catch (error) {
    throw inWords(error)
  }
}

// The best answer so far is an answer; nothing at all, because no reply came in time, is not.
function orTimeout(result: SearchResult): SearchResult {
  if (result.chosen === null && result.finish_reason === 'deadline')
    throw new AppError('LLM_TIMEOUT', 'The language model gave no solution within budget.deadline_ms.')
  return result
}

/** A search without a candidate teaches nothing and is not logged. */
function recordsOf(
  answer: Schemas['SearchAnswer'],
  { candidates, chosen }: SearchResult,
  problem: string,
  at: number,
): TrafficRecord[] {
  if (chosen === null) return []
  const chosenFirst = [candidates[chosen]!, ...candidates.filter((_, i) => i !== chosen)]
  return [
    {
      id: answer.id,
      kind: 'search',
      at,
      problem,
      candidates: chosenFirst.map(({ steps, scores, answer }) => logged(steps, scores, answer)),
      critic: answer.critic,
    },
  ]
}

function report(
  { log, metrics }: Pick<Deps, 'log' | 'metrics'>,
  answer: Schemas['SearchAnswer'],
  { failed, firstFailure, begunAt }: { failed: number; firstFailure: unknown; begunAt: number },
): void {
  if (failed > 0)
    log.warn({ request_id: answer.request_id, failed, error: firstFailure }, 'LLM calls of a search failed')
  metrics.search({
    method: answer.method,
    finishReason: answer.finish_reason,
    seconds: (performance.now() - begunAt) / 1000,
    llm: answer.usage.llm,
    criticTokens: answer.usage.critic.tokens,
  })
}
