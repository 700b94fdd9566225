// The calls of one search: slots, budget, deadline and abort in one place. Knows no method. Every LLM and critic call of a
// search goes through here, and none outlives `close()`.
import { type BudgetLimits, createLedger, type Ledger } from './budget.ts'
import { SearchError } from './error.ts'
import { seedFor } from './rng.ts'
import type { FinishReason, LlmUsage, Proposal, ProposeRequest, Usage, World } from './types.ts'

/** `stopped`: budget or deadline is over. `failed`: the LLM threw; the error is kept in `failure()`. */
export type Outcome =
  | { readonly kind: 'proposal'; readonly proposal: Proposal }
  | { readonly kind: 'stopped' }
  | { readonly kind: 'failed' }

export type Ask = Omit<ProposeRequest, 'problem' | 'seed'>

export interface CallsOptions {
  readonly world: Pick<World, 'propose' | 'judge' | 'now' | 'timeout'>
  readonly problem: string
  readonly seed: number
  readonly budget: BudgetLimits
  /** LLM calls at the same time, at least 1. */
  readonly concurrency: number
  readonly signal: AbortSignal
}

interface Waiting {
  readonly place: readonly number[]
  readonly ask: Ask
  readonly resolve: (outcome: Outcome) => void
  readonly reject: (reason: unknown) => void
}

/** Why a timer ended that nobody waits for; without one, abort makes an error at each search. */
const OVER = 'over'

const unscored = (paths: readonly (readonly string[])[]) => paths.map(path => path.map(() => null))

/** A count an LLM reported, or `fallback` where it is not one. */
const countOr = (count: number, fallback: number) => (Number.isFinite(count) && count >= 0 ? count : fallback)

/** What a call has cost that failed: as its error tells, else nothing but the call. */
function spentBy(error: unknown): LlmUsage {
  const told: unknown = error instanceof Error && 'usage' in error ? error.usage : null
  const { prompt_tokens, completion_tokens } = Object(told) as { [of in keyof LlmUsage]?: unknown }
  const count = (tokens: unknown) => (typeof tokens === 'number' ? countOr(tokens, 0) : 0)
  return { calls: 1, prompt_tokens: count(prompt_tokens), completion_tokens: count(completion_tokens) }
}

/** One search's way to its LLM and critic. */
export class Calls {
  readonly #options: CallsOptions
  readonly #ledger: Ledger
  readonly #startedAt: number
  readonly #inner = new AbortController()
  readonly #timer = new AbortController()
  readonly #queue: Waiting[] = []
  readonly #inFlight = new Set<Promise<unknown>>()
  readonly #onAbort: () => void
  readonly #llm: LlmUsage = { calls: 0, prompt_tokens: 0, completion_tokens: 0 }
  #criticTokens = 0
  #active = 0
  #started = 0
  /** Why no further call may start. */
  #halt: 'budget' | 'deadline' | 'closed' | null = null
  /** Changes only when the halt has cost something: a deadline that comes after the last call does not count. */
  #finish: FinishReason = 'complete'
  #failed = 0
  #firstError: { readonly started: number; readonly error: unknown } | null = null

  constructor(options: CallsOptions) {
    this.#options = options
    this.#ledger = createLedger(options.budget)
    this.#startedAt = options.world.now()
    this.#onAbort = () => {
      this.#inner.abort(options.signal.reason)
      for (const waiting of this.#queue.splice(0)) waiting.reject(options.signal.reason)
    }
    options.signal.addEventListener('abort', this.#onAbort)
    if (options.budget.deadlineMs !== undefined) {
      options.world.timeout(options.budget.deadlineMs, this.#timer.signal).then(
        () => this.#reachDeadline(),
        // Rejects when `close` ends the timer.
        () => {},
      )
    }
  }

  /**
   * One LLM call. Calls start in the order they are asked for, as slots and budget allow.
   *
   * @param place logical indices of this call, unique within the search; they make its seed
   * @throws the signal's reason when the caller aborts
   */
  async propose(place: readonly number[], ask: Ask): Promise<Outcome> {
    this.#options.signal.throwIfAborted()
    return new Promise((resolve, reject) => {
      this.#queue.push({ place, ask, resolve, reject })
      this.#pump()
    })
  }

  /**
   * One critic call. After the deadline every step is unscored.
   *
   * @param paths steps of each path
   * @returns scores in [0, 1] or null, shaped like `paths`
   * @throws the signal's reason, the critic's own error, or {SearchError} CRITIC_FAILED for scores of the wrong shape
   */
  async judge(paths: readonly (readonly string[])[]): Promise<(number | null)[][]> {
    const { world, problem, signal } = this.#options
    signal.throwIfAborted()
    const asked = paths.filter(path => path.length > 0)
    if (asked.length === 0) return paths.map(() => [])
    this.#checkClock()
    if (this.#isCut()) return this.#unjudged(paths)
    const call = world.judge(problem, asked, this.#inner.signal)
    const reply = await this.#track(call).catch((error: unknown) => {
      signal.throwIfAborted()
      if (this.#isCut()) return null
      throw error
    })
    signal.throwIfAborted()
    if (reply === null) return this.#unjudged(paths)
    this.#criticTokens += countOr(reply.tokens, 0)
    const fits = (path: readonly string[], i: number) => reply.scores[i]?.length === path.length
    if (reply.scores.length !== asked.length || !asked.every(fits)) {
      throw new SearchError('CRITIC_FAILED', 'the critic returned scores that do not match the steps')
    }
    let next = 0
    return paths.map(path =>
      path.length === 0
        ? []
        : reply.scores[next++]!.map(score => (score !== null && score >= 0 && score <= 1 ? score : null)),
    )
  }

  /** True once no further LLM call will start. */
  get stopped(): boolean {
    this.#checkClock()
    return this.#halt !== null
  }

  get finishReason(): FinishReason {
    return this.#finish
  }

  /** What was used so far, calls that failed included. */
  usage(): Usage {
    return { llm: { ...this.#llm }, critic: { tokens: this.#criticTokens } }
  }

  /** How many LLM calls failed, and the error of the one that had started first. */
  failure(): { readonly failed: number; readonly error: unknown } {
    return { failed: this.#failed, error: this.#firstError?.error }
  }

  /** Aborts what is in flight and waits until it has ended. May be called twice. */
  async close(): Promise<void> {
    this.#halt = 'closed'
    this.#options.signal.removeEventListener('abort', this.#onAbort)
    this.#timer.abort(OVER)
    this.#inner.abort(new Error('the search is over'))
    this.#pump()
    await Promise.allSettled(this.#inFlight)
  }

  #pump(): void {
    this.#checkClock()
    while (this.#queue.length > 0 && this.#halt === null && this.#active < this.#options.concurrency) {
      const grant = this.#ledger.reserve(this.#queue[0]!.ask.maxTokens, this.#active)
      if (grant.kind === 'wait') return
      if (grant.kind === 'spent') this.#halt = 'budget'
      else this.#track(this.#run(this.#queue.shift()!, grant.tokens))
    }
    if (this.#halt !== null) {
      for (const waiting of this.#queue.splice(0)) waiting.resolve(this.#stoppedOutcome())
    }
  }

  /** Never rejects: how the call went is told to whoever waits for it. */
  async #run({ place, ask, resolve, reject }: Waiting, granted: number): Promise<void> {
    const { world, problem, seed, signal } = this.#options
    const started = this.#started++
    this.#active += 1
    let outcome: Outcome
    try {
      const request = { ...ask, problem, maxTokens: granted, seed: seedFor(seed, place) }
      const proposal = await world.propose(request, this.#inner.signal)
      this.#settle(granted, proposal.usage)
      const cutByBudget = granted < ask.maxTokens && proposal.usage.completion_tokens >= granted
      if (cutByBudget && !proposal.ended) this.#finish = 'budget'
      outcome = { kind: 'proposal', proposal }
    } catch (error) {
      this.#settle(granted, spentBy(error))
      outcome = this.#isCut() || signal.aborted ? this.#stoppedOutcome() : this.#fail(started, error)
    }
    this.#active -= 1
    this.#pump()
    if (signal.aborted) reject(signal.reason)
    else resolve(outcome)
  }

  #settle(granted: number, usage: LlmUsage): void {
    const calls = Math.max(1, countOr(usage.calls, 1))
    // A reply without usable counts is charged all it had reserved: a budget must hold without the LLM's help.
    const tokens = countOr(usage.completion_tokens, granted)
    this.#llm.calls += calls
    this.#llm.prompt_tokens += countOr(usage.prompt_tokens, 0)
    this.#llm.completion_tokens += tokens
    this.#ledger.settle(granted, { calls, tokens })
  }

  #fail(started: number, error: unknown): Outcome {
    this.#failed += 1
    if (this.#firstError === null || started < this.#firstError.started) this.#firstError = { started, error }
    return { kind: 'failed' }
  }

  /** True when calls in flight were aborted by the search itself. */
  #isCut(): boolean {
    return this.#halt === 'deadline' || this.#halt === 'closed'
  }

  #stoppedOutcome(): Outcome {
    if (this.#halt === 'budget' || this.#halt === 'deadline') this.#finish = this.#halt
    return { kind: 'stopped' }
  }

  #unjudged(paths: readonly (readonly string[])[]): null[][] {
    if (this.#halt === 'deadline') this.#finish = 'deadline'
    return unscored(paths)
  }

  /** Timers can be late on a busy event loop; the clock is not. */
  #checkClock(): void {
    const { budget, world } = this.#options
    if (budget.deadlineMs === undefined || this.#isCut()) return
    if (world.now() - this.#startedAt >= budget.deadlineMs) this.#reachDeadline()
  }

  #reachDeadline(): void {
    if (this.#isCut()) return
    this.#halt = 'deadline'
    this.#inner.abort(new Error('the deadline of the search is over'))
    this.#pump()
  }

  #track<T>(call: Promise<T>): Promise<T> {
    this.#inFlight.add(call)
    const forget = () => this.#inFlight.delete(call)
    call.then(forget, forget)
    return call
  }
}
