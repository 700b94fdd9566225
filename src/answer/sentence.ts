// Finds the answer inside a sentence that states it: `Tom has **91 trees** left`. Knows no layout of a solution.
import { readNumbers } from './numbers.ts'

/** More words than this are prose, `91 trees left` is an answer. */
const MAX_WORDS = 3
/** A longer text is no sentence, and the work must stay bounded: an opening mark without its end is looked for to the last character. */
const MAX_CHARS = 800

const VERB =
  /\b(?:is|are|was|were|be|has|have|had|gets?|got|makes?|made|needs?|needed|takes?|took|costs?|pays?|paid|earns?|earned|spends?|spent|saves?|saved|receives?|received|sold|sells?|equals?|contains?|weighs?|lasts?|left|remains?|becomes?)\b/gi

/** Whether a text is a sentence with a verb rather than an answer with its unit. */
function isSentence(text: string): boolean {
  if (text.length > MAX_CHARS) return false
  const words = text.replace(/\\[a-zA-Z]+|\$[^$]*\$|\\\(.*?\\\)/g, ' ').match(/\p{L}{2,}/gu) ?? []
  return words.length > MAX_WORDS && text.match(VERB) !== null
}

/** The last stretch between two marks, when it holds a digit or is all that is marked. */
function lastMarked(text: string, marks: RegExp): string | null {
  const found = [...text.matchAll(marks)].map(match => match[1]!.trim()).filter(part => part !== '')
  return found.findLast(part => /\d/.test(part)) ?? (found.length === 1 ? found[0]! : null)
}

/** The first number after the last verb that has one after it, else the last number; with its dollar sign. */
function statedNumber(text: string): string | null {
  const numbers = readNumbers(text)
  const verbs = [...text.matchAll(VERB)].map(match => match.index)
  const last = numbers.at(-1)
  if (last === undefined) return null
  const verb = verbs.findLast(at => at < last.start) ?? 0
  const { text: number, start } = numbers.find(read => read.start > verb) ?? last
  return text[start - 1] === '$' ? `$${number}` : number
}

/**
 * What a sentence states as its answer, as written: what is in bold, else its last formula, else the number after its verb.
 * A text that is no sentence comes back as it is, and so does one that names no number.
 */
export function fromSentence(text: string): string {
  if (!isSentence(text)) return text
  return (
    lastMarked(text, /\*\*([^*]+)\*\*/g) ??
    lastMarked(text, /\\\((.+?)\\\)/g) ??
    lastMarked(text, /(?<!\\)\$([^$]*[^$\s\\])\$/g) ??
    statedNumber(text) ??
    text
  )
}
