// What is written to a chat model: the messages for a fresh solution and for each way to continue one. Knows no transport.
import { COMPARE, comparison } from './comparison.ts'
import { LOCATE, locateMessage } from './locate.ts'
import { SPOIL, spoilMessage } from './spoil.ts'
import type { ContinuationMode, LlmRequest } from './types.ts'

export interface ChatMessage {
  readonly role: 'system' | 'user' | 'assistant'
  readonly content: string
  readonly prefix?: true
}

/** The part of a chat request that depends on the mode. */
export interface ChatPrompt {
  readonly messages: readonly ChatMessage[]
  readonly continue_final_message?: true
  readonly add_generation_prompt?: false
}

const SYSTEM =
  'Solve the problem step by step. Write one step per paragraph, and separate the paragraphs by a blank line. ' +
  'End with a last paragraph of the form: The answer is X.'

/** Stands between the problem and the steps in `prompted` mode. */
export const STEPS_SO_FAR = 'Here are the steps so far:'

const NEXT = {
  step: 'Write only the next step, as one paragraph. Do not repeat the steps above.',
  end: 'Write only what comes next, up to the answer. Do not repeat the steps above.',
} as const

const PLAN =
  'Plan how to solve the problem. Write a short plan of two to five lines: what to find out, in which order, and how. ' +
  'Calculate nothing and do not give the answer.'

const AVOID = 'Do not make that mistake again, and do not mention the earlier try.'

/** What separates two steps; also the stop sequence of a one-step call. */
export const STEP_BREAK = '\n\n'

/** Stands between the problem and a step that was refused. */
export const REFUSED_BEFORE = 'An earlier try went wrong at this step:'

/** Stands between the problem and a plan for it. */
export const PLAN_TO_FOLLOW = 'Follow this plan as far as it is right:'

/** The problem, with a plan or the critique of an earlier try. In every mode it stands in the user's message. */
function taskOf({ problem, aim }: Pick<LlmRequest, 'problem' | 'aim'>): string {
  if (aim?.kind === 'follow') return [problem, PLAN_TO_FOLLOW, aim.plan].join(STEP_BREAK)
  if (aim?.kind !== 'avoid') return problem
  const found = aim.finding === null ? [] : [`What is wrong there: ${aim.finding}`]
  return [problem, REFUSED_BEFORE, aim.step, ...found, AVOID].join(STEP_BREAK)
}

/** Messages for a solution from the start, or for what `aim` asks. */
export function freshPrompt(request: Pick<LlmRequest, 'problem' | 'aim'>): ChatPrompt {
  const { problem, aim } = request
  if (aim?.kind === 'plan') return toPrompt(PLAN, problem)
  if (aim?.kind === 'compare') return toPrompt(COMPARE, comparison(problem, aim))
  if (aim?.kind === 'spoil') return toPrompt(aim.instruction ?? SPOIL, spoilMessage(problem, aim))
  if (aim?.kind === 'locate') return toPrompt(LOCATE, locateMessage(problem, aim.solution))
  return toPrompt(SYSTEM, taskOf(request))
}

function toPrompt(system: string, user: string): ChatPrompt {
  return {
    messages: [
      { role: 'system', content: system },
      { role: 'user', content: user },
    ],
  }
}

/**
 * Messages to go on from `request.steps` (not empty). `continue_final_message` is the switch of vLLM, SGLang, LMDeploy and
 * TGI (vllm #6772), `prefix` that of Mistral, DeepSeek's beta and LiteLLM; `assistant_prefill` relies on the endpoint to continue a trailing assistant message (Ollama,
 * llama.cpp); `prompted` works with any chat model.
 */
export function continuationPrompt(mode: ContinuationMode, request: LlmRequest): ChatPrompt {
  const { steps, until } = request
  if (mode === 'prompted') {
    const content = [taskOf(request), STEPS_SO_FAR, ...steps, NEXT[until]].join(STEP_BREAK)
    return toPrompt(SYSTEM, content)
  }
  // The break at the end lets the model begin with the next step, where a stop at the break would else end it at once.
  const partial: ChatMessage = { role: 'assistant', content: steps.join(STEP_BREAK) + STEP_BREAK }
  const asked = freshPrompt(request).messages
  if (mode === 'prefix') return { messages: [...asked, { ...partial, prefix: true }] }
  const messages = [...asked, partial]
  if (mode === 'assistant_prefill') return { messages }
  return { messages, continue_final_message: true, add_generation_prompt: false }
}
