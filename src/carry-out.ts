// What follows a round's decision: a winner is tried out and comes to serve, a loser's refusal is recorded. Knows no round's process and no lease.
import type { Registry } from './critic/registry.ts'
import { refusalFacts } from './decision-facts.ts'
import {
  endRollout,
  type RolloutPlan,
  startMissedWatch,
  startWatch,
  type TrialFigures,
  tryOut,
} from './rollout/run.ts'
import type { JobChange, Store } from './store/types.ts'
import type { RoundNews } from './train/round/messages.ts'

export interface SuccessionOptions {
  readonly store: Store
  readonly registry: Pick<Registry, 'current' | 'list' | 'originOf' | 'succeed'>
  /** Unix milliseconds. */
  readonly now: () => number
  /** How a winner is tried out before it serves; at once when left out. */
  readonly rollout?: RolloutPlan
  /** How often what servers counted is looked at. */
  readonly pollMs?: number
}

type Decided = Extract<RoundNews, { kind: 'done' }>

/** What a job's round made, and what its gate said of it. */
export interface Candidate {
  /** Id of the job. */
  readonly job: string
  readonly version: string
  readonly decided: Decided
}

export type CarriedOut = Pick<Decided, 'decision' | 'reason' | 'figures'>

const AT_ONCE: RolloutPlan = {
  shadow: { minutes: 0, share: 0 },
  canary: { minutes: 0, share: 0 },
  watch: { minutes: 0 },
}

/**
 * Tries a winner out and lets it serve, unless another critic was put in its parent's place meanwhile: the winner was never compared
 * with that. @throws the signal's reason
 */
export async function carryOut(
  options: SuccessionOptions,
  candidate: Candidate,
  change: (fields: JobChange) => Promise<void>,
  signal: AbortSignal,
): Promise<CarriedOut> {
  const { store, registry, now } = options
  const { job, version, decided } = candidate
  const { decision, reason } = decided
  if (decision === 'rejected') return refuse(options, candidate, decided)
  const parent = registry.list().find(critic => critic.version === version)?.parent ?? ''
  const others = `Not worse than ${parent}, but by the end of the round another critic served. Promote ${version} by hand to use it.`
  if (![parent, version].includes(registry.current().version))
    return refuse(options, candidate, { ...decided, reason: others })
  const trial = { store, plan: options.rollout ?? AT_ONCE, id: job, candidate: version, parent, now }
  if (registry.current().version === version) {
    const rollout = await startMissedWatch(trial) // promoted by an earlier run of this job
    return { ...decided, figures: withTrial(decided.figures, rollout) }
  }
  const tried = await tryOut({
    ...trial,
    ...(options.pollMs !== undefined && { pollMs: options.pollMs }),
    signal,
    report: (stage, rollout) => change({ stage, percent: 99, figures: { ...decided.figures, rollout } }),
  })
  const figures = withTrial(decided.figures, tried.figures)
  if (tried.kind === 'refused') return refuse(options, candidate, { figures, reason: tried.reason }, tried.by)
  await change({ stage: 'promote', percent: 99 }) // which tells whether the job was cancelled or taken over a moment ago
  signal.throwIfAborted()
  const why = {
    kind: 'promotion',
    by: 'gate',
    reason,
    figures: gateFigures(figures),
    id: `${job}:gate`,
  } as const
  if (!(await registry.succeed(parent, version, why))) {
    await endRollout(store, job)
    return refuse(options, candidate, { figures, reason: others })
  }
  await startWatch(trial, tried.figures)
  return { decision, reason, figures }
}

/** Records that a candidate does not come to serve. */
async function refuse(
  { store, registry, now }: SuccessionOptions,
  { job, version }: Candidate,
  { reason, figures }: Pick<Decided, 'reason' | 'figures'>,
  by = 'gate',
): Promise<CarriedOut> {
  const why = { by, reason, figures: gateFigures(figures) }
  const happening = { at: now(), id: `${job}:gate` }
  const serving = registry.current().version
  await store.appendDecision(refusalFacts(version, serving, why, registry.originOf, happening))
  return { decision: 'rejected', reason, figures }
}

/** A round's figures with those of the trial, where there was one. */
const withTrial = (figures: Decided['figures'], rollout: TrialFigures): Decided['figures'] =>
  Object.keys(rollout).length > 0 ? { ...figures, rollout } : figures

/** What of a round's figures belongs to the decision. */
const gateFigures = ({
  gate,
  serving,
  candidate,
  data_hash,
  seed,
}: Decided['figures']): Decided['figures'] => ({
  gate,
  serving,
  candidate,
  data_hash,
  seed,
})
