// Cuts text that comes in pieces into server-sent events (WHATWG HTML §9.2.6). Knows neither bytes nor what an event means.

/** Takes the next piece; gives the data of each event that is whole now. @throws {LongLine} */
export interface SseParser {
  push(piece: string): string[]
  /** The end of the text: gives what the last event has, which a server may have left without its blank line. */
  end(): string[]
}

/** A line, or the lines of one event, had more characters than they may have. */
export class LongLine extends Error {}

/** @param maxChars of one line, and of one event's data; a longer one is given up as soon as it is seen to be that */
export function createSseParser(maxChars: number): SseParser {
  // Pieces of a line that has not ended, joined only then: a line that drips in must not be copied once for each drop.
  let pieces: string[] = []
  let lineChars = 0
  let data: string[] = []
  let dataChars = 0
  let afterReturn = false

  function keep(piece: string): void {
    if (piece === '') return
    pieces.push(piece)
    lineChars += piece.length
    if (lineChars > maxChars) throw new LongLine()
  }

  /** The line that ends here; as an event's data when it is blank. */
  function endLine(): string | null {
    const line = pieces.length === 1 ? pieces[0]! : pieces.join('')
    pieces = []
    lineChars = 0
    if (line === '') return endEvent()
    if (!line.startsWith('data:')) return null // comments, and fields that mean nothing here
    const value = line.slice(line[5] === ' ' ? 6 : 5)
    dataChars += value.length
    if (dataChars > maxChars) throw new LongLine()
    data.push(value)
    return null
  }

  function endEvent(): string | null {
    if (data.length === 0) return null
    const event = data.join('\n')
    data = []
    dataChars = 0
    return event
  }

  return {
    push(piece) {
      const events: string[] = []
      let at = 0
      if (afterReturn && piece !== '') {
        if (piece[0] === '\n') at = 1
        afterReturn = false
      }
      for (const { index, 0: end } of piece.matchAll(/\r\n|\n|\r/g)) {
        if (index < at) continue
        keep(piece.slice(at, index))
        at = index + end.length
        const event = endLine()
        if (event !== null) events.push(event)
      }
      keep(piece.slice(at))
      afterReturn = piece.endsWith('\r') || (piece === '' && afterReturn)
      return events
    },
    end() {
      const ended = [endLine(), endEvent()]
      return ended.filter(event => event !== null)
    },
  }
}
