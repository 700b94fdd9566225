// Finds the final answer of a solution, as it is written there. Knows nothing of whether it is right.
import { readNumbers } from './numbers.ts'
import { fromSentence } from './sentence.ts'
import { splitSteps } from './split.ts'

/** An answer longer than this is prose. */
const MAX_CHARS = 200
const MAX_WORDS = 8

/** The content of the `\boxed{…}` or `\fbox{…}` that begins last and whose braces balance. */
function lastBoxed(text: string): string | null {
  const opened: number[] = [] // For each open brace the start of its box's content, 0 when it opens no box.
  let start = 0
  let end = 0
  for (let at = 0; at < text.length; at++) {
    const char = text[at]
    if (char === '\\') {
      const name = /^\\(?:boxed|fbox)\{/.exec(text.slice(at, at + 7))
      if (name !== null) {
        at += name[0].length - 1
        opened.push(at + 1)
      } else at++
    } else if (char === '{') opened.push(0)
    else if (char === '}') {
      const from = opened.pop() ?? 0
      if (from > start) {
        start = from
        end = at
      }
    }
  }
  return start > 0 ? text.slice(start, end) : null
}

/** The first line with text after `at`; of a code block its whole content. */
function lineAfter(text: string, at: number): string {
  let start = at
  while (start < text.length && text.charCodeAt(start) <= 32) start++
  const end = text.indexOf('\n', start)
  if (text.startsWith('```', start) && end > 0) {
    const close = text.indexOf('```', end)
    return text.slice(end, close < 0 ? text.length : close)
  }
  return text.slice(start, end < 0 ? text.length : end)
}

/** What the last `#### …` says (GSM8K), unless it is a heading: `#### 4. Solve for x:`. */
function afterHashes(text: string): string | null {
  for (let at = text.lastIndexOf('####'), tries = 0; at >= 0 && tries < 8; tries++) {
    const line = lineAfter(text, at + 4)
    const isAnswer = /^####[ \t]*[^\s#a-z*]/i.test(text.slice(at, at + 40))
    if (isAnswer && !/^\d{1,2}[.)]\s|:\s*$/.test(line)) return line
    at = at === 0 ? -1 : text.lastIndexOf('####', at - 1)
  }
  return null
}

/** The label of a choice that a text begins with (`Choice_B: chitin`, `B, as …`), else what a sentence states, else the text. */
function stated(text: string): string {
  const label =
    /^[\s*]{0,3}((?:Choice\\?[_ ])?(?:\([A-J]\)|[A-J]))(?=[:.,;*]|\s*$|\s+(?:because|as|since)\b|\s+\()/.exec(
      text,
    )
  return label === null ? fromSentence(text) : label[1]!
}

/** The answer under the last `# Answer` heading (the form of PRM800K), or under the same words in bold. */
function underHeading(text: string): string | null {
  const heading = /^(?:#{1,6}[ \t]{0,3}(?:\*\*)?|\*\*)(?:final )?answer:?(?:\*\*)?:?[ \t]*$/gim
  let end: number | null = null
  for (const match of text.matchAll(heading)) end = match.index + match[0].length
  return end === null ? null : stated(lineAfter(text, end))
}

const PHRASE =
  /\b(?:(?:final |correct |right )?answer(?: choice| option)?(?: is|:| =|\*\*:|:\*\*)|(?:correct|right|best) (?:choice|option) is|solution:)(?=[\s*$\\:(])/gi

/** `… is 42. Check: …` is cut at the end of its sentence, `3.5` is not. */
function firstSentence(text: string): string {
  const end = /[.!?;](?=\s|$|\*\*|["')](?:\s|$))/.exec(text)
  return end === null ? text : text.slice(0, end.index)
}

/** Phrases that are looked at, the last ones: what each names takes time to find out. */
const MAX_PHRASES = 64

/** What the last phrase such as `the answer is …` or `Answer: …` names. */
function afterPhrase(text: string): string | null {
  const ends: number[] = []
  for (const match of text.matchAll(PHRASE)) ends.push(match.index + match[0].length)
  for (const end of ends.slice(-MAX_PHRASES).reverse()) {
    const named = namedAt(text, end)
    if (named !== null) return named
  }
  return null
}

/** What a phrase that ends at `end` names; null for prose. */
function namedAt(text: string, end: number): string | null {
  let at = end
  while (/[\s:*]/.test(text[at] ?? '')) at++
  // Cut first: the end of a line of many phrases must not be looked for from each of them.
  const rest = lineAfter(text.slice(at, at + 4 * MAX_CHARS), 0)
  const answer = strip(stated(firstSentence(rest)))
  const isProse = answer.length > MAX_CHARS || answer.split(/\s+/, MAX_WORDS + 1).length > MAX_WORDS
  return !isProse && answer !== '' ? answer : leading(rest)
}

/** The number or choice that a longer phrase begins with. */
function leading(text: string): string | null {
  const choice = /^\W{0,3}\(([A-Z])\)/.exec(text)
  if (choice !== null) return `(${choice[1]})`
  const number = readNumbers(text.slice(0, MAX_CHARS))[0]
  return number !== undefined && /^[\s$*\\(]*$/.test(text.slice(0, number.start)) ? number.text : null
}

/** The code block that a solution ends with. */
function lastCode(text: string): string | null {
  if (!text.trimEnd().endsWith('```')) return null
  const close = text.lastIndexOf('```')
  const open = close < 3 ? -1 : text.lastIndexOf('```', close - 1)
  const start = open < 0 ? -1 : text.indexOf('\n', open)
  return start < 0 || start > close ? null : text.slice(start, close)
}

function lastChoice(text: string): string | null {
  return [...text.matchAll(/\([A-J]\)|\bChoice_[A-J]\b/g)].at(-1)?.[0] ?? null
}

/** Trims, and takes off marks of emphasis and a closing full stop. */
function strip(answer: string): string {
  let text = answer.trim()
  if (text.startsWith('**')) text = text.slice(2)
  if (text.endsWith('**')) text = text.slice(0, -2)
  return /[^.]\.$/.test(text) ? text.slice(0, -1).trim() : text.trim()
}

/**
 * The final answer of a solution as written, trimmed, or null when there is none. In this order: the last `\boxed{…}`, the
 * last `#### …` (GSM8K), the text under `# Answer`, the last `the answer is …` / `Answer: …` (of a sentence in either place
 * what it states), the code block that ends the text, and in the last step the last choice such as `(B)`, else the last number.
 */
export function extractAnswer(solution: string): string | null {
  const candidates = [
    () => lastBoxed(solution),
    () => afterHashes(solution),
    () => underHeading(solution),
    () => afterPhrase(solution),
    () => lastCode(solution),
    () => {
      const last = splitSteps(solution).at(-1)?.text ?? ''
      return lastChoice(last) ?? readNumbers(last).at(-1)?.text ?? null
    },
  ]
  for (const candidate of candidates) {
    const answer = strip(candidate() ?? '')
    if (answer !== '') return answer
  }
  return null
}
