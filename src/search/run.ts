// The one entry to a search: checks the request, runs its method, ends everything it started. Knows no method by name.
import type { BudgetLimits } from './budget.ts'
import { Calls } from './calls.ts'
import { SearchError } from './error.ts'
import { METHODS } from './methods.ts'
import { type MethodName, resolveParams } from './params.ts'
import type { SearchEvent, SearchResult, Selection, Usage, World } from './types.ts'

export interface SearchRequest {
  readonly problem: string
  readonly method: MethodName
  /** By name as in PARAMS; what is left out takes its default. */
  readonly params?: Readonly<Record<string, unknown>> | undefined
  readonly budget?: BudgetLimits | undefined
  /** Any safe integer ≥ 0. Same seed, same world: same result. */
  readonly seed: number
  /** τ in [0, 1]: the critic's threshold for a right step. */
  readonly threshold: number
  /** True when the LLM can go on from given steps. */
  readonly canContinue: boolean
  /** True when the LLM can be told in words what to do, as a chat model can. Default: false. */
  readonly canInstruct?: boolean | undefined
}

/** Greatest delay of a timer in JavaScript; a longer one would fire at once. About 24 days. */
const MOST_DEADLINE_MS = 0x7fffffff

function checkRequest({ method, budget, seed, threshold }: SearchRequest): void {
  const invalid = (message: string) => new SearchError('INVALID_REQUEST', message)
  if (!Object.hasOwn(METHODS, method)) throw invalid(`there is no method ${JSON.stringify(method)}`)
  if (!Number.isSafeInteger(seed) || seed < 0) throw invalid('seed must be a whole number from 0 to 2^53 - 1')
  if (!(threshold >= 0 && threshold <= 1)) throw invalid('threshold must be a number from 0 to 1')
  for (const name of ['maxTokens', 'maxCalls', 'deadlineMs'] as const) {
    const limit = budget?.[name]
    if (limit === undefined) continue
    if (!Number.isSafeInteger(limit) || limit < 1)
      throw invalid(`${name} must be a whole number of at least 1`)
  }
  if ((budget?.deadlineMs ?? 0) > MOST_DEADLINE_MS)
    throw invalid(`deadlineMs must be at most ${MOST_DEADLINE_MS}`)
}

const isSameUsage = ({ llm, critic }: Usage, other: Usage): boolean =>
  llm.calls === other.llm.calls &&
  llm.prompt_tokens === other.llm.prompt_tokens &&
  llm.completion_tokens === other.llm.completion_tokens &&
  critic.tokens === other.critic.tokens

/** Yields `failure` and `usage` when they have changed since they were last asked for. */
function createNews(calls: Calls): () => Generator<SearchEvent> {
  let failures = 0
  let seen = calls.usage()
  return function* news() {
    const { failed, error } = calls.failure()
    if (failed > failures) yield { type: 'failure', failed, error }
    failures = failed
    const usage = calls.usage()
    if (!isSameUsage(usage, seen)) yield { type: 'usage', usage }
    seen = usage
  }
}

function toResult(
  { candidates, chosen, tree }: Selection,
  calls: Calls,
  minConfidence: number,
): SearchResult {
  const winner = chosen === null ? null : candidates[chosen]!
  const { failed, error } = calls.failure()
  if (winner === null && failed > 0) throw error
  // Nothing vouches for an unscored solution: it passes only where no confidence is asked for.
  const isSure = (winner?.score ?? 0) >= minConfidence
  return {
    answer: isSure ? (winner?.answer ?? null) : null,
    solution: winner?.solution ?? null,
    steps: winner?.steps ?? [],
    score: winner?.score ?? null,
    candidates,
    chosen,
    finish_reason: calls.finishReason,
    usage: calls.usage(),
    failed,
    ...(tree === undefined ? {} : { tree }),
  }
}

/**
 * Runs one search. Yields events as they happen and returns the result. Ending the generator early (`return()`, or leaving a
 * `for await`) ends the search; to end it while it waits for a call, abort `signal`. Either way, and on every error, all
 * calls in flight are aborted and have settled before the generator is done.
 *
 * @throws {SearchError} INVALID_REQUEST, METHOD_UNSUPPORTED, CRITIC_FAILED
 * @throws the signal's reason on abort, the critic's error, or the first LLM error when no call gave a candidate
 */
export async function* runSearch(
  request: SearchRequest,
  world: World,
  signal: AbortSignal,
): AsyncGenerator<SearchEvent, SearchResult> {
  checkRequest(request)
  const { problem, method, seed, threshold, canContinue, canInstruct = false, budget = {} } = request
  const params = resolveParams(method, request.params ?? {})
  signal.throwIfAborted()
  const calls = new Calls({ world, problem, seed, budget, concurrency: params.concurrency, signal })
  const context = { problem, params, seed, threshold, canContinue, canInstruct, calls, world }
  const events = METHODS[method](context)
  try {
    const news = createNews(calls)
    for (;;) {
      const next = await events.next()
      yield* news()
      if (next.done === true) return toResult(next.value, calls, params.min_confidence)
      yield next.value
    }
  } finally {
    // Aborts first: the method may be waiting for a call that only an abort ends.
    await calls.close()
    await events.return({ candidates: [], chosen: null })
  }
}
