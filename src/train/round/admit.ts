// Which traffic may teach: nobody's share is too large, and nobody's feedback that says the opposite of everything counts.
// Knows no model and no store.
import type { Feedback, LabelledTraffic } from '../../store/types.ts'
import { auc, type Judged, mean } from '../eval/metrics.ts'
import type { Figures } from './messages.ts'

export interface AdmitOptions {
  /** Largest share of one client, in (0, 1]; where there are few clients, an equal part is always allowed. */
  readonly share: number
  /** Clients that opted out. */
  readonly without?: readonly string[]
}

export interface Admitted {
  readonly traffic: readonly LabelledTraffic[]
  readonly figures: Figures
}

/** Records without a key count as those of one client. */
const ANONYMOUS = ''
/** So many records of a client are never too many: a second, quiet client must not silence the first. */
const LEAST_CAP = 200
/** Fewer verdicts of a client than this say nothing about it. */
const LEAST_VERDICTS = 30
/**
 * Feedback that orders solutions against the critic that scored them this clearly was turned around. A critic that knows nothing of the
 * traffic is at .5, not below: mistakes that all clients see in it do not come from one of them.
 */
const INVERTED = 0.35

const clientOf = (of: { readonly client?: string }): string => of.client ?? ANONYMOUS

/** Traffic, newest first, without what must not teach. */
export function admit(all: readonly LabelledTraffic[], { share, without = [] }: AdmitOptions): Admitted {
  const wanted = all.filter(({ record }) => !without.includes(clientOf(record)))
  const inverted = invertedClients(wanted)
  const heard = wanted.map(({ record, feedback }) => ({
    record,
    feedback: feedback.filter(item => !inverted.has(speakerOf(item, record))),
  }))
  const silenced = wanted.reduce(
    (sum, { feedback }, i) => sum + feedback.length - heard[i]!.feedback.length,
    0,
  )
  // What is left of a flood without its labels would still vote.
  const honest = heard.filter(({ record }) => !inverted.has(clientOf(record)))
  const traffic = capped(honest, share)
  return {
    traffic,
    figures: {
      records: all.length,
      clients: new Set(wanted.map(({ record }) => clientOf(record))).size,
      opted_out: all.length - wanted.length,
      inverted_clients: inverted.size,
      inverted_feedback: silenced,
      over_share: honest.length - traffic.length,
      label_agreement: agreement(wanted),
    },
  }
}

const speakerOf = (item: Feedback, record: LabelledTraffic['record']): string =>
  item.client ?? record.client ?? ANONYMOUS

/** Each client's verdicts with the scores that the solutions had. */
function verdictsOf(traffic: readonly LabelledTraffic[]): Map<string, Judged[]> {
  const verdicts = new Map<string, Judged[]>()
  for (const { record, feedback } of traffic) {
    const scores = record.candidates[0]?.scores.filter(score => score !== null) ?? []
    if (scores.length === 0) continue
    for (const item of feedback) {
      if (item.answer_correct === undefined) continue
      const own = verdicts.get(speakerOf(item, record)) ?? []
      verdicts.set(speakerOf(item, record), own)
      own.push({ score: mean(scores), right: item.answer_correct })
    }
  }
  return verdicts
}

/** Clients with a key whose feedback turns around what the critic said, where that of the others does not. A single one has no others. */
function invertedClients(traffic: readonly LabelledTraffic[]): Set<string> {
  const verdicts = verdictsOf(traffic)
  const isAlone = new Set([...traffic.map(({ record }) => clientOf(record)), ...verdicts.keys()]).size < 2
  const isInverted = (judged: readonly Judged[]) => judged.length >= LEAST_VERDICTS && auc(judged) < INVERTED
  const suspects = [...verdicts].filter(([client, own]) => client !== ANONYMOUS && isInverted(own))
  const names = new Set(suspects.map(([client]) => client))
  const others = [...verdicts].flatMap(([client, judged]) => (names.has(client) ? [] : judged))
  return isAlone || isInverted(others) ? new Set() : names
}

/** How well feedback and the scores at the time order the same solutions, in [0, 1]; null where it cannot be said. */
function agreement(traffic: readonly LabelledTraffic[]): number | null {
  const value = auc([...verdictsOf(traffic).values()].flat())
  return Number.isFinite(value) ? Math.round(value * 1e4) / 1e4 : null
}

/** Drops the oldest records of whoever has more than its share of what is left. */
function capped(traffic: readonly LabelledTraffic[], share: number): LabelledTraffic[] {
  const counts = [...Map.groupBy(traffic, ({ record }) => clientOf(record)).values()].map(own => own.length)
  const cap = capOf(counts, Math.max(share, 1 / Math.max(1, counts.length)))
  const seen = new Map<string, number>()
  return traffic.filter(({ record }) => {
    const count = (seen.get(clientOf(record)) ?? 0) + 1
    seen.set(clientOf(record), count)
    return count <= cap
  })
}

/** The largest number each may give so that nobody's part of the sum is above `share`. */
export function capOf(counts: readonly number[], share: number): number {
  const total = (cap: number) => counts.reduce((sum, n) => sum + Math.min(n, cap), 0)
  let cap = Math.max(0, ...counts)
  // Lowering the cap lowers the total, so it is lowered until both agree; an equal part always does.
  while (cap > LEAST_CAP && cap > Math.ceil(share * total(cap)))
    cap = Math.max(LEAST_CAP, Math.ceil(share * total(cap)))
  return cap
}
