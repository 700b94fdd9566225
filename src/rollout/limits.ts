// When a candidate that is tried out is turned away, or one that serves is taken back: limits, and what breaks them. Pure.
import type { ArmFigures, TallyFigures } from './tally.ts'

/** A new critic judges differently, that is why it was trained; it must not judge like another one altogether. */
const SHADOW_LIMITS = { flip_rate: 0.35, rank_correlation: 0.3, score_drift: 0.25 } as const

/** On live traffic, against what serves or served. */
const LIVE_LIMITS = { error_rate: 0.02, latency: 3, score_drift: 0.25, brier: 0.1 } as const

/** Fewer compared steps, calls or verdicts say nothing. */
const LEAST_STEPS = 50
const LEAST_CALLS = 20
const LEAST_VERDICTS = 30

const percent = (x: number): string => `${(100 * x).toFixed(1)} %`

/**
 * Why a candidate scored in shadow is turned away; empty when it is not. Not for its time: what serves has what clients ask again in its prefix
 * cache, the candidate begins with none. The gate has compared their times, and the canary compares them where both answer.
 */
export function shadowFaults(figures: TallyFigures): string[] {
  const { flip_rate, rank_correlation, score_drift, compared_steps } = figures
  const faults = errorFaults(figures.serving, figures.candidate)
  if (compared_steps < LEAST_STEPS) return faults
  if (flip_rate !== null && flip_rate > SHADOW_LIMITS.flip_rate)
    faults.push(`it turns ${percent(flip_rate)} of the verdicts`)
  if (rank_correlation !== null && rank_correlation < SHADOW_LIMITS.rank_correlation)
    faults.push(`its scores rank steps otherwise (correlation ${rank_correlation.toFixed(2)})`)
  if (score_drift !== null && Math.abs(score_drift) > SHADOW_LIMITS.score_drift)
    faults.push(`its scores lie ${score_drift.toFixed(2)} beside`)
  return faults
}

/** Why one critic may not serve in another's place, by what both did on live traffic. */
export function armFaults(was: ArmFigures, is: ArmFigures): string[] {
  const faults = errorFaults(was, is)
  if (is.calls < LEAST_CALLS || was.calls < LEAST_CALLS) return faults
  if (is.mean_score !== null && was.mean_score !== null) {
    const drift = is.mean_score - was.mean_score
    if (Math.abs(drift) > LIVE_LIMITS.score_drift) faults.push(`its scores lie ${drift.toFixed(2)} beside`)
  }
  return faults
}

/** The same for its time. Only where both answered side by side: else it is the machine's load that changed, as likely as not. */
export function timeFaults(was: ArmFigures, is: ArmFigures): string[] {
  if (is.calls < LEAST_CALLS || was.calls < LEAST_CALLS) return []
  if (is.ms_per_token === null || is.ms_per_token_low === null || was.ms_per_token === null) return []
  const ratio = is.ms_per_token / was.ms_per_token
  return is.ms_per_token_low > LIVE_LIMITS.latency * was.ms_per_token
    ? [`it takes ${ratio.toFixed(1)} times as long`]
    : []
}

/** Held against the limit two standard errors lower: one call of twenty that fails is chance. */
function errorFaults(was: ArmFigures, { calls, error_rate: rate }: ArmFigures): string[] {
  if (calls < LEAST_CALLS || rate === null) return []
  const least = rate - 2 * Math.sqrt((rate * (1 - rate)) / calls)
  return least > LIVE_LIMITS.error_rate + (was.error_rate ?? 0) ? [`${percent(rate)} of its calls fail`] : []
}

/** How scores met feedback: verdicts, and the mean squared difference (Brier 1950), in [0, 1]. */
export interface Calibration {
  readonly verdicts: number
  readonly brier: number | null
}

/** Why a critic's scores may not be trusted, by what clients said about its answers. */
export function calibrationFaults(was: Calibration, is: Calibration): string[] {
  if (was.verdicts < LEAST_VERDICTS || is.verdicts < LEAST_VERDICTS) return []
  const rise = (is.brier ?? 0) - (was.brier ?? 0)
  return rise > LIVE_LIMITS.brier ? [`its scores miss feedback by ${rise.toFixed(2)} more`] : []
}
