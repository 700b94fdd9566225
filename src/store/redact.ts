// Takes out of a traffic record what must not be kept. Knows no store and no request.
import type { TrafficRecord } from './types.ts'

/** Patterns with names of their own; numbers stay, since the critic learns from them. */
const NAMED: Readonly<Record<string, RegExp>> = {
  email: /[\p{L}\p{N}._%+-]{1,64}@[\p{L}\p{N}-]{1,63}(?:\.[\p{L}\p{N}-]{1,63}){1,4}/gu,
  // What API keys and tokens look like: a short prefix and a long tail, or three parts of a JWT.
  secret:
    /\b(?:(?:sk|pk|rk|ghp|gho|xox[a-z]|AKIA)[-_]?[A-Za-z0-9_-]{16,}|eyJ[\w-]{8,}\.[\w-]{8,}\.[\w-]{8,})/gu,
}

export type Redact = (record: TrafficRecord) => TrafficRecord

/**
 * Reads a list such as `email, secret, /Mr\.? \w+/`: names of known patterns, and patterns between slashes, which end at a slash
 * before a comma or the end. Each match is replaced by `[name]`, or by `[redacted]`.
 * @throws Error for an unknown name or a pattern that is none; the message does not repeat it
 */
export function parseRedaction(text: string): Redact {
  const rules: { readonly pattern: RegExp; readonly mark: string }[] = []
  for (const [, custom, name = ''] of text.matchAll(/\s*(?:\/(.+?)\/(?=\s*(?:,|$))|([^,]+))\s*(?:,|$)/gsu)) {
    if (custom !== undefined) rules.push({ pattern: compile(custom), mark: '[redacted]' })
    else if (name.trim() !== '') {
      const pattern = Object.hasOwn(NAMED, name.trim()) ? NAMED[name.trim()] : undefined
      if (pattern === undefined)
        throw new Error(`a name is none of ${Object.keys(NAMED).join(', ')}; write patterns between slashes`)
      rules.push({ pattern, mark: `[${name.trim()}]` })
    }
  }
  const clean = (words: string) =>
    rules.reduce((left, { pattern, mark }) => left.replace(pattern, mark), words)
  return record => ({
    ...record,
    problem: clean(record.problem),
    candidates: record.candidates.map(candidate => ({
      ...candidate,
      steps: candidate.steps.map(clean),
      answer: candidate.answer === null ? null : clean(candidate.answer),
    })),
  })
}

function compile(source: string): RegExp {
  try {
    return new RegExp(source, 'gu')
  } catch {
    throw new Error('a pattern between slashes is not a regular expression')
  }
}
