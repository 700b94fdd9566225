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
}: ProgressOptions): (p: FitProgress) => void {
  const start = now()
  const mean = { lossLm: 0, lossStep: 0, lossPair: 0 }
  let seen = 0
  return p => {
    seen++
    const rate = Math.max(0.02, 1 / seen)
    for (const key of ['lossLm', 'lossStep', 'lossPair'] as const) mean[key] += rate * (p[key] - mean[key])
    if (p.step % everySteps !== 0) return
    const left = p.done > 0 ? ((now() - start) / p.done) * (1 - p.done) : 0
    const bar = '█'.repeat(Math.round(p.done * BAR)).padEnd(BAR, '░')
    const line = `${label} ${bar} ${(p.done * 100).toFixed(1)}% step ${p.step} lm ${mean.lossLm.toFixed(3)} step ${mean.lossStep.toFixed(3)} pair ${mean.lossPair.toFixed(3)} ${Math.round(p.tokensPerSecond)} tok/s left ${clock(left)}`
    if (out.isTTY) out.write(`\r${line}\u001b[K`)
    else if (p.step % (everySteps * 10) === 0) out.write(`${line}\n`)
    if (logFile) {
      const record = {
        label,
        step: p.step,
        done: p.done,
        ...mean,
        grad_norm: p.gradNorm,
        lr: p.learningRate,
        tokens_per_second: p.tokensPerSecond,
      }
      appendFileSync(logFile, `${JSON.stringify(record)}\n`)
    }
  }
}
