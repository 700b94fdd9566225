// The mind of the fake LLM: adds up the numbers of a problem, step by step, and continues partial answers. Knows no HTTP.
import { PLAN_TO_FOLLOW, REFUSED_BEFORE, STEPS_SO_FAR } from '../../src/llm/prompt.ts'

/** Ways to answer with a completion. */
const SOLVER_MODES = [
  'ok',
  /** Tells `stop_reason` as vLLM does: the stop sequence, or null at the end of the text. */
  'tells_stop_reason',
  /** Trims the partial answer as Llama 3's template does, so that the model writes the break again. */
  'trims_partial',
  /** Repeats the partial answer before going on. */
  'echoes',
  /** Takes no notice of a partial answer that stands as a message, and begins anew. */
  'restarts',
  /** Gives log-probabilities where asked: each token has a half. */
  'tells_logprobs',
  /** Takes no notice of the stop sequence. */
  'ignores_stop',
  'no_usage',
  'wrong_usage',
] as const

export type SolverMode = (typeof SOLVER_MODES)[number]

export function isSolverMode(mode: string): mode is SolverMode {
  return SOLVER_MODES.some(known => known === mode)
}

export interface ChatBody {
  readonly model: string
  readonly messages: readonly { readonly role: string; readonly content: string; readonly prefix?: boolean }[]
  readonly max_tokens?: number
  readonly temperature?: number
  readonly seed?: number
  readonly stop?: readonly string[]
  readonly logprobs?: boolean
  readonly stream?: boolean
  readonly stream_options?: { readonly include_usage?: boolean }
  readonly continue_final_message?: boolean
  readonly add_generation_prompt?: boolean
}

const CHARS_PER_TOKEN = 4

/**
 * Adds up the integers of the problem in paragraphs and ends with `The answer is X.`
 * Seeds with seed % 4 === 3 slip by ten in the last sum, so that a critic and a vote have something to find.
 */
export function solveBySeed(problem: string, seed: number): string {
  const numbers = (problem.match(/\d+/g) ?? ['0']).map(Number)
  let total = numbers[0]!
  const steps = [`We start with ${total}.`]
  for (const [index, number] of numbers.slice(1).entries()) {
    const isLast = index === numbers.length - 2
    const next = total + number + (isLast && seed % 4 === 3 ? 10 : 0)
    steps.push(`Then ${total} + ${number} = ${next}.`)
    total = next
  }
  return [...steps, `The answer is ${total}.`].join('\n\n')
}

/** A chat completion body for `body`, honouring stop, max_tokens and partial answers as `mode` says. */
export function complete(
  body: ChatBody,
  mode: SolverMode,
  solve: (problem: string, seed: number) => string,
  repeatsPrefix = false,
): Record<string, unknown> {
  const { problem, partial, asMessage } = readMessages(body)
  const solution = solve(problem, body.seed ?? 0)
  const { text, finish, stopReason } = cut(
    written(solution, partial, asMessage, mode),
    mode === 'ignores_stop' ? { ...body, stop: [] } : body,
  )
  const promptChars = body.messages.reduce((sum, message) => sum + message.content.length, 0)
  return {
    id: 'chatcmpl-fake',
    object: 'chat.completion',
    model: body.model,
    choices: [
      {
        index: 0,
        message: { role: 'assistant', content: repeatsPrefix && asMessage ? partial + text : text },
        finish_reason: finish,
        ...(mode === 'tells_stop_reason' ? { stop_reason: stopReason } : {}),
        ...(mode === 'tells_logprobs' && body.logprobs ? { logprobs: logprobsOf(text) } : {}),
      },
    ],
    ...usage(mode, promptChars, text.length),
  }
}

function logprobsOf(text: string) {
  return { content: text.split(/(?= )/).map(token => ({ token, logprob: Math.log(0.5) })) }
}

/** What the model would write if nothing stopped it. */
function written(solution: string, partial: string, asMessage: boolean, mode: SolverMode): string {
  if (partial === '' || (mode === 'restarts' && asMessage)) return solution
  const given = paragraphs(partial)
  const all = paragraphs(solution)
  const rest = given.length < all.length ? all.slice(given.length).join('\n\n') : ''
  if (mode === 'echoes') return `${given.join('\n\n')}\n\n${rest}`
  return mode === 'trims_partial' && asMessage && rest !== '' ? `\n\n${rest}` : rest
}

function readMessages(body: ChatBody): { problem: string; partial: string; asMessage: boolean } {
  const asked = body.messages.find(message => message.role === 'user')?.content ?? ''
  const last = body.messages.at(-1)
  const [told = '', rest] = asked.split(`\n\n${STEPS_SO_FAR}\n\n`)
  const at = [REFUSED_BEFORE, PLAN_TO_FOLLOW].map(words => told.indexOf(`\n\n${words}\n\n`)).find(i => i >= 0)
  const problem = told.slice(0, at)
  if (last?.role === 'assistant') return { problem, partial: last.content, asMessage: true }
  // The last paragraph of a prompted request is the instruction.
  const partial = rest === undefined ? '' : paragraphs(rest).slice(0, -1).join('\n\n')
  return { problem, partial, asMessage: false }
}

function paragraphs(text: string): string[] {
  return text.split(/\n\s*\n/).filter(part => part.trim() !== '')
}

function cut(whole: string, body: ChatBody): { text: string; finish: string; stopReason: string | null } {
  let text = whole
  let stopReason: string | null = null
  for (const stop of body.stop ?? []) {
    const at = text.indexOf(stop)
    if (at >= 0) {
      text = text.slice(0, at)
      stopReason = stop
    }
  }
  const maxChars = (body.max_tokens ?? Number.POSITIVE_INFINITY) * CHARS_PER_TOKEN
  if (text.length > maxChars) return { text: text.slice(0, maxChars), finish: 'length', stopReason: null }
  return { text, finish: 'stop', stopReason }
}

function usage(mode: SolverMode, promptChars: number, chars: number): Record<string, unknown> {
  if (mode === 'no_usage') return {}
  if (mode === 'wrong_usage') return { usage: { prompt_tokens: -7, completion_tokens: 'many' } }
  const prompt_tokens = Math.ceil(promptChars / CHARS_PER_TOKEN)
  const completion_tokens = Math.ceil(chars / CHARS_PER_TOKEN)
  return { usage: { prompt_tokens, completion_tokens, total_tokens: prompt_tokens + completion_tokens } }
}
