// What critics whose model runs elsewhere have in common: admission, a deadline, and failures that become steps without a
// score. Knows no endpoint and no prompt.
import { createReader } from '../answer/reader.ts'
import type { Evidence } from '../answer/types.ts'
import { createPermits } from '../critic/permits.ts'
import type { Critic, Critique, CritiqueItem, StepScore, Timing } from '../critic/types.ts'
import { AppError, type ErrorCode } from '../errors.ts'
import { createSlots } from './slots.ts'

/** A step as its critic sees it; the exact checker's evidence is added here. */
export type Judgement = Omit<StepScore, 'evidence'>

export interface ItemJudgement {
  /** One for each step. */
  readonly steps: readonly Judgement[]
  readonly tokens: number
}

/** The calls to an endpoint that one call of `judge` makes. */
export interface Calls {
  /** Aborts when the client leaves, and at the deadline. */
  readonly signal: AbortSignal
  /** Runs a call when the endpoint has room; refuses at once when the endpoint did nothing but fail so far. */
  run<T>(call: () => Promise<T>): Promise<T>
}

/** A promise for each item, in order. One that rejects leaves its item's steps unscored. */
export type JudgeItems = (items: readonly CritiqueItem[], calls: Calls) => readonly Promise<ItemJudgement>[]

export interface RemoteOptions {
  readonly name: string
  /** τ in [0, 1]. */
  readonly threshold: number
  /** For one call of `judge`; what has no score by then stays without. */
  readonly deadlineMs: number
  /** Calls to the endpoint at once, over all requests. */
  readonly concurrency: number
  /** Told once for each call of `judge` that could not score everything. */
  readonly onFailed?: ((failure: { critic: string; unscored: number; error: unknown }) => void) | undefined
  /** Told the time of each call of `judge`, for metrics. */
  readonly onAnswer?: ((answer: { critic: string; timing: Timing }) => void) | undefined
}

/** What may wait for the endpoint, over all requests. */
const LIMITS = { maxItems: 512, maxChars: 2 ** 20 }
/** So many failures in a row, and no answer yet: an endpoint that is down is not asked a thousand times more. */
const GIVE_UP_AFTER = 4
const DOWN: ReadonlySet<ErrorCode> = new Set([
  'LLM_UNREACHABLE',
  'LLM_TIMEOUT',
  'LLM_ERROR',
  'LLM_RATE_LIMITED',
])

/** A critic whose `judge` rejects only when the client leaves or too much is waiting (OVERLOADED). */
export function createRemoteCritic(options: RemoteOptions): (judgeItems: JudgeItems) => Critic {
  const permits = createPermits(LIMITS)
  const slots = createSlots(options.concurrency)
  return judgeItems => ({
    version: options.name,
    threshold: options.threshold,
    async judge(items, signal, onTiming) {
      signal?.throwIfAborted()
      const giveBack = permits.take(items)
      const startedAt = performance.now()
      const stop = new AbortController()
      const leave = () => stop.abort(signal!.reason)
      const overdue = setTimeout(() => stop.abort(tooLate(options)), options.deadlineMs)
      signal?.addEventListener('abort', leave, { once: true })
      try {
        const { calls, firstAt } = createCalls(slots, stop.signal)
        const settled = await Promise.allSettled(judgeItems(items, calls))
        signal?.throwIfAborted()
        const results = settled.map((one, i) => toCritique(items[i]!, one))
        const total = performance.now() - startedAt
        const queue = Math.max(0, (firstAt() ?? startedAt) - startedAt)
        const timing = { queue, tokenise: 0, infer: total - queue, total }
        report(options, results, settled, timing)
        onTiming?.(timing)
        return results
      } finally {
        clearTimeout(overdue)
        signal?.removeEventListener('abort', leave)
        stop.abort(new AppError('CRITIC_FAILED', 'Nobody waits for this any more.'))
        giveBack()
      }
    },
  })
}

function createCalls(slots: ReturnType<typeof createSlots>, signal: AbortSignal) {
  let first: number | null = null
  let answers = 0
  let failures = 0
  let down: unknown = null
  const calls: Calls = {
    signal,
    run: call =>
      slots.use(async () => {
        if (down !== null) throw down
        first ??= performance.now()
        try {
          const answer = await call()
          answers++
          return answer
        } catch (error) {
          if (isDown(error) && ++failures >= GIVE_UP_AFTER && answers === 0) down = error
          throw error
        }
      }, signal),
  }
  return { calls, firstAt: () => first }
}

/** True when the next call would fail too; one that is refused or cannot be read says nothing about the next. */
const isDown = (error: unknown): boolean => error instanceof AppError && DOWN.has(error.code)

const tooLate = ({ name, deadlineMs }: RemoteOptions): AppError =>
  new AppError('LLM_TIMEOUT', `The critic "${name}" did not answer within ${deadlineMs / 1000} s.`)

/** An error as a step may carry it: its code, and its message where that is ours. */
export function wordReason(error: unknown): string {
  return error instanceof AppError ? `${error.code}: ${error.message}` : 'INTERNAL: The critic failed.'
}

function toCritique(item: CritiqueItem, settled: PromiseSettledResult<ItemJudgement>): Critique {
  const evidence = findEvidence(item)
  const { steps: judged, tokens } = settled.status === 'fulfilled' ? settled.value : { steps: [], tokens: 0 }
  const reason = settled.status === 'fulfilled' ? undefined : wordReason(settled.reason)
  const steps = item.steps.map((_, i): StepScore => {
    const { score, ...words } = judged[i] ?? { score: null, ...(reason !== undefined && { reason }) }
    return { score, evidence: evidence[i]!, ...words }
  })
  return { steps, tokens }
}

/** What the exact checker finds in each step. */
export function findEvidence({ problem, steps }: CritiqueItem): Evidence[][] {
  const reader = createReader(problem)
  return steps.map(step => [...reader.read(step).evidence])
}

function report(
  { name, onFailed, onAnswer }: RemoteOptions,
  results: readonly Critique[],
  settled: readonly PromiseSettledResult<ItemJudgement>[],
  timing: Timing,
): void {
  onAnswer?.({ critic: name, timing })
  const unscored = results.reduce((sum, { steps }) => sum + steps.filter(s => s.score === null).length, 0)
  if (unscored === 0) return
  const rejected = settled.find(one => one.status === 'rejected')
  onFailed?.({ critic: name, unscored, error: rejected?.reason })
}
