// Writes a solution as a served process reward model reads it: Qwen2.5-Math-PRM's chat form with a separator token after each
// step (arXiv 2501.07301 and its model card). Knows no transport.
import type { CritiqueItem } from '../critic/types.ts'

export interface PrmForm {
  /** Token that the model was trained to judge at; stands after each step. Of the form `<name>`. */
  readonly separator: string
  readonly system: string
}

/** As Qwen2.5-Math-PRM-7B, -72B and Qwen2.5-Math-7B-PRM800K were trained. */
export const QWEN_PRM: PrmForm = {
  separator: '<extra_0>',
  system: 'Please reason step by step, and put your final answer within \\boxed{}.',
}

/** What a separator may look like: it can then not overlap with itself or with the text around it. */
export const SEPARATOR = /^<[^<>\s]{1,40}>$/

/**
 * What the model's own chat template makes of system, problem and solution. It holds the separator once for each step, whatever
 * the texts hold.
 */
export function prmPrompt({ problem, steps }: CritiqueItem, { separator, system }: PrmForm): string {
  const tame = (text: string) => tameTokens(text, separator)
  const solution = steps.map(step => tame(step) + separator).join('')
  return [turn('system', system), turn('user', tame(problem)), turn('assistant', solution)].join('')
}

const turn = (role: string, text: string): string => `<|im_start|>${role}\n${text}<|im_end|>\n`

/** A separator or a control token in the text of a client would be read as one: a space keeps it a text. */
function tameTokens(text: string, separator: string): string {
  return text.replaceAll(separator, `< ${separator.slice(1)}`).replace(/<(?=\|\w+\|>)/g, '< ')
}
