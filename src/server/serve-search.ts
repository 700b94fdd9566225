// Runs one search for a request: finds its critic and its LLM, tells its events, records and counts it. Knows neither the route
// that asked nor how the answer is sent.
import { randomInt } from 'node:crypto'
import type { Response } from 'express'
import { AppError } from '../errors.ts'
import { SearchError } from '../search/error.ts'
import { runSearch, type SearchRequest } from '../search/run.ts'
import type { SearchEvent, SearchResult } from '../search/types.ts'
import type { TrafficRecord } from '../store/types.ts'
import type { components } from './api.d.ts'
import type { Deps } from './deps.ts'
import { whileWanted } from './gone.ts'
import { type WordedEvent, wordEvent, wordResult } from './search-words.ts'
import { createSearchWorld, type SearchWorld } from './search-world.ts'
import { logged, recordOnceSent } from './traffic.ts'
import { InvalidRequest } from './validate.ts'
import { chooseCritic } from './verdict.ts'

type Schemas = components['schemas']

/** A search as a request asks for it, the contract's defaults filled in. */
export type SearchAsk = Omit<Schemas['SearchRequest'], 'stream'>

/** Hears of each event as it happens; the search goes on when it has settled. */
type Listener = (event: WordedEvent) => Promise<void>

/**
 * Runs a search while somebody waits for `res`, and returns its answer, which is recorded once it is sent.
 * @throws {AppError} INVALID_REQUEST, METHOD_UNSUPPORTED, CRITIC_*, LLM_*, UNKNOWN_*, NOT_READY
 */
export async function serveSearch(
  deps: Deps,
  res: Response,
  ask: SearchAsk,
  onEvent?: Listener,
): Promise<Schemas['SearchAnswer']> {
  const startedAt = performance.now()
  const { problem, method, params, budget, seed = randomInt(2 ** 32) } = ask
  const critic = chooseCritic(deps.critics, ask.critic)
  const { threshold } = critic
  const llm = deps.llms.resolve(ask.llm, res.req.get('x-llm-api-key') || undefined)
  const signal = whileWanted(res, deps.closing)
  const canContinue = await llm.canContinue(signal)
  const world = createSearchWorld(llm, critic)
  const deadlineMs = Math.max(1, budget.deadline_ms - Math.round(performance.now() - startedAt))
  const limits = { maxTokens: budget.max_tokens, maxCalls: budget.max_calls, deadlineMs }
  const request = { problem, method, params, budget: limits, seed, threshold, canContinue }
  const wording = () => ({ threshold, estimated: world.isEstimated() })
  let firstFailure: unknown
  const result = await runToEnd(request, world, signal, async event => {
    if (event.type === 'failure') firstFailure ??= event.error
    await onEvent?.(wordEvent(event, wording()))
  })
  const answer: Schemas['SearchAnswer'] = {
    id: deps.newId('search'),
    ...wordResult(result, wording()),
    critic: critic.version,
    method,
    seed,
    request_id: res.locals.requestId,
  }
  const at = deps.now()
  recordOnceSent(res, deps, () => recordsOf(answer, result, problem, at))
  report(deps, answer, { failed: result.failed, firstFailure, startedAt })
  return answer
}

/** @throws {AppError} INVALID_REQUEST, METHOD_UNSUPPORTED, CRITIC_FAILED, LLM_* */
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
    if (!(error instanceof SearchError)) throw error
    if (error.code === 'INVALID_REQUEST')
      throw new InvalidRequest([{ path: 'params', message: error.message }])
    throw new AppError(error.code, `${error.message}.`)
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
  { failed, firstFailure, startedAt }: { failed: number; firstFailure: unknown; startedAt: number },
): void {
  if (failed > 0)
    log.warn({ request_id: answer.request_id, failed, error: firstFailure }, 'LLM calls of a search failed')
  metrics.search({
    method: answer.method,
    finishReason: answer.finish_reason,
    seconds: (performance.now() - startedAt) / 1000,
    llm: answer.usage.llm,
    criticTokens: answer.usage.critic.tokens,
  })
}
