// Tells how a round goes: figures add up from stage to stage, percent never falls. Knows no stage's work.
import type { Figures } from './messages.ts'

/** Called when a stage begins, when a stage has figures, and about once a second while learning. */
export type Report = (stage: string, percent: number, figures: Figures) => void

export interface Reporter {
  /** Ends the stage before and begins the next. */
  enter(stage: string, percent: number, figures?: Figures): void
  /** Adds figures now. */
  add(figures: Figures): void
  /** Adds figures, and tells of them unless something was told a moment ago. */
  tick(percent: number, figures: Figures): void
  /** Since the reporter was made. */
  elapsedMs(): number
  /** Ends the last stage; returns all figures, with the seconds each stage took. */
  finish(): Figures
}

const TICK_MS = 1000

/** `now` in milliseconds, monotonic. */
export function createReporter(report: Report, now: () => number): Reporter {
  const start = now()
  const seconds: Record<string, number> = {}
  let figures: Figures = {}
  let stage = ''
  let stageStart = start
  let percent = 0
  let toldAt = -Infinity

  const inSeconds = (ms: number) => Math.round(ms / 10) / 100
  const leave = () => {
    if (stage !== '') seconds[stage] = inSeconds(now() - stageStart)
    stageStart = now()
  }
  const tell = (at: number, more: Figures) => {
    percent = Math.max(percent, at)
    figures = { ...figures, ...more }
    toldAt = now()
    report(stage, percent, figures)
  }
  return {
    enter(next, at, more = {}) {
      leave()
      stage = next
      tell(at, { ...more, seconds: { ...seconds } })
    },
    add: more => tell(percent, more),
    tick(at, more) {
      figures = { ...figures, ...more }
      if (now() - toldAt >= TICK_MS) tell(at, {})
    },
    elapsedMs: () => now() - start,
    finish() {
      leave()
      return { ...figures, seconds: { ...seconds, total: inSeconds(now() - start) } }
    },
  }
}
