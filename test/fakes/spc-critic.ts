// A small real chat critic for the fake LLM server: checks the sum of the step it is asked about. Knows no test.
import type { LlmScript } from './llm-server.ts'

/** @param verdict what it answers in the tag for a seed; by default what the sum says */
export function checksSums({ verdict }: { readonly verdict?: (seed: number) => string } = {}): LlmScript {
  return ({ body }) => {
    const step = String(body!.messages.at(-1)!.content).split('## Last Step\n').at(-1)!
    const sum = [...step.matchAll(/(\d+) ([+-]) (\d+) = (\d+)/g)].at(-1)
    const [, a, sign, b, c] = sum ?? []
    const holds = Number(a) + (sign === '+' ? Number(b) : -Number(b)) === Number(c)
    const said = verdict?.(Number(body!.seed)) ?? (holds ? 'Correct' : 'Incorrect')
    const content = `The sum ${holds ? 'holds' : 'does not hold'}.\n\n<Answer>${said}</Answer>`
    const choices = [{ index: 0, message: { role: 'assistant', content }, finish_reason: 'stop' }]
    const usage = { prompt_tokens: 40, completion_tokens: 10, total_tokens: 50 }
    return { body: JSON.stringify({ object: 'chat.completion', choices, usage }) }
  }
}
