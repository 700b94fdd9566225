// Turns what a model wrote into a reply of the port: new text only, one step where one was asked for. Knows no transport.
import type { Completion } from './completion.ts'
import { type Echo, firstParagraph, statesAnswer, stripEcho, stripThinking } from './reply-text.ts'
import type { LlmReply, LlmRequest } from './types.ts'

export interface ReadReply {
  readonly reply: LlmReply
  readonly echo: Echo
  /** True when the stop sequence came before any new text, so that asking without it may bring some. */
  readonly stoppedEarly: boolean
  /** True when there was more than the one step that was asked for. */
  readonly wroteOn: boolean
}

/**
 * The reply in a completion.
 * @param stops whether the step break was given as a stop sequence
 */
export function readReply(completion: Completion, request: LlmRequest, stops: boolean): ReadReply {
  const { text: fresh, echo } = stripEcho(stripThinking(completion.text), request.steps)
  const { usage, cutByLength, stoppedBy, meanLogprob } = completion
  const told = { usage, ...(request.logprobs && { meanLogprob }) }
  if (request.until === 'end') {
    const reply = { text: fresh, ended: !cutByLength, ...told }
    return { reply, echo, stoppedEarly: false, wroteOn: false }
  }
  const { text, more } = firstParagraph(fresh)
  const wroteOn = more || stoppedBy === 'enough'
  const endedAtEos = !wroteOn && !cutByLength && (!stops || stoppedBy === 'end_of_text')
  // `finish_reason: stop` mostly leaves open whether the model was done; the words it was asked to end with decide.
  const endedByAnswer = statesAnswer(text) && (wroteOn || !cutByLength)
  const nothingLeft = text === '' && echo === 'none' && statesAnswer(request.steps.at(-1) ?? '')
  const ended = endedAtEos || endedByAnswer || (nothingLeft && !cutByLength)
  return {
    reply: { text, ended, ...told },
    echo,
    stoppedEarly: stops && text === '' && !ended && !cutByLength,
    wroteOn,
  }
}
