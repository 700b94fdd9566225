// Moves over the text of a formula sign by sign. Knows no grammar.
import { isLetter, isSpace } from './chars.ts'

const LAYOUT = /^\\(?:left|right|displaystyle|textstyle|[bB]igg?[lr]?|quad|qquad|[,;:! ])(?![a-zA-Z])/

/** Thrown where something is not understood; never leaves the parser, so it needs no stack. */
export const NOT_UNDERSTOOD = Symbol('not understood')

/** A parse in progress; lives for one call of `parseFormula`. */
export interface Parse {
  readonly text: string
  at: number
  depth: number
  /** How many bars are open: then a bar closes. */
  bars: number
}

/** Goes on over white space and LaTeX that only lays out. */
export function skip(s: Parse): void {
  const { text } = s
  for (;;) {
    if (isSpace(text, s.at) || text[s.at] === '&' || text[s.at] === '~') s.at++
    else {
      const layout = text[s.at] === '\\' ? LAYOUT.exec(text.slice(s.at, s.at + 16)) : null
      if (layout === null) return
      s.at += layout[0].length
    }
  }
}

/** Takes the first of the words that comes next, white space before it, or nothing (null). */
export function take(s: Parse, ...words: readonly string[]): string | null {
  skip(s)
  for (const word of words) {
    const end = s.at + word.length
    if (!s.text.startsWith(word, s.at)) continue
    if (word.length > 2 && isLetter(s.text.charCodeAt(end))) continue // `\times` but not `\timesx`
    s.at = end
    return word
  }
  return null
}

/** Takes the word. @throws NOT_UNDERSTOOD when another one comes next */
export function expect(s: Parse, word: string): void {
  if (take(s, word) === null) throw NOT_UNDERSTOOD
}
