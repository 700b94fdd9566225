// POST /search: wires an LLM and a critic into one search and words its result. Knows no method.
import { randomInt } from 'node:crypto'
import { AppError } from '../../errors.ts'
import { SearchError } from '../../search/error.ts'
import { runSearch, type SearchRequest } from '../../search/run.ts'
import type { Candidate, SearchEvent, SearchResult } from '../../search/types.ts'
import type { TrafficRecord } from '../../store/types.ts'
import type { components } from '../api.d.ts'
import type { Deps } from '../deps.ts'
import { whileWanted } from '../gone.ts'
import type { Operation } from '../operations.ts'
import { createSearchWorld, type SearchWorld } from '../search-world.ts'
import { logged, recordOnceSent } from '../traffic.ts'
import { InvalidRequest } from '../validate.ts'
import { chooseCritic, verdictOf } from '../verdict.ts'

type Schemas = components['schemas']

export const search =
  (deps: Deps): Operation<'search'> =>
  async (req, res) => {
    const startedAt = performance.now()
    const { body } = req
    const seed = body.seed ?? randomInt(2 ** 32)
    const critic = chooseCritic(deps.critics, body.critic)
    const llm = deps.llms.resolve(body.llm, req.get('x-llm-api-key') || undefined)
    const signal = whileWanted(res, deps.closing)
    const canContinue = await llm.canContinue(signal)
    const world = createSearchWorld(llm, critic)
    const leftMs = Math.max(1, body.budget.deadline_ms - Math.round(performance.now() - startedAt))
    const request: SearchRequest = {
      problem: body.problem,
      method: body.method,
      params: body.params,
      budget: { maxTokens: body.budget.max_tokens, maxCalls: body.budget.max_calls, deadlineMs: leftMs },
      seed,
      threshold: critic.threshold,
      canContinue,
    }
    const { result, firstFailure } = await runToEnd(request, world, signal)
    const answer: Schemas['SearchAnswer'] = {
      id: deps.newId('search'),
      ...wordResult(result, critic.threshold),
      usage: {
        llm: { ...result.usage.llm, ...(world.isEstimated() && { estimated: true }) },
        critic: { ...result.usage.critic },
      },
      critic: critic.version,
      method: body.method,
      seed,
      request_id: res.locals.requestId,
    }
    const at = deps.now()
    recordOnceSent(res, deps, () => recordsOf(answer, result, body.problem, at))
    report(deps, answer, { failed: result.failed, firstFailure, startedAt })
    res.json(answer)
  }

interface Ran {
  readonly result: SearchResult
  /** Of the LLM's errors that the search got over. */
  readonly firstFailure: unknown
}

/** @throws {AppError} INVALID_REQUEST, METHOD_UNSUPPORTED, CRITIC_FAILED, LLM_* */
async function runToEnd(request: SearchRequest, world: SearchWorld, signal: AbortSignal): Promise<Ran> {
  let firstFailure: unknown
  try {
    const events: AsyncGenerator<SearchEvent, SearchResult> = runSearch(request, world, signal)
    for (;;) {
      const { done, value } = await events.next()
      if (done === true) return { result: orTimeout(value), firstFailure }
      if (value.type === 'failure') firstFailure ??= value.error
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

function wordResult(result: SearchResult, threshold: number) {
  const { answer, solution, score, chosen } = result
  const candidates = result.candidates.map(candidate => wordCandidate(candidate, threshold))
  const steps = chosen === null ? [] : candidates[chosen]!.steps
  // The deadline is a budget of time: on the wire both are one.
  const finish_reason = result.finish_reason === 'complete' ? ('complete' as const) : ('budget' as const)
  return { answer, solution, steps, score, candidates, chosen, finish_reason }
}

function wordCandidate(candidate: Candidate, threshold: number): Schemas['Candidate'] {
  const { answer, solution, steps, scores, score, aggregates, ended, votes } = candidate
  return {
    answer,
    solution,
    steps: steps.map((text, index) => {
      const stepScore = scores[index] ?? null
      return { index, text, score: stepScore, verdict: verdictOf(stepScore, threshold) }
    }),
    score,
    aggregate: aggregates,
    ended,
    ...(votes !== undefined && { votes }),
  }
}
