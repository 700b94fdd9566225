// A server's part in a rollout: follows its state, holds the candidate ready, lets it score or serve a share, counts, and takes a
// critic back that serves badly. Decides nothing else; knows no HTTP.
import type { Registry } from '../critic/registry.ts'
import type { Critic, Critique } from '../critic/types.ts'
import { type Log, outageOf } from '../log.ts'
import type { Store } from '../store/types.ts'
import { createCalibrations } from './calibration.ts'
import { type Answered, type Comparer, createComparer } from './compare.ts'
import { armFaults, calibrationFaults } from './limits.ts'
import { changeRollout, type Rollout, readRollout, readTallies, writeTally } from './state.ts'
import { placeOf } from './sticky.ts'
import { armFigures, count, EMPTY_TALLY, type Tally } from './tally.ts'

export interface DeskOptions {
  readonly store: Store
  readonly registry: Pick<Registry, 'current' | 'follow' | 'get' | 'hold' | 'withdraw'>
  readonly owner: string
  readonly log: Log
  /** Unix milliseconds. */
  readonly now: () => number
  /** Milliseconds, monotonic: how long calls take. */
  readonly stopwatch?: () => number
  readonly everyMs?: number
}

/** Who answers, and who does in its place when it fails; null for nobody. */
interface Routed {
  readonly critic: Critic
  readonly fallback: Critic | null
}

export interface Desk {
  /** The critic for a request: what serves, or the candidate for its share of clients. */
  criticFor(client: string): Routed
  /** Looks at the shared state now: the timer's work, for tests. */
  look(): Promise<void>
  close(): Promise<void>
}

const EVERY_MS = 1000

/** Starts following the rollouts of `store`. */
export function openDesk(options: DeskOptions): Desk {
  const {
    store,
    registry,
    owner,
    log,
    now,
    stopwatch = () => performance.now(),
    everyMs = EVERY_MS,
  } = options
  let active: Active | null = null
  const calibrationOf = createCalibrations(store, now)
  const following = outageOf(log, 'this server cannot follow which critic serves')
  const holding = outageOf(log, 'this server cannot load what is tried out')
  const looking = outageOf(log, 'this server cannot follow the shared state')

  /** Follows pointer and rollout, hands in what was counted. */
  async function look(): Promise<void> {
    await registry.follow().then(following.worked, following.failed)
    const found = await readRollout(store)
    const rollout = found?.rollout ?? null
    if (active && (active.rollout.id !== rollout?.id || active.rollout.stage !== rollout.stage)) {
      await active.end()
      active = null
    }
    if (rollout === null) return
    active ??= await enter(rollout)
    if (active === null) return
    await writeTally(store, rollout, owner, active.tally())
    if (rollout.stage === 'watch') await watch(rollout)
  }

  async function enter(rollout: Rollout): Promise<Active | null> {
    try {
      const release = await registry.hold(rollout.candidate)
      holding.worked()
      return activate(rollout, registry.get(rollout.candidate), release, stopwatch)
    } catch (error) {
      holding.failed(error) // its folder may come to this machine later
      return null
    }
  }

  /** Takes back what serves badly; of several servers that see it one does. */
  async function watch(rollout: Rollout): Promise<void> {
    const { candidate, parent, baseline, id } = rollout
    const isStill = registry.current().version === candidate
    if (isStill && baseline && now() < rollout.until) {
      const { candidate: arm } = await readTallies(store, rollout)
      const calibration = await calibrationOf(candidate, rollout.since)
      const faults = [
        ...armFaults(baseline.arm, armFigures(arm)),
        ...calibrationFaults(baseline.calibration, calibration),
      ]
      if (faults.length === 0) return
      const reason = `Taken back for ${parent}: ${faults.join(', and ')}.`
      const figures = { was: baseline, is: { arm: armFigures(arm), calibration } }
      const why = { kind: 'rollback', by: 'watch', reason, figures, id: `${id}:watch` } as const
      if ((await registry.withdraw(candidate, why)) !== null)
        log.error({ critic: candidate, reason }, 'critic taken back')
    } else if (isStill && now() < rollout.until) return
    await changeRollout(store, state => (state?.id === id && state.stage === 'watch' ? 'end' : null))
  }

  let last: Promise<void> = Promise.resolve()
  const again = () => {
    last = last.then(look).then(looking.worked, looking.failed)
    return last
  }
  const timer = setInterval(again, everyMs)
  timer.unref()

  return {
    criticFor: client =>
      active?.criticFor(registry.current(), client) ?? { critic: registry.current(), fallback: null },
    look: again,
    async close() {
      clearInterval(timer)
      await last
      await active?.end()
    },
  }
}

interface Active {
  readonly rollout: Rollout
  criticFor(serving: Critic, client: string): Routed
  tally(): Tally
  end(): Promise<void>
}

function activate(rollout: Rollout, candidate: Critic, release: () => void, stopwatch: () => number): Active {
  const { stage, share } = rollout
  const comparer: Comparer | null = stage === 'shadow' ? createComparer(candidate, stopwatch) : null
  const observed = observer(stopwatch)
  let requests = 0
  const arms = { serving: EMPTY_TALLY.serving, candidate: EMPTY_TALLY.candidate }
  const counting = (name: keyof typeof arms) => (call: Parameters<typeof count>[1]) => {
    arms[name] = count(arms[name], call)
  }
  return {
    rollout,
    criticFor(serving, client) {
      // In shadow nobody notices: of one client alone a share must be compared too, not all or nothing.
      const isIn = placeOf(rollout.candidate, comparer ? String(requests++) : client) < share
      if (comparer)
        return { critic: isIn ? observed(serving, undefined, comparer.offer) : serving, fallback: null }
      if (stage === 'canary' && isIn && serving.version === rollout.parent)
        return { critic: observed(candidate, counting('candidate')), fallback: serving }
      const arm = serving.version === rollout.candidate ? 'candidate' : 'serving'
      return { critic: observed(serving, counting(arm)), fallback: null }
    },
    tally: () => comparer?.tally() ?? { ...EMPTY_TALLY, ...arms },
    async end() {
      await comparer?.close()
      release()
    },
  }
}

type Seen = (call: Parameters<typeof count>[1]) => void

/** Makes critics whose calls are told to `see`, and answers to `offer`. Calls that their client left do not count. */
const observer =
  (stopwatch: () => number) =>
  (critic: Critic, see?: Seen, offer?: (answered: Answered) => void): Critic => ({
    version: critic.version,
    threshold: critic.threshold,
    async judge(items, signal, onTiming) {
      const start = stopwatch()
      let found: Critique[]
      try {
        found = await critic.judge(items, signal, onTiming)
      } catch (error) {
        if (!signal?.aborted && (error as { code?: unknown }).code !== 'OVERLOADED') see?.('error')
        throw error
      }
      const ms = stopwatch() - start
      const scores = found.flatMap(({ steps }) => steps.flatMap(({ score }) => score ?? []))
      see?.({ ms, tokens: found.reduce((sum, { tokens }) => sum + tokens, 0), scores })
      offer?.({ items, found, threshold: critic.threshold, ms })
      return found
    },
  })
