// Tries a candidate out before it serves: in shadow, then on a share of the traffic. The job's trainer runs it; servers do the work.
// Taken up where it was when the trainer died. Knows no critic and no HTTP.
import { setTimeout as sleep } from 'node:timers/promises'
import { isAway } from '../errors.ts'
import type { Store } from '../store/types.ts'
import { calibrationOf, createCalibrations } from './calibration.ts'
import { armFaults, calibrationFaults, shadowFaults, timeFaults } from './limits.ts'
import { changeRollout, type Rollout, readRollout, readTallies, type Stage } from './state.ts'
import { EMPTY_TALLY, type TallyFigures, tallyFigures } from './tally.ts'

/** How long each stage takes, at most, and the share of the traffic; a stage of 0 minutes is left out. */
export interface RolloutPlan {
  readonly shadow: { readonly minutes: number; readonly share: number }
  readonly canary: { readonly minutes: number; readonly share: number }
  readonly watch: { readonly minutes: number }
}

export interface RolloutOptions {
  readonly store: Store
  readonly plan: RolloutPlan
  /** Of the job. */
  readonly id: string
  readonly candidate: string
  readonly parent: string
  /** Unix milliseconds. */
  readonly now: () => number
  readonly signal: AbortSignal
  readonly report: (stage: Stage, figures: TrialFigures) => Promise<void>
  readonly pollMs?: number
}

export type TrialFigures = Readonly<Partial<Record<Stage, TallyFigures>>>

export type Trial =
  | { readonly kind: 'passed'; readonly figures: TrialFigures }
  | { readonly kind: 'refused'; readonly by: string; readonly reason: string; readonly figures: TrialFigures }

/** So many steps are enough to compare two critics in shadow. */
const ENOUGH_STEPS = 5000
const MINUTE_MS = 60_000
const POLL_MS = 500
const STAGES = ['shadow', 'canary'] as const

/** Shadow, then canary; refused at the first fault. @throws the signal's reason, and leaves the rollout to whoever takes the job up. */
export async function tryOut(options: RolloutOptions): Promise<Trial> {
  const { store, id, plan } = options
  let figures: TrialFigures = {}
  if (STAGES.some(stage => plan[stage].minutes > 0)) await othersWatched(options)
  const begun = (await readRollout(store))?.rollout
  const first = begun?.id === id ? STAGES.indexOf(begun.stage as (typeof STAGES)[number]) : 0
  for (const stage of STAGES.slice(Math.max(0, first))) {
    if (plan[stage].minutes <= 0) continue
    const trial = await runStage(options, stage, figures)
    figures = trial.figures
    if (trial.kind === 'refused') {
      await endRollout(store, id)
      return trial
    }
  }
  return { kind: 'passed', figures }
}

/**
 * Waits while what was promoted last is watched: only one rollout is followed at a time, and a watch that the next candidate cut short would take
 * back nobody. Who skips the watch ends the wait.
 */
async function othersWatched({
  store,
  id,
  now,
  signal,
  report,
  pollMs = POLL_MS,
}: RolloutOptions): Promise<void> {
  for (let looks = 0; ; looks++) {
    const other = (await readRollout(store))?.rollout
    if (other === undefined || other.id === id || other.stage !== 'watch' || now() >= other.until) return
    if (looks === 0) await report('watch', {})
    await sleep(pollMs, undefined, { signal })
  }
}

async function runStage(
  options: RolloutOptions,
  stage: (typeof STAGES)[number],
  before: TrialFigures,
): Promise<Trial> {
  const { store, id, candidate, parent, plan, now, signal, report, pollMs = POLL_MS } = options
  const { minutes, share } = plan[stage]
  const start = now()
  const begin = { id, candidate, parent, stage, since: start, until: start + minutes * MINUTE_MS, share }
  await changeRollout(store, state => (state?.id === id && state.stage === stage ? null : begin))
  let figures = before
  const calibrations = createCalibrations(store, now)
  for (;;) {
    await sleep(pollMs, undefined, { signal })
    const seen = await look(options, stage, calibrations).catch(error => {
      // A store that is away for a moment ends nothing; servers go on with what they know.
      if (isAway(error)) return 'away' as const
      throw error
    })
    if (seen === 'away') continue
    if (seen === null) return { ...refusal('admin', 'The rollout was ended from outside.'), figures: before }
    const { rollout, told, faults } = seen
    figures = { ...before, [stage]: told }
    await report(stage, figures)
    if (rollout.wish === 'abort')
      return { ...refusal('admin', `Ended by hand in the stage ${stage}.`), figures }
    if (faults.length > 0)
      return { ...refusal(stage, `Refused in the stage ${stage}: ${faults.join(', and ')}.`), figures }
    const isEnough = stage === 'shadow' && told.compared_steps >= ENOUGH_STEPS
    if (rollout.wish === 'skip' || isEnough || now() >= rollout.until) return { kind: 'passed', figures }
  }
}

/** What servers counted in this stage so far; null when the rollout is not this job's any more. */
async function look(
  { store, id }: RolloutOptions,
  stage: (typeof STAGES)[number],
  calibrations: Calibrations,
) {
  const rollout = (await readRollout(store))?.rollout
  if (rollout?.id !== id) return null
  const told = tallyFigures(await readTallies(store, rollout))
  const faults = stage === 'shadow' ? shadowFaults(told) : await canaryFaults(calibrations, rollout, told)
  return { rollout, told, faults }
}

const refusal = (by: string, reason: string) => ({ kind: 'refused', by, reason }) as const

type Calibrations = ReturnType<typeof createCalibrations>

async function canaryFaults(
  calibrations: Calibrations,
  rollout: Rollout,
  told: TallyFigures,
): Promise<string[]> {
  const [was, is] = await Promise.all(
    [rollout.parent, rollout.candidate].map(version => calibrations(version, rollout.since)),
  )
  const { serving, candidate: arm } = told
  return [...armFaults(serving, arm), ...timeFaults(serving, arm), ...calibrationFaults(was!, is!)]
}

/** From now on servers watch what was promoted, against what served before. Without minutes nothing is watched. */
export async function startWatch(
  {
    store,
    plan,
    id,
    candidate,
    parent,
    now,
  }: Pick<RolloutOptions, 'store' | 'plan' | 'id' | 'candidate' | 'parent' | 'now'>,
  figures: TrialFigures,
): Promise<void> {
  if (plan.watch.minutes <= 0) return endRollout(store, id)
  const since = now()
  const arm = (figures.canary ?? figures.shadow ?? tallyFigures(EMPTY_TALLY)).serving
  const baseline = { arm, calibration: await calibrationOf(store, parent, 0) }
  const until = since + plan.watch.minutes * MINUTE_MS
  await changeRollout(store, () => ({
    id,
    candidate,
    parent,
    stage: 'watch',
    since,
    until,
    share: 1,
    baseline,
  }))
}

/** The same, unless this job's watch has begun: for whoever finds what a trainer promoted that died then. */
export async function startMissedWatch(options: Parameters<typeof startWatch>[0]): Promise<TrialFigures> {
  const rollout = (await readRollout(options.store))?.rollout
  const isOurs = rollout?.id === options.id
  if (isOurs && rollout.stage === 'watch') return {}
  const figures = isOurs ? { [rollout.stage]: tallyFigures(await readTallies(options.store, rollout)) } : {}
  await startWatch(options, figures)
  return figures
}

/** Nothing of this job is tried out any more. */
export async function endRollout(store: Store, id: string): Promise<void> {
  await changeRollout(store, state => (state?.id === id ? 'end' : null))
}
