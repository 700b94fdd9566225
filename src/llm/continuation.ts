// Finds out once how an endpoint continues a partial answer, and remembers it. Knows no HTTP and no prompt text.
import { AppError } from '../errors.ts'
import { addUsage } from './completion.ts'
import type { Manners } from './manners.ts'
import { type Echo, statesAnswer } from './reply-text.ts'
import { spentBefore, unspent } from './spent.ts'
import type { ContinuationMode, LlmReply, LlmRequest, LlmUsage } from './types.ts'

type NotAsked = { readonly ok: false; readonly status: number | null; readonly error: AppError }

/** What came of asking in one mode; `status` as in post.ts. */
export type Asked = { readonly ok: true; readonly reply: LlmReply; readonly echo: Echo } | NotAsked

/** Asks a second time for the same: what the first time has `spent` counts, whether it works out or not. */
export async function askAgain<Good extends Extract<Asked, { ok: true }>>(
  spent: LlmUsage,
  ask: () => Promise<Good | NotAsked>,
): Promise<Good | NotAsked> {
  const asked = await ask().catch(error => {
    throw spentBefore(error, spent)
  })
  if (!asked.ok) return { ...asked, error: spentBefore(asked.error, spent) as AppError }
  return { ...asked, reply: { ...asked.reply, usage: addUsage(spent, asked.reply.usage) } }
}

export type Ask = (mode: ContinuationMode, request: LlmRequest, signal: AbortSignal) => Promise<Asked>

type Continue = (request: LlmRequest, signal: AbortSignal) => Promise<LlmReply>

/**
 * A function that continues partial answers through `ask`; what it finds out goes into `known`. With `auto` the first real request is the probe: it is asked as
 * `continue_final_message`, when the endpoint rejects that, as `prefix`, and when it rejects both or begins the answer anew, as `prompted`; what worked is kept.
 * Requests that come while the probe runs wait for it, and share its failure, unless that is a single answer that cannot be read.
 */
export function createContinuation(
  ask: Ask,
  configured: ContinuationMode | 'auto',
  known: Pick<Manners, 'mode'> = { mode: undefined },
): Continue {
  let probing: Promise<Error | undefined> | undefined

  const probe: Continue = async (request, signal) => {
    const native = await ask('continue_final_message', request, signal)
    if (!native.ok && !rejectsTheForm(native.status)) throw native.error
    if (native.ok && native.reply.text !== '' && native.echo !== 'restart') {
      // An echo shows that the endpoint writes a new message; what follows the echo is still good.
      known.mode = native.echo === 'none' ? 'continue_final_message' : 'prompted'
      return native.reply
    }
    // Nothing was left to say: that tells nothing about the endpoint.
    if (native.ok && native.echo === 'none' && statesAnswer(request.steps.at(-1) ?? '')) return native.reply
    const prefixed = native.ok ? null : await ask('prefix', request, signal)
    if (prefixed?.ok === false && !rejectsTheForm(prefixed.status)) throw prefixed.error
    // Mistral's answer repeats the prefix: here an echo is no sign of a new message.
    if (prefixed?.ok && prefixed.reply.text !== '' && prefixed.echo !== 'restart') {
      known.mode = 'prefix'
      return prefixed.reply
    }
    const wasted = native.ok ? native : prefixed
    const askPrompted = () => ask('prompted', request, signal)
    const prompted = await (wasted?.ok ? askAgain(wasted.reply.usage, askPrompted) : askPrompted())
    // Kept only once it has worked: a wrong model name is rejected in every form.
    if (!prompted.ok) throw prompted.error
    known.mode = 'prompted'
    return prompted.reply
  }

  const probeAlone: Continue = async (request, signal) => {
    const { promise, resolve } = Promise.withResolvers<Error | undefined>()
    probing = promise
    let failure: Error | undefined
    try {
      return await probe(request, signal)
    } catch (error) {
      // An abort, and one answer that cannot be read, are the prober's own affair: the next one waiting probes again.
      const isOwn = signal.aborted || (error instanceof AppError && error.code === 'LLM_BAD_RESPONSE')
      if (!isOwn) failure = unspent(error as Error)
      throw error
    } finally {
      probing = undefined
      resolve(failure)
    }
  }

  return async (request, signal) => {
    let mode = configured === 'auto' ? known.mode : configured
    while (mode === undefined) {
      if (probing === undefined) return probeAlone(request, signal)
      const failure = await orAbort(probing, signal)
      if (failure !== undefined) throw failure
      mode = known.mode
    }
    const asked = await ask(mode, request, signal)
    if (asked.ok) return asked.reply
    // Found out of another model or version than there is now: the next one finds out again.
    if (configured === 'auto' && rejectsTheForm(asked.status)) known.mode = undefined
    throw asked.error
  }
}

/** A 4xx that may be about the unusual fields; a bad key or a rate limit is not. */
export function rejectsTheForm(status: number | null): boolean {
  return status !== null && status >= 400 && status < 500 && ![401, 403, 408, 429].includes(status)
}

async function orAbort<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  signal.throwIfAborted()
  const { promise: aborted, reject } = Promise.withResolvers<never>()
  const onAbort = () => reject(signal.reason)
  signal.addEventListener('abort', onAbort, { once: true })
  try {
    return await Promise.race([promise, aborted])
  } finally {
    signal.removeEventListener('abort', onAbort)
  }
}
