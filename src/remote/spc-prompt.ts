// Asks a chat model to judge a step, in the form of SPC's critic: analysis, critique, verdict (arXiv 2504.19162). Knows no transport.
import type { JudgedExample } from '../critic/types.ts'
import type { ChatMessage } from '../llm/prompt.ts'

const SYSTEM =
  'You are a careful critic. Given a problem, a partial solution and its last step, judge whether the last step is correct.\n\n' +
  'Answer in three parts:\n' +
  '1. Analysis: the general thought of the partial solution, and what the last step has to do.\n' +
  '2. Critique: check the last step, its numbers and its reasons. Be brief.\n' +
  '3. Conclusion: end with <Answer>Correct</Answer> or <Answer>Incorrect</Answer>, for the last step alone.'

const NO_STEPS = 'None: the last step is the first.'

/** Messages that ask about the last of `steps` (one at least), after the examples as earlier turns of the talk. */
export function spcMessages(
  { problem, steps }: Pick<JudgedExample, 'problem' | 'steps'>,
  examples: readonly JudgedExample[],
): ChatMessage[] {
  const shown = examples.flatMap((example): ChatMessage[] => [
    { role: 'user', content: question(example) },
    { role: 'assistant', content: reply(example) },
  ])
  return [
    { role: 'system', content: SYSTEM },
    ...shown,
    { role: 'user', content: question({ problem, steps }) },
  ]
}

function question({ problem, steps }: Pick<JudgedExample, 'problem' | 'steps'>): string {
  const before = steps.slice(0, -1).join('\n\n') || NO_STEPS
  return `## Problem\n${problem}\n\n## Partial Solution\n${before}\n\n## Last Step\n${steps.at(-1)}`
}

const reply = ({ critique, right }: JudgedExample): string =>
  `${critique}\n\n<Answer>${right ? 'Correct' : 'Incorrect'}</Answer>`
