// The LaTeX side of the scan: commands, escapes and braces. Knows no prose.
import { isLetter } from './chars.ts'
import { COMMAND_SIGNS, LAYOUT_COMMANDS, TEXT_COMMANDS } from './lexicon.ts'
import { push, pushSign, type Scan, scanLineEnd, skip, unitPowerEnd } from './tokens.ts'

const LONGEST_NAME = 24

/** A backslash and what it commands. */
export function scanCommand(s: Scan): void {
  const { text, at } = s
  let end = at + 1
  while (end - at < LONGEST_NAME && isLetter(text.charCodeAt(end))) end++
  const name = text.slice(at + 1, end)
  const sign = COMMAND_SIGNS.get(name)
  if (name === '') scanEscape(s)
  else if (/^[dt]?(?:frac|binom)$/.test(name)) openPair(s, name, end)
  else if (sign === ';') push(s, 'stop', text[end] === '{' ? nameEnd(text, end) : end)
  else if (sign !== undefined) pushSign(s, sign, end)
  else if (LAYOUT_COMMANDS.has(name)) s.at = end
  else if (name === 'circ') push(s, 'word', end, 'degrees')
  else if (TEXT_COMMANDS.has(name) && text[end] === '{') {
    s.braces.push('text')
    skip(s, end + 1)
  } else push(s, 'strange', end)
}

/** `\frac{` and `\binom{`: a bracket around the whole and one around the upper part. */
function openPair(s: Scan, name: string, end: number): void {
  if (s.text[end] !== '{') push(s, 'strange', end)
  else {
    push(s, 'open', end, 'frac')
    push(s, 'open', end + 1)
    s.braces.push(name.endsWith('binom') ? 'choose' : 'over')
  }
}

/** After `\begin`: the end of its short `{name}`. */
function nameEnd(text: string, at: number): number {
  const length = text.slice(at, at + LONGEST_NAME).indexOf('}')
  return at + length + 1
}

/** A backslash before a sign: `\(`, `\%`, `\$`, `\,`, `\\`. */
function scanEscape(s: Scan): void {
  const char = s.text[s.at + 1]
  const end = Math.min(s.at + 2, s.text.length)
  if (char === undefined) push(s, 'strange', end)
  else if (char === '\\') scanLineEnd(s, end)
  else if (char === '%') push(s, 'percent', end)
  else if (char === '[' || char === ']') push(s, 'stop', end)
  else if ('()$!'.includes(char)) s.at = end
  else if (',;: '.includes(char)) skip(s, end)
  else push(s, 'strange', end)
}

/** A closing brace, which ends whatever its opening one began. */
export function closeBrace(s: Scan): void {
  const brace = s.braces.pop()
  const end = s.at + 1
  if (brace === 'power') push(s, 'close', end)
  else if (brace === 'under') {
    push(s, 'close', s.at)
    push(s, 'close', end)
  } else if (brace === 'over' || brace === 'choose') {
    push(s, 'close', end)
    if (s.text[end] === '{') {
      push(s, 'operator', end, brace === 'over' ? '/' : 'C')
      push(s, 'open', end + 1)
      s.braces.push('under')
    } else push(s, 'strange', end)
  } else if (brace === 'text') skip(s, unitPowerEnd(s.text, end))
  else s.at = end
}

/** `^`: degrees, or a power whose braces are brackets. */
export function scanPower(s: Scan): void {
  const { text, at } = s
  if (text.startsWith('\\circ', at + 1) || text.startsWith('{\\circ', at + 1)) {
    push(s, 'word', unitPowerEnd(text, at), 'degrees')
    return
  }
  push(s, 'operator', at + 1, '^')
  if (text[s.at] === '{') {
    push(s, 'open', s.at + 1)
    s.braces.push('power')
  }
}
