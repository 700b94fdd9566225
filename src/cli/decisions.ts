// `spar decisions <file>`: checks an export of the decision record. Prints one JSON line.
import { readFileSync } from 'node:fs'
import { checkChain } from '../store/decisions.ts'
import type { CliValues } from './options.ts'

/** Checks every link, and with `--head` that the entry of that hash is among them. @throws Error when the record is not whole */
export function decisionsCommand(file: string | undefined, values: CliValues): void {
  if (file === undefined)
    throw new Error('name the file: an answer of /admin/decisions as application/x-ndjson')
  const lines = readFileSync(file, 'utf8').split('\n')
  const check = checkChain(lines.at(-1) === '' ? lines.slice(0, -1) : lines, values.head)
  process.stdout.write(`${JSON.stringify(check)}\n`)
  if (!check.ok) throw new Error(`the record is not as it was written from entry ${check.broken_at} on`)
}
