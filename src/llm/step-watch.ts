// Sees in a text that grows when the one step that was asked for is whole. Knows no transport.
import { firstParagraph, stripEcho, stripThinking } from './reply-text.ts'

/** Stands for whatever comes next. */
const NEXT = '…'

/**
 * A function that is given each new piece with the text that ends in it: true once the text has a step behind its thoughts and behind
 * the `given` steps, and the blank line after it. The text is looked at again only when it has grown by a sixteenth, so that all looks
 * together are linear in it.
 */
export function createStepWatch(given: readonly string[]): (piece: string, text: string) => boolean {
  const before = plain(given.join(' '))
  let lookAt = 0
  let hasNewLine = false
  return (piece, text) => {
    hasNewLine ||= piece.includes('\n')
    if (!hasNewLine || text.length < lookAt) return false
    hasNewLine = false
    lookAt = text.length + (text.length >> 4)
    const { text: step, more } = firstParagraph(stripEcho(stripThinking(text) + NEXT, given).text)
    // What stands in the given steps may be the beginning of an echo: only what follows can tell.
    return more && step !== '' && !before.includes(plain(step))
  }
}

/** The words alone: an echo may have other white space. */
const plain = (text: string): string => text.replace(/\s+/g, ' ').trim()
