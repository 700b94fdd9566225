// A small real stand-in for a reward model served by vLLM: reads the chat form by its control tokens, and holds a step for right
// when its last sum holds. A script for the fake LLM server. Knows no test.
import type { LlmAnswer, LlmMode, LlmScript, RecordedRequest } from './llm-server.ts'

export interface VllmFake {
  /** Rows of the answer: one a step (pooling type STEP) or one a token (ALL). Default `steps`. */
  readonly rows?: 'steps' | 'tokens'
  /** Default probabilities. */
  readonly values?: 'probabilities' | 'logits'
  /** A longer input is refused, and its whole request with it, as vLLM does. */
  readonly maxTokens?: number
  /** Answers some requests in another way. */
  readonly act?: (request: RecordedRequest, index: number) => LlmMode | LlmAnswer | undefined
}

export const EXTRA_0 = 151_651
const SPECIAL: ReadonlyMap<string, number> = new Map([
  ['<extra_0>', EXTRA_0],
  ['<|im_start|>', 151_644],
  ['<|im_end|>', 151_645],
])

/** Words, spaces and control tokens; every other text has an id of its own length, which is as good as any. */
function tokenize(text: string): { id: number; text: string }[] {
  const pieces = text.match(/<extra_0>|<\|im_(?:start|end)\|>|\s+|[^\s<]+|</g) ?? []
  return pieces.map(piece => ({ id: SPECIAL.get(piece) ?? piece.length, text: piece }))
}

/** P(right) at each token of a prompt: what the steps before it say. */
function judge(tokens: readonly { id: number; text: string }[]): number[] {
  let step = ''
  return tokens.map(({ id, text }) => {
    if (id !== EXTRA_0) {
      step = SPECIAL.has(text) ? '' : step + text
      return 0.5
    }
    const sum = [...step.matchAll(/(\d+) ([+-]) (\d+) = (\d+)/g)].at(-1)
    step = ''
    if (sum === undefined) return 0.625
    const [, a, sign, b, c] = sum
    return Number(a) + (sign === '+' ? Number(b) : -Number(b)) === Number(c) ? 0.9375 : 0.0625
  })
}

export function vllmScript({
  rows = 'steps',
  values = 'probabilities',
  maxTokens,
  act,
}: VllmFake = {}): LlmScript {
  const toRow = (p: number) =>
    values === 'probabilities' ? [1 - p, p] : [Math.log(1 - p) + 3, Math.log(p) + 3]
  return (request, index) => {
    const other = act?.(request, index)
    if (other !== undefined) return other
    const body = request.body as unknown as { input?: string[]; prompt?: string; model?: string }
    if (request.path === '/tokenize') {
      const tokens = tokenize(body.prompt ?? '').map(({ id }) => id)
      return json({ count: tokens.length, max_model_len: 4096, tokens, token_strs: null })
    }
    if (request.path !== '/pooling') return json({ detail: 'Not Found' }, 404)
    const inputs = (body.input ?? []).map(tokenize)
    if (inputs.some(tokens => tokens.length > (maxTokens ?? Number.POSITIVE_INFINITY)))
      return json({ error: { message: `too long: ${body.input}`, type: 'BadRequestError', code: 400 } }, 400)
    const data = inputs.map((tokens, i) => {
      const all = judge(tokens).map(toRow)
      const kept = rows === 'tokens' ? all : all.filter((_, at) => tokens[at]!.id === EXTRA_0)
      return { index: i, object: 'pooling', data: kept }
    })
    const tokens = inputs.reduce((sum, each) => sum + each.length, 0)
    return json({ id: 'pool-1', object: 'list', model: body.model, data, usage: { prompt_tokens: tokens } })
  }
}

const json = (body: object, status = 200): LlmAnswer => ({ status, body: JSON.stringify(body) })
