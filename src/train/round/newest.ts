// Reads what a round looks at: the newest traffic, of which a client that floods the log cannot push out what the others sent. Knows no label.
import type { LabelledTraffic, Store } from '../../store/types.ts'
import { clientOf } from './words.ts'

const PAGE = 1000
/** So many records are looked through for each that is wanted. */
const DEPTH = 5

/**
 * At most `most` records, newest first. Where there are more, whoever has the most records has as many of its newest ones as let the others keep
 * theirs: beside a flood the read goes on to what is older. It looks through five times `most`, so that it ends.
 */
export async function readNewest(
  store: Pick<Store, 'readTraffic'>,
  most: number,
): Promise<LabelledTraffic[]> {
  const byClient = new Map<string, { readonly place: number; readonly one: LabelledTraffic }[]>()
  const seen = new Set<string>()
  let cap = most
  for (let skip = 0; skip < DEPTH * most; skip += PAGE) {
    const page = await store.readTraffic({ limit: Math.min(PAGE, DEPTH * most - skip), skip })
    if (page.length === 0) break
    for (const one of page) {
      if (seen.has(one.record.id)) continue
      const client = clientOf(one.record)
      const own = byClient.get(client) ?? []
      byClient.set(client, own)
      if (own.length < cap) own.push({ place: seen.size, one })
      seen.add(one.record.id)
    }
    cap = levelOf(
      [...byClient.values()].map(own => own.length),
      most,
    )
    for (const own of byClient.values()) own.splice(cap)
  }
  const kept = [...byClient.values()].flat().toSorted((a, b) => a.place - b.place)
  return kept.slice(0, most).map(({ one }) => one)
}

/** The largest number each may have so that all together have at most `most`; one at least. */
function levelOf(counts: readonly number[], most: number): number {
  let [left, others] = [most, counts.length]
  for (const count of counts.toSorted((a, b) => a - b)) {
    if (count * others > left) return Math.max(1, Math.floor(left / others))
    left -= count
    others--
  }
  return most
}
