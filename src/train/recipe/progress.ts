// Tells a person and a log how training goes: a bar on a terminal, lines elsewhere, JSON lines in a file. Knows no loop.
import { appendFileSync } from 'node:fs'
import type { FitProgress } from '../fit/fit.ts'

export interface ProgressOptions {
  readonly label: string
  /** Where lines for people go. */
  readonly out: { write(text: string): unknown; isTTY?: boolean }
  /** JSON lines, one every `everySteps`; none when absent. */
  readonly logFile?: string
  readonly everySteps?: number
  readonly now: () => number
  /** Resident memory of the process in bytes. */
  readonly rss?: () => number
}

/** One line of the log. Losses are running means; the speed is that since the line before. */
export interface LogRecord {
  readonly label: string
  readonly step: number
  readonly done: number
  readonly loss: number
  readonly lossLm: number
  readonly lossStep: number
  readonly lossPair: number
  readonly grad_norm: number
  readonly lr: number
  readonly tokens: number
  readonly tokens_per_second: number
  readonly elapsed_s: number
  readonly rss_mb: number
}

const BAR = 24

const clock = (ms: number): string => {
  const s = Math.max(0, Math.round(ms / 1000))
  return `${Math.floor(s / 60)}:${String(s % 60).padStart(2, '0')}`
}

/** A reporter for `fit`'s onStep; losses are running means. */
export function createProgress({
  label,
  out,
  logFile,
  everySteps = 20,
  now,
  rss = () => process.memoryUsage.rss(),
}: ProgressOptions): (p: FitProgress) => void {
  const mean = { loss: 0, lossLm: 0, lossStep: 0, lossPair: 0 }
  let seen = 0
  let last: { at: number; tokens: number } | null = null
  return p => {
    seen++
    const rate = Math.max(0.02, 1 / seen)
    for (const key of ['loss', 'lossLm', 'lossStep', 'lossPair'] as const)
      mean[key] += rate * (p[key] - mean[key])
    if (p.step % everySteps !== 0) return
    const at = now()
    const speed = last ? ((p.tokens - last.tokens) / Math.max(1, at - last.at)) * 1000 : p.tokensPerSecond
    last = { at, tokens: p.tokens }
    const left = p.done > 0 ? (p.elapsedMs / p.done) * (1 - p.done) : 0
    const rssMb = Math.round(rss() / 1e6)
    const bar = '█'.repeat(Math.round(p.done * BAR)).padEnd(BAR, '░')
    const losses = `loss ${mean.loss.toFixed(3)} (lm ${mean.lossLm.toFixed(3)} step ${mean.lossStep.toFixed(3)} pair ${mean.lossPair.toFixed(3)})`
    const line = `${label} ${bar} ${(p.done * 100).toFixed(1)}% step ${p.step} ${losses} ${Math.round(speed)} tok/s ${rssMb} MB left ${clock(left)}`
    if (out.isTTY) out.write(`\r${line}\u001b[K`)
    else if (p.step % (everySteps * 10) === 0) out.write(`${line}\n`)
    if (logFile) {
      const record: LogRecord = {
        label,
        step: p.step,
        done: p.done,
        ...mean,
        grad_norm: p.gradNorm,
        lr: p.learningRate,
        tokens: p.tokens,
        tokens_per_second: speed,
        elapsed_s: p.elapsedMs / 1000,
        rss_mb: rssMb,
      }
      appendFileSync(logFile, `${JSON.stringify(record)}\n`)
    }
  }
}
