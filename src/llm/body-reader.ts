// How the body of an answer is read while it comes in, and the plain way: one JSON value. Knows no HTTP and no deadline.

/** Bytes that cannot be an answer. The message says what was sent, without a word of it: `something that is not JSON`. */
export class Unreadable extends Error {}

/** Makes one body of the bytes of one answer. */
export interface BodyReader {
  /** Takes bytes in; true when nothing more is wanted. @throws {Unreadable} */
  push(bytes: Uint8Array): boolean
  /** What the bytes were, once they are over. @throws {Unreadable} */
  end(): unknown
  /** True once the model has begun to write, where that can be seen. */
  readonly begun: boolean
  /** True once all that matters is here: if the rest stays out, nothing is lost. */
  readonly complete: boolean
  /** What came so far, as a body; undefined where a part of one is nothing. */
  partial(): unknown
}

/** Reads one JSON value. */
export function createJsonReader(): BodyReader {
  const decoder = new TextDecoder()
  let text = ''
  return {
    begun: false,
    complete: false,
    partial: () => undefined,
    push(bytes) {
      text += decoder.decode(bytes, { stream: true })
      return false
    },
    end() {
      text += decoder.decode()
      try {
        return JSON.parse(text) as unknown
      } catch {
        throw new Unreadable(`${/^\s*</.test(text) ? 'a web page' : 'something'} that is not JSON`)
      }
    },
  }
}
