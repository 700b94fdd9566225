// A process reward model served by vLLM as a critic: one `/pooling` call for a batch of solutions. Knows no HTTP server.
import type { Critic, CritiqueItem } from '../critic/types.ts'
import { AppError } from '../errors.ts'
import { createGate } from '../llm/gate.ts'
import { postJson } from '../llm/post.ts'
import { DEFAULT_RETRY, type RetryPolicy, withRetries } from '../llm/retry.ts'
import { type EndpointOptions, readTarget } from '../llm/target.ts'
import { type Calls, createRemoteCritic, type ItemJudgement, type RemoteOptions } from './judging.ts'
import { type PrmForm, prmPrompt } from './prm-prompt.ts'
import {
  type PrmValues,
  type Rows,
  readPooled,
  readTokens,
  rightProbabilities,
  rowsAtSeparators,
} from './prm-reply.ts'

export interface VllmOptions extends RemoteOptions, Omit<EndpointOptions, 'name'> {
  readonly model: string
  readonly form: PrmForm
  readonly values: PrmValues
  /** Solutions in one call. */
  readonly batch: number
  readonly retry?: Partial<RetryPolicy> | undefined
}

/**
 * Asks `{baseUrl}/pooling`; `/v1` at the end of the address is left out, as vLLM has the route at its root. A model that answers
 * a row for each token (pooling type ALL) has its separators looked up by `{baseUrl}/tokenize`.
 * @throws {AppError} INVALID_REQUEST when address or key cannot be used
 */
export function createVllmCritic(options: VllmOptions): Critic {
  const { name, model, form, values } = options
  const endpoint = { ...options, baseUrl: String(options.baseUrl).replace(/\/v1\/?$/, '') }
  const pooling = readTarget(endpoint, '/pooling')
  const tokenizing = readTarget(endpoint, '/tokenize')
  const retry = { ...DEFAULT_RETRY, ...options.retry }
  const gate = createGate(options)
  let separatorId: number | null = null

  async function post(target: typeof pooling, payload: object, { signal, run }: Calls): Promise<unknown> {
    return run(async () => {
      const call = () => postJson(target, payload, signal)
      const outcome = await gate.pass(() => withRetries(call, retry, signal, gate.takeRetry), signal)
      if (!outcome.ok) throw outcome.error
      return outcome.body
    })
  }

  async function tokensOf(prompt: string, calls: Calls): Promise<number[]> {
    return readTokens(await post(tokenizing, { model, prompt, add_special_tokens: false }, calls), name)
  }

  async function findSeparator(calls: Calls): Promise<number> {
    const [id, ...more] = await tokensOf(form.separator, calls)
    if (id === undefined || more.length > 0)
      throw new AppError('LLM_BAD_RESPONSE', `The reward model "${name}" has no token ${form.separator}.`)
    separatorId = id
    return id
  }

  async function stepRows(rows: Rows, prompt: string, steps: number, calls: Calls): Promise<Rows> {
    if (rows.length === steps) return rows
    const [separator, tokens] = await Promise.all([
      separatorId ?? findSeparator(calls),
      tokensOf(prompt, calls),
    ])
    return rowsAtSeparators(rows, { tokens, separator, steps, name })
  }

  async function ask(
    items: readonly CritiqueItem[],
    calls: Calls,
  ): Promise<PromiseSettledResult<ItemJudgement>[]> {
    const prompts = items.map(item => prmPrompt(item, form))
    const payload = { model, input: prompts, add_special_tokens: false, encoding_format: 'float' }
    const pooled = readPooled(await post(pooling, payload, calls), name, items.length)
    const chars = prompts.reduce((sum, prompt) => sum + prompt.length, 0)
    return Promise.allSettled(
      items.map(async ({ steps }, i) => {
        const rows = pooled.items[i]
        if (!rows)
          throw new AppError('LLM_BAD_RESPONSE', `The reward model "${name}" sent rows that cannot be read.`)
        const ofSteps = await stepRows(rows, prompts[i]!, steps.length, calls)
        const scores = rightProbabilities(ofSteps, values)
        // Tokens are told for the whole batch.
        const tokens = Math.round((pooled.tokens * prompts[i]!.length) / chars)
        return { steps: scores.map(score => ({ score })), tokens }
      }),
    )
  }

  /** One solution that is too long makes vLLM refuse a whole batch: each is asked alone then. */
  async function askBatch(
    items: readonly CritiqueItem[],
    calls: Calls,
  ): Promise<PromiseSettledResult<ItemJudgement>[]> {
    try {
      return await ask(items, calls)
    } catch (error) {
      const isRefusal = error instanceof AppError && error.code === 'LLM_REFUSED'
      if (!isRefusal || items.length === 1) throw error
      const alone = await Promise.allSettled(items.map(item => ask([item], calls)))
      return alone.map(one => (one.status === 'fulfilled' ? one.value[0]! : one))
    }
  }

  return createRemoteCritic(options)((items, calls) => {
    const judged: Promise<ItemJudgement>[] = items.map(async () => ({ steps: [], tokens: 0 }))
    const wanted = items.flatMap(({ steps }, i) => (steps.length > 0 ? [i] : []))
    for (let from = 0; from < wanted.length; from += options.batch) {
      const batch = wanted.slice(from, from + options.batch)
      const asked = askBatch(
        batch.map(i => items[i]!),
        calls,
      )
      for (const [at, i] of batch.entries()) judged[i] = asked.then(settled => outcomeOf(settled[at]!))
    }
    return judged
  })
}

function outcomeOf<T>(settled: PromiseSettledResult<T>): T {
  if (settled.status === 'rejected') throw settled.reason
  return settled.value
}
