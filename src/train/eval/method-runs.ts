// One search method on every problem, each search as a request for it would run. Knows no figure and no method by its rules.
import { AppError } from '../../errors.ts'
import { METHOD_PARAMS, type MethodName, PARAMS } from '../../search/params.ts'
import { seedFor } from '../../search/rng.ts'
import { runSearch, type SearchRequest } from '../../search/run.ts'
import type { SearchResult, World } from '../../search/types.ts'
import { inParallel } from './in-parallel.ts'
import type { Widths } from './method-widths.ts'
import { isRight, type PosedProblem } from './posed.ts'

/** What all methods are measured in. */
export interface Arena extends Pick<SearchRequest, 'threshold' | 'canContinue' | 'canInstruct'> {
  readonly problems: readonly PosedProblem[]
  /** A world for one search; its clock is the wall time of the figures. */
  readonly createWorld: () => World
}

/** How searches run, whatever the method. */
export interface RunOptions {
  /** Completion tokens that one solution may have, of which a step gets its own default at most. */
  readonly maxTokens: number
  readonly seed: number
  /** Searches at the same time; more than one makes the wall time of each longer. */
  readonly parallel: number
  readonly signal: AbortSignal
}

/** A method with its width and limit; budget null: the one sample. */
export interface Entrant {
  readonly method: MethodName
  readonly budget: number | null
  readonly maxTokens: number | null
  readonly widths: Widths
}

/** What became of one search: it ended, with an answer or without, or an error of the LLM ended it. */
export type Run =
  | { readonly kind: 'ended'; readonly result: SearchResult; readonly right: boolean; readonly ms: number }
  | { readonly kind: 'failed'; readonly error: AppError }

/**
 * Runs a method on every problem; results in the order of the problems. Problem p has the same seed whatever the method.
 * @throws {SearchError} METHOD_UNSUPPORTED, INVALID_REQUEST, CRITIC_FAILED; the critic's error; the signal's reason on abort
 */
export async function runAll(
  arena: Arena,
  { method, maxTokens, widths }: Entrant,
  options: RunOptions,
): Promise<Run[]> {
  const taken: readonly string[] = METHOD_PARAMS[method]
  const caps = {
    max_tokens: options.maxTokens,
    step_max_tokens: Math.min(options.maxTokens, PARAMS.step_max_tokens.default),
  }
  const params = {
    ...widths,
    ...Object.fromEntries(Object.entries(caps).filter(([name]) => taken.includes(name))),
  }
  const { threshold, canContinue, canInstruct } = arena
  const runs: Run[] = []
  await inParallel(
    [...arena.problems.entries()],
    options.parallel,
    options.signal,
    async ([p, posed], signal) => {
      const request: SearchRequest = {
        problem: posed.problem,
        method,
        params,
        budget: { maxTokens: maxTokens ?? undefined },
        seed: seedFor(options.seed, [p]),
        threshold,
        canContinue,
        canInstruct,
      }
      runs[p] = await runOne(request, arena.createWorld(), posed, signal)
    },
  )
  return runs
}

async function runOne(
  request: SearchRequest,
  world: World,
  posed: PosedProblem,
  signal: AbortSignal,
): Promise<Run> {
  const begun = world.now()
  const search = runSearch(request, world, signal)
  try {
    for (;;) {
      const next = await search.next()
      if (next.done !== true) continue
      const result = next.value
      return { kind: 'ended', result, right: isRight(posed, result.answer), ms: world.now() - begun }
    }
  } catch (error) {
    signal.throwIfAborted()
    if (!(error instanceof AppError && error.code.startsWith('LLM_'))) throw error
    return { kind: 'failed', error }
  }
}
