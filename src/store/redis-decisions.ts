// The decision record on Redis: a list of entries, appended only where it was read. Knows nothing of what was decided.
import { nextDecision, readDecision } from './decisions.ts'
import { exec, type Redis, reach, run } from './redis-client.ts'
import { APPEND_DECISION } from './redis-scripts.ts'
import { keepReadable, readServing } from './rows.ts'
import type { Decision, DecisionFacts, Serving, StoreLog } from './types.ts'

/** The decision verbs of the port, on an open connection; `key` puts the prefix before a name. */
export function redisDecisions(redis: Redis, key: (name: string) => string, log: StoreLog | undefined) {
  const entries = key('decisions')
  const ids = key('decisions:ids')
  const pointer = key('serving')

  /** Hashing happens here and not in the script, so whoever comes second reads again: the chain cannot fork. */
  async function append(
    facts: DecisionFacts,
    move?: { readonly from: string; readonly to: Serving },
  ): Promise<Decision | null> {
    for (;;) {
      const reads = redis.multi().llen(entries).lindex(entries, -1).get(pointer).hexists(ids, facts.id)
      const [length, last, serving, isKnown] = (await exec(reads)) as [
        number,
        string | null,
        string | null,
        number,
      ]
      const args: (string | number)[] = [
        length,
        facts.id,
        JSON.stringify(nextDecision({ length, last }, facts)),
      ]
      if (move !== undefined) {
        const now = serving === null ? null : keepReadable([readServing(serving)], 'serving', log)[0]
        if (isKnown === 0 && now?.version !== move.from) return null
        args.push(serving ?? '', JSON.stringify(move.to))
      }
      const [written, entry] = (await run(redis, APPEND_DECISION, [entries, ids, pointer], args)) as [
        number,
        string?,
      ]
      if (written === 1) return readDecision(entry)
    }
  }

  return {
    async appendDecision(facts: DecisionFacts): Promise<Decision> {
      return (await append(facts))!
    },

    moveServing: (from: string, to: Serving, facts: DecisionFacts) => append(facts, { from, to }),

    readDecisions: (): Promise<string[]> => reach(redis.lrange(entries, 0, -1)),
  }
}
