// Puts an evaluation where people and programs read it: tables on the terminal, one JSON line last, files in `--out`.
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { markdown, type Section } from '../train/eval/markdown.ts'

export interface Evaluation {
  readonly title: string
  /** What the figures come from, one line each. */
  readonly facts: readonly string[]
  readonly sections: readonly Section[]
  /** The last line. */
  readonly json: Readonly<Record<string, unknown>>
  /** A picture, where steps were asked about their calibration. */
  readonly reliability?: string
}

/** Six decimals are more than any figure here is good for. */
const shorten = (_: string, value: unknown): unknown =>
  typeof value === 'number' && Number.isFinite(value) ? Number(value.toFixed(6)) : value

/** Prints tables and JSON; writes report.md, report.json and the picture when a folder is given (made when missing). */
export function putEvaluation(
  { title, facts, sections, json, reliability }: Evaluation,
  out: string | undefined,
  print: (text: string) => void,
): void {
  const tables = markdown(sections)
  const head = `# ${title}\n\n${facts.map(fact => `- ${fact}\n`).join('')}\n`
  print(`${head}${tables}\n`)
  if (out !== undefined) {
    mkdirSync(out, { recursive: true })
    const picture = reliability === undefined ? '' : '\n![Reliability diagram](reliability.svg)\n'
    writeFileSync(join(out, 'report.md'), `${head}${tables}${picture}`)
    writeFileSync(join(out, 'report.json'), `${JSON.stringify(json, shorten, 2)}\n`)
    if (reliability !== undefined) writeFileSync(join(out, 'reliability.svg'), reliability)
  }
  print(`${JSON.stringify(json, shorten)}\n`)
}
