// `spar plot <log.jsonl>`: a training log as a picture. Wires files; knows no drawing.
import { readFileSync, writeFileSync } from 'node:fs'
import { plotLog } from '../train/recipe/plot.ts'
import { type CliValues, required } from './options.ts'

/** Draws the last run in a log. @throws Error for a wrong option or an empty log. */
export function plotCommand(log: string | undefined, values: CliValues): void {
  if (log === undefined) throw new Error('say which log to draw: a file that --log wrote')
  writeFileSync(required(values.out, 'out'), plotLog(readFileSync(log, 'utf8')))
}
