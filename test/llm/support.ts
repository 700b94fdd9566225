// What the tests of the OpenAI client share: a client on a fake server, a request, and waits that do not wait.
import type { TestContext } from 'node:test'
import { createOpenAiLlm, type OpenAiOptions } from '../../src/llm/openai.ts'
import type { Llm, LlmRequest } from '../../src/llm/types.ts'
import { type LlmServer, type LlmServerOptions, startLlmServer } from '../fakes/llm-server.ts'

export const PROBLEM = 'Add 12 and 30 and 7.'
export const STEP_1 = 'We start with 12.'
export const STEP_2 = 'Then 12 + 30 = 42.'
export const STEP_3 = 'Then 42 + 7 = 49.'
export const KEY = 'sk-VERY-secret-0123456789'

export function request(change: Partial<LlmRequest> = {}): LlmRequest {
  return { problem: PROBLEM, steps: [], until: 'end', temperature: 0.7, maxTokens: 200, seed: 0, ...change }
}

export interface Bench {
  readonly llm: Llm
  readonly server: LlmServer
  /** The waits before retries, in milliseconds; none was waited for. */
  readonly waitsMs: number[]
}

/** A client on a fake server of its own, closed with the test. */
export async function bench(
  t: TestContext,
  serverOptions: LlmServerOptions = {},
  options: Partial<OpenAiOptions> = {},
): Promise<Bench> {
  const server = await startLlmServer(serverOptions)
  t.after(() => server.close())
  const waitsMs: number[] = []
  const sleep = async (ms: number) => {
    waitsMs.push(ms)
  }
  const llm = createOpenAiLlm({
    name: 'fake',
    baseUrl: server.url,
    model: 'adder',
    apiKey: KEY,
    ...options,
    retry: { rng: () => 0.5, sleep, ...options.retry },
  })
  return { llm, server, waitsMs }
}

/** A signal that is never aborted. */
export function never(): AbortSignal {
  return new AbortController().signal
}

/** Polls until `holds`, for at most two seconds. */
export async function eventually(holds: () => boolean): Promise<boolean> {
  for (let i = 0; i < 400 && !holds(); i++) await new Promise(resolve => setTimeout(resolve, 5))
  return holds()
}
