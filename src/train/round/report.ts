// Tells how a round goes: figures add up from stage to stage, percent never falls. Knows no stage's work.
import type { Figures } from './messages.ts'

/** Called when a stage begins, when a stage has figures, and about once a second while learning. */
export type Report = (stage: string, percent: number, figures: Figures) => void

/** Where a round stands, as it is kept for one that goes on. */
export interface Progress {
  readonly stage: string
  readonly percent: number
  readonly figures: Figures
  /** Of the stages that are over. */
  readonly seconds: Readonly<Record<string, number>>
  /** Of the stage and of the whole round, in milliseconds. */
  readonly stageMs: number
  readonly elapsedMs: number
}

export interface Reporter {
  /** Ends the stage before and begins the next; nothing where the round went on from this stage or a later one. */
  enter(stage: string, percent: number, figures?: Figures): void
  /** Adds figures now. */
  add(figures: Figures): void
  /** Adds figures, and tells of them unless something was told a moment ago. */
  tick(percent: number, figures: Figures): void
  /** Of the whole round, what was used before it went on included. */
  elapsedMs(): number
  progress(): Progress
  /** Ends the last stage; returns all figures, with the seconds each stage took. */
  finish(): Figures
}

const TICK_MS = 1000

/** `now` in milliseconds, monotonic; `from` where an earlier run of the round stood. */
export function createReporter(report: Report, now: () => number, from: Progress | null = null): Reporter {
  const start = now() - (from?.elapsedMs ?? 0)
  const seconds: Record<string, number> = { ...from?.seconds }
  let figures: Figures = from?.figures ?? {}
  let stage = from?.stage ?? ''
  let stageStart = now() - (from?.stageMs ?? 0)
  let percent = from?.percent ?? 0
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
      if (next === stage || next in seconds) return
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
    progress: () => ({
      stage,
      percent,
      figures,
      seconds: { ...seconds },
      stageMs: now() - stageStart,
      elapsedMs: now() - start,
    }),
    finish() {
      leave()
      return { ...figures, seconds: { ...seconds, total: inSeconds(now() - start) } }
    },
  }
}
