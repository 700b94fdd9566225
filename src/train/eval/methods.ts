// Every search method on the same problems, with the same critic and LLM, at equal token budgets. Knows no method by its rules,
// no LLM and no clock of its own. Prints nothing.
import type { AppError } from '../../errors.ts'
import { SearchError } from '../../search/error.ts'
import type { MethodName } from '../../search/params.ts'
import { createRng } from '../rng.ts'
import { type Arena, type Entrant, type Run, type RunOptions, runAll } from './method-runs.ts'
import { type Widths, widthsFor } from './method-widths.ts'
import { mean } from './metrics.ts'
import { drawResamples, type Estimate, percentOf } from './resample.ts'

export interface MethodsOptions extends RunOptions {
  /** Budgets in samples, whole numbers from 1 on. */
  readonly budgets: readonly number[]
  readonly methods: readonly MethodName[]
  readonly onRow?: (row: MethodRow) => void
}

/** One method at one budget. Means are over the problems whose search did not fail. */
export interface MethodRow {
  readonly method: MethodName
  /** The budget in samples; null for the one sample, which has none. */
  readonly budget: number | null
  /** The same as a limit on completion tokens. */
  readonly max_tokens: number | null
  readonly params: Widths
  /** Problems solved, in percent; a search that failed or gave no answer has not. */
  readonly solved: Estimate
  /** The difference to the one sample on the same problems, in points of percent. */
  readonly over_one_sample: Estimate | null
  /** The difference to self_consistency at the same budget; null where that is not measured, and for itself. */
  readonly over_majority: Estimate | null
  readonly tokens: number
  readonly calls: number
  readonly critic_tokens: number
  readonly seconds: number
  /** Searches that the budget ended before the method had done all it meant to, in percent. */
  readonly cut: number
  /** Searches that ended without an answer, in percent. */
  readonly unanswered: number
  /** Searches that ended with an error of the LLM, in percent. */
  readonly failed: number
}

export interface MethodFigures {
  readonly problems: number
  readonly one_sample: MethodRow
  /** By budget, the majority vote first, then in the order asked for. */
  readonly rows: readonly MethodRow[]
  /** Methods that this LLM cannot run, and why. */
  readonly left_out: readonly { readonly method: MethodName; readonly reason: string }[]
}

const isMajority = (method: MethodName): boolean => method === 'self_consistency'

/**
 * Measures one sample, then each method at each budget. Problem p has the same seed in every row, so that rows are compared
 * problem by problem, and methods that sample alike take the same samples.
 * @throws AppError the LLM's error when no single sample came; SearchError for parameters out of range
 */
export async function evalMethods(arena: Arena, options: MethodsOptions): Promise<MethodFigures> {
  const { problems } = arena
  const { budgets, methods, seed, onRow } = options
  const draws = drawResamples(problems.length, createRng(seed).fork('methods').fork('bootstrap'))
  const shares = (runs: readonly Run[]) => runs.map(run => (run.kind === 'ended' && run.right ? 1 : 0))

  async function measure(
    entrant: Entrant,
    single: readonly number[] | null,
    majority: readonly number[] | null,
  ) {
    const runs = await runAll(arena, entrant, options)
    const own = shares(runs)
    const over = (other: readonly number[] | null) =>
      other &&
      percentOf(
        own.map((share, p) => share - other[p]!),
        draws,
      )
    const row: MethodRow = {
      method: entrant.method,
      budget: entrant.budget,
      max_tokens: entrant.maxTokens,
      params: entrant.widths,
      solved: percentOf(own, draws),
      over_one_sample: over(single),
      over_majority: over(majority),
      ...usageOf(runs),
    }
    onRow?.(row)
    return { row, own, runs }
  }

  const first = await measure(
    { method: 'best_of_n', budget: null, maxTokens: null, widths: { n: 1 } },
    null,
    null,
  )
  if (first.row.failed === 100) throw errorOf(first.runs)
  const leftOut = new Map<MethodName, string>()
  const rows: MethodRow[] = []
  const order = [...methods.filter(isMajority), ...methods.filter(method => !isMajority(method))]
  for (const budget of budgets) {
    const maxTokens = Math.ceil(budget * first.row.tokens)
    let majority: readonly number[] | null = null
    for (const method of order) {
      if (leftOut.has(method)) continue
      try {
        const entrant = { method, budget, maxTokens, widths: widthsFor(method, budget) }
        const { row, own } = await measure(entrant, first.own, majority)
        if (isMajority(method)) majority = own
        rows.push(row)
      } catch (error) {
        if (!(error instanceof SearchError) || error.code !== 'METHOD_UNSUPPORTED') throw error
        leftOut.set(method, error.message)
      }
    }
  }
  return {
    problems: problems.length,
    one_sample: first.row,
    rows,
    left_out: [...leftOut].map(([method, reason]) => ({ method, reason })),
  }
}

function errorOf(runs: readonly Run[]): AppError | undefined {
  return runs.flatMap(run => (run.kind === 'failed' ? [run.error] : []))[0]
}

type UsageFigures = Pick<
  MethodRow,
  'tokens' | 'calls' | 'critic_tokens' | 'seconds' | 'cut' | 'unanswered' | 'failed'
>

function usageOf(runs: readonly Run[]): UsageFigures {
  const ended = runs.filter(run => run.kind === 'ended')
  const meanOf = (of: (run: (typeof ended)[number]) => number) => mean(ended.map(of))
  const percent = (is: (run: Run) => boolean) => (100 * runs.filter(is).length) / runs.length
  return {
    tokens: meanOf(({ result }) => result.usage.llm.completion_tokens),
    calls: meanOf(({ result }) => result.usage.llm.calls),
    critic_tokens: meanOf(({ result }) => result.usage.critic.tokens),
    seconds: meanOf(({ ms }) => ms / 1000),
    cut: percent(run => run.kind === 'ended' && run.result.finish_reason !== 'complete'),
    unanswered: percent(run => run.kind === 'ended' && run.result.answer === null),
    failed: percent(run => run.kind === 'failed'),
  }
}
