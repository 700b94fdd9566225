// Turns the text of a step into tokens for the equation checker: prose, numbers and signs. Knows no grammar.
import { isDigit, isLetter, isSpace, readDigits } from './chars.ts'
import { ATTACHED_UNITS, FUNCTION_WORDS, OPERATOR_WORDS } from './lexicon.ts'
import { closeBrace, scanCommand, scanPower } from './scan-latex.ts'
import { peek, push, pushSign, type Scan, scanLineEnd, skip, type Token, unitPowerEnd } from './tokens.ts'

const LONGEST_WORD = 24
// Signs that leave no token: math and currency, code, apostrophes.
const SILENT = "$&`'’€£"

/** Whether the letter x at `at` is a times sign: a number on both sides, both close or both apart. */
function isTimes(s: Scan, at: number): boolean {
  const before = s.tokens.at(-1)
  if (before === undefined || !['number', 'close', 'percent', 'word'].includes(before.kind)) return false
  const next = peek(s.text, at + 1)
  const apart = s.gap && next > at + 1
  const close = !s.gap && next === at + 1
  if (s.text[next] === '(') return apart
  return (apart || close) && isNumberStart(s.text, next)
}

function isNumberStart(text: string, at: number): boolean {
  const code = text.charCodeAt(at)
  return isDigit(code) || (code === 46 && isDigit(text.charCodeAt(at + 1)))
}

/** A letter that stands alone: a times sign, the article `a`, else a variable. */
function scanLetter(s: Scan, letter: string): void {
  const { text, at } = s
  const end = at + 1
  if ((letter === 'x' || letter === 'X') && isTimes(s, at)) push(s, 'operator', end, '*')
  else {
    const isArticle = /[aAI]/.test(letter) && s.gap && /^ [A-Za-z]{2}/.test(text.slice(end, end + 3))
    push(s, isArticle ? 'word' : 'strange', end, letter)
  }
}

function scanWord(s: Scan): void {
  const { text, at } = s
  let end = at + 1
  while (end < text.length && isWordPart(text, end)) end++
  const word = end - at > LONGEST_WORD ? '' : text.slice(at, end)
  const inText = s.braces.at(-1) === 'text'
  const before = s.tokens.at(-1)?.kind
  const attached =
    !s.gap && text[at - 1] !== '/' && (before === 'number' || before === 'close' || before === 'percent')
  if (end - at === 1 && !inText) scanLetter(s, word)
  // `2ab`, `\frac{1}{2}BC`, `(3)mv` are products of variables.
  else if (attached && !inText && !ATTACHED_UNITS.has(word)) push(s, 'strange', end)
  else {
    const lower = word.toLowerCase()
    const operator = OPERATOR_WORDS.get(lower)
    end = unitPowerEnd(text, end)
    if (operator !== undefined && !inText) pushSign(s, operator, end)
    else if (lower === 'of') push(s, 'of', end, lower)
    else if (lower === 'percent') push(s, 'percent', end)
    // A name directly before a bracket is a function of what is in it.
    else push(s, FUNCTION_WORDS.has(lower) || text[end] === '(' ? 'function' : 'word', end, lower)
  }
}

/** Letters, and what joins words: `miles/hour`, `mother-in-law`, `don't`, `m²`; but not `a/b`, which may be variables. */
function isWordPart(text: string, at: number): boolean {
  const code = text.charCodeAt(at)
  if (isLetter(code) || code === 0xb2 || code === 0xb3) return true
  if (code !== 39 && code !== 45 && code !== 47 && code !== 0x2019) return false
  const before = isLetter(text.charCodeAt(at - 1)) && (code === 39 || isLetter(text.charCodeAt(at - 2)))
  return before && isLetter(text.charCodeAt(at + 1))
}

function scanNumber(s: Scan): void {
  const digits = readDigits(s.text, s.at)!
  const before = s.tokens.at(-1)
  // Digits on a letter are part of a name: `x2`, `mc2`.
  const isName = !s.gap && before?.end === s.at && ['word', 'strange', 'function'].includes(before.kind)
  push(s, isName ? 'strange' : 'number', digits.end, '', digits.value, digits.decimals)
}

/** A dash in `3-digit` or `cm-1`, a comma in `16,0000` or `1,2`: no minus, and no end of anything. */
function isJoint(text: string, at: number): boolean {
  const before = text.charCodeAt(at - 1)
  const after = text.charCodeAt(at + 1)
  if (text[at] === ',') return isDigit(before) && isDigit(after)
  return text[at] === '-' && ((isDigit(before) && isLetter(after)) || (isLetter(before) && isDigit(after)))
}

/** `!` as a factorial: directly after a number or bracket, and before something that arithmetic goes on with. */
function isFactorial(s: Scan): boolean {
  const before = s.tokens.at(-1)?.kind
  if (s.gap || (before !== 'number' && before !== 'close' && before !== 'factorial')) return false
  return /^[=+\-*/×÷·)}^!\\]/.test(s.text.slice(peek(s.text, s.at + 1)).slice(0, 1))
}

/** The start and end of a calculator mark `<<48/2=24>>`. */
function scanMark(s: Scan): void {
  const opens = s.text[s.at] === '<'
  s.marked = true
  push(s, 'stop', s.at + 2)
  s.marked = opens
}

/** Signs of two characters; false when none stands here. */
function scanPair(s: Scan): boolean {
  const { at, tokens } = s
  const pair = s.text.slice(at, at + 2)
  const lineStart = tokens.length === 0 || tokens.at(-1)!.kind === 'stop'
  if (pair === '=>' || pair === '->') push(s, 'stop', at + 2)
  else if (pair === '==') push(s, 'strange', at + 2)
  else if (pair === '<=' || pair === '>=' || pair === '!=') push(s, 'relation', at + 2)
  else if (pair === '<<' || (pair === '>>' && s.marked)) scanMark(s)
  // Bold. A power `2**3` then reads as two numbers and is left alone.
  else if (pair === '**') skip(s, at + 2)
  else if (lineStart && /^[-*•+] $/.test(pair)) skip(s, at + 2)
  else return false
  return true
}

/** A point or colon ends a clause; `..`, and `3:4` as a ratio or a time, do not. */
function scanPoint(s: Scan): void {
  const { text, at } = s
  const next = text.charCodeAt(at + 1)
  const ratio = text[at] === ':' ? isDigit(next) || s.gap : next === 46 || isDigit(next) || isLetter(next)
  push(s, ratio ? 'strange' : 'stop', at + 1)
}

function scanSign(s: Scan): void {
  const { text, at } = s
  const char = text[at]!
  if (char === '!' && isFactorial(s)) push(s, 'factorial', at + 1)
  else if (scanPair(s)) return
  // `$5/hour`: the unit of a rate rather than a division.
  else if (char === '/' && /^\/(?:[A-Za-z]{3}|km|hr|mi|kg|lb|oz)/.test(text.slice(at, at + 4))) s.at++
  else if (isJoint(text, at)) push(s, 'strange', at + 1)
  else if (char === '°' || char === '¢') push(s, 'word', at + 1, char)
  else pushSign(s, char, at + 1)
}

function step(s: Scan): void {
  const { text, at } = s
  const char = text[at]!
  if (char === '\n') {
    s.marked = false
    scanLineEnd(s, at + 1)
  } else if (isSpace(text, at)) skip(s, at + 1)
  else if (isNumberStart(text, at)) scanNumber(s)
  else if (isLetter(text.charCodeAt(at))) scanWord(s)
  else if (char === '\\') scanCommand(s)
  else if (char === '{') {
    s.braces.push('plain')
    s.at++
  } else if (char === '}') closeBrace(s)
  else if (char === '^') scanPower(s)
  else if (char === '.' || char === ':') scanPoint(s)
  else if (SILENT.includes(char)) s.at++
  else scanSign(s)
}

/**
 * Tokens of a text, in order; layout, currency and math delimiters leave none. A token is settled by the text up to its
 * end and the character or two after it. Linear in the length of the text.
 */
export function scan(text: string): Token[] {
  const s: Scan = { text, tokens: [], braces: [], at: 0, gap: true, marked: false }
  while (s.at < text.length) step(s)
  return s.tokens
}
