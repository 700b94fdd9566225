// Looks now and then at what shows slowly: drift of the serving critic's scores, how they meet feedback, and what live traffic says of
// a candidate. Wires rollout and store to metrics; decides nothing.

import type { Critic } from './critic/types.ts'
import { type Log, outageOf } from './log.ts'
import { repeat } from './repeat.ts'
import { calibrationOf } from './rollout/calibration.ts'
import { canaryDrift } from './rollout/canaries.ts'
import { showRollout } from './rollout/show.ts'
import { type Reading, trialReadings } from './round-metrics.ts'
import type { Store } from './store/types.ts'

export interface MonitorOptions {
  readonly store: Store
  /** The one that serves. */
  readonly critic: () => Critic
  readonly gauge: (reading: Reading) => void
  /** Unix milliseconds. */
  readonly now: () => number
  readonly log: Pick<Log, 'warn' | 'info'>
  /** A minute when left out. */
  readonly everyMs?: number
}

const MINUTE_MS = 60_000
const HOUR_MS = 3_600_000

/** Looks at once, then every minute; returns what stops it. */
export function startMonitor({
  store,
  critic,
  gauge,
  now,
  log,
  everyMs = MINUTE_MS,
}: MonitorOptions): () => Promise<void> {
  async function look(): Promise<void> {
    const serving = critic()
    gauge({ name: 'spar_canary_score_drift', value: await canaryDrift(store, serving) })
    const { brier } = await calibrationOf(store, serving.version, now() - HOUR_MS)
    if (brier !== null) gauge({ name: 'spar_calibration_brier', value: brier, labels: { critic: 'serving' } })
    const rollout = await showRollout(store).show()
    for (const reading of rollout === null ? [] : trialReadings(rollout.figures)) gauge(reading)
  }
  return repeat(look, everyMs, outageOf(log, 'the monitors cannot look'))
}
