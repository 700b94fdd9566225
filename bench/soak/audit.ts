// After a soak: compares what clients were told with what the traffic log holds and with what each critic says when asked alone. Knows
// no HTTP.
import { existsSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { SHIPPED_CRITIC } from '../../src/cli/options.ts'
import { openScorer } from '../../src/critic/scorer.ts'
import { checkChain } from '../../src/store/decisions.ts'
import type { LabelledTraffic, Store } from '../../src/store/types.ts'
import { agree, type Ledger, tally } from './ledger.ts'

export interface Audit {
  /** Answered with 200 and not in the log. */
  readonly lost_traffic: number
  /** Accepted and not in the log. */
  readonly lost_feedback: number
  /** Whether the decision record's chain is whole. */
  readonly decisions: number
}

/** Every input each version scored is scored once more by its artifact alone; what differs is counted as wrong. @returns how many were compared */
export async function auditScores(ledger: Ledger, trainedDir: string): Promise<number> {
  let compared = 0
  for (const [version, scored] of ledger.first) {
    const own = join(trainedDir, version)
    const scorer = await openScorer(existsSync(own) ? own : join(dirname(SHIPPED_CRITIC), version))
    for (const item of scored.values()) {
      const [truth] = await scorer.judge([item])
      const scores = truth!.steps.map(({ score }) => score)
      if (!agree(item.scores, scores))
        tally(ledger.wrong, `${version} answered ${item.scores} and says ${scores} when asked alone`)
      compared++
    }
    await scorer.release()
  }
  return compared
}

/** Waits until as much is in the log as was promised, `patienceMs` at most. */
export async function untilDelivered(store: Store, ledger: Ledger, patienceMs: number): Promise<void> {
  const deadline = performance.now() + patienceMs
  while ((await store.countTraffic()) < ledger.promised.size && performance.now() < deadline) await sleep(500)
}

/** Compares what was promised with what the log holds. */
export async function auditStore(store: Store, ledger: Ledger): Promise<Audit> {
  const found = new Map<string, LabelledTraffic>()
  for (const entry of await store.readTraffic({ limit: 10_000_000 })) found.set(entry.record.id, entry)
  for (const [id, { critic, scores }] of ledger.promised) {
    const record = found.get(id)?.record
    const [candidate] = record?.candidates ?? []
    if (candidate && record?.critic === critic && scores.length > 0 && !agree(scores, candidate.scores))
      tally(ledger.wrong, 'the log holds other scores than were answered')
  }
  const hasFeedback = ([id, isRight]: [string, boolean]) =>
    found.get(id)?.feedback.some(({ answer_correct }) => answer_correct === isRight) === true
  const chain = checkChain(await store.readDecisions())
  if (!chain.ok) tally(ledger.wrong, 'the decision record is broken')
  return {
    lost_traffic: [...ledger.promised.keys()].filter(id => !found.has(id)).length,
    lost_feedback: [...ledger.feedback].filter(entry => !hasFeedback(entry)).length,
    decisions: chain.entries,
  }
}
