// Which traffic may teach: nobody's share is too large, and nobody's feedback that says the opposite of everything counts.
// Knows no model and no store.
import type { LabelledTraffic } from '../../store/types.ts'
import { auc, type Judged, mean } from '../eval/metrics.ts'
import type { Figures } from './messages.ts'
import { solutionKey } from './outcomes.ts'
import { ANONYMOUS, clientOf, hear, speakerOf } from './words.ts'

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

/** So many records of a client are never too many: a second, quiet client must not silence the first. */
const LEAST_CAP = 200
/** Fewer verdicts of a client than this say nothing about it. */
const LEAST_VERDICTS = 30
/**
 * Feedback that orders solutions against the critic that scored them this clearly was turned around. A critic that knows nothing of the
 * traffic is at .5, not below: mistakes that all clients see in it do not come from one of them.
 */
const INVERTED = 0.35

/** Traffic, newest first, without what must not teach. */
export function admit(all: readonly LabelledTraffic[], { share, without = [] }: AdmitOptions): Admitted {
  const wanted = all
    .filter(({ record }) => !without.includes(clientOf(record)))
    .map(one => withoutWordsOf(without, one))
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

/** The same traffic where nobody opted out of what is said of it. */
function withoutWordsOf(without: readonly string[], one: LabelledTraffic): LabelledTraffic {
  const feedback = one.feedback.filter(item => !without.includes(speakerOf(item, one.record)))
  return feedback.length === one.feedback.length ? one : { ...one, feedback }
}

/** Scores of one thing a client spoke of, and what it said last; a client that says first one thing and then the other has said the other. */
type Said = Map<string, Judged & { readonly at: number }>

/** What each client said of solutions, or of their steps, beside the scores that they had. */
function saidBy(traffic: readonly LabelledTraffic[], of: 'solutions' | 'steps'): Map<string, Judged[]> {
  const all = new Map<string, Said>()
  for (const { record, feedback } of traffic) {
    const { steps = [], scores = [] } = record.candidates[0] ?? {}
    const known = scores.filter(score => score !== null)
    const key = solutionKey(record.problem, steps)
    for (const item of feedback) {
      const speaker = speakerOf(item, record)
      const said: Said = all.get(speaker) ?? new Map()
      all.set(speaker, said)
      const say = (what: string, score: number | null, right: boolean | null | undefined) => {
        if (right != null && score !== null) hear(said, what, { score, right, at: item.at })
      }
      if (of === 'solutions') say(key, known.length === 0 ? null : mean(known), item.answer_correct)
      else for (const [i, score] of scores.entries()) say(`${i} ${key}`, score, item.step_labels?.[i])
    }
  }
  return new Map([...all].map(([speaker, said]) => [speaker, [...said.values()]]))
}

/** Clients with a key whose feedback, on solutions or on steps, turns around what the critic said, where that of the others does not. */
const invertedClients = (traffic: readonly LabelledTraffic[]): Set<string> =>
  new Set([...invertedIn(traffic, 'solutions'), ...invertedIn(traffic, 'steps')])

/** A single client has no others. */
function invertedIn(traffic: readonly LabelledTraffic[], of: 'solutions' | 'steps'): Set<string> {
  const verdicts = saidBy(traffic, of)
  const isAlone = new Set([...traffic.map(({ record }) => clientOf(record)), ...verdicts.keys()]).size < 2
  const suspects = [...verdicts].filter(([client, own]) => client !== ANONYMOUS && isInverted(own))
  const names = new Set(suspects.map(([client]) => client))
  const others = [...verdicts].flatMap(([client, judged]) => (names.has(client) ? [] : judged))
  return isAlone || isInverted(others) ? new Set() : names
}

/** Of a few wrong ones among many right ones chance makes any order: two standard errors of a critic that knows nothing count as chance. */
function isInverted(judged: readonly Judged[]): boolean {
  const right = judged.filter(one => one.right).length
  const wrong = judged.length - right
  const error = Math.sqrt((judged.length + 1) / (12 * right * wrong)) // of a U statistic (Mann and Whitney 1947)
  return judged.length >= LEAST_VERDICTS && auc(judged) < Math.min(INVERTED, 0.5 - 2 * error)
}

/** How well feedback and the scores at the time order the same solutions, in [0, 1]; null where it cannot be said. */
function agreement(traffic: readonly LabelledTraffic[]): number | null {
  const value = auc([...saidBy(traffic, 'solutions').values()].flat())
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
