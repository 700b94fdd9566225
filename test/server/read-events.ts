// Reads server-sent events as a client does. Knows no operation.

export interface ReceivedEvent {
  readonly event: string
  readonly data: unknown
}

/** The named events of a stream as they come in; comments are passed over. */
export async function* readEvents(answer: Response): AsyncGenerator<ReceivedEvent> {
  let text = ''
  for await (const chunk of answer.body!.pipeThrough(new TextDecoderStream())) {
    text += chunk
    for (let end = text.indexOf('\n\n'); end >= 0; end = text.indexOf('\n\n')) {
      yield* parseEvents(text.slice(0, end))
      text = text.slice(end + 2)
    }
  }
}

/** The named events of a whole text. */
export function parseEvents(text: string): ReceivedEvent[] {
  const found = text.matchAll(/^event: (.+)\ndata: (.+)$/gm)
  return [...found].map(([, event, data]) => ({ event: event!, data: JSON.parse(data!) }))
}
