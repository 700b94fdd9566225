// Pairwise ranking: whole solutions are sampled and compared two by two by the LLM; the highest win rate wins. Knows no LLM that
// cannot be told what to do.
import { createBestWatch, type Entry, select } from './candidate.ts'
import { type Method, type MethodContext, requireInstruction } from './method.ts'
import { answered, argmax, type Ballot, type Choose, scoreRank } from './pick.ts'
import { sampleMany } from './sample.ts'

/** Win rate of each solution that has one. */
type Rates = Map<Ballot, number>

/** The answered first, then the highest win rate, then the highest score. Votes are the win rates. */
const byRate =
  (rates: Rates): Choose =>
  ballots => {
    const rateOf = (ballot: Ballot) => rates.get(ballot) ?? 0
    const winner = argmax(
      ballots.map(ballot => [answered(ballot), rateOf(ballot), ...scoreRank(ballot.logScore)]),
    )
    return { winner, votes: ballots.map(rateOf) }
  }

type Duel = readonly [first: number, second: number]

/**
 * Both orders of every pair whose answers differ, neighbours first: a budget that runs out has then compared all about equally often.
 */
function duelsOf(entries: readonly Entry[]): Duel[] {
  const duels: Duel[] = []
  for (let distance = 1; distance < entries.length; distance++) {
    for (let i = 0; i + distance < entries.length; i++) {
      const j = i + distance
      if (entries[i]!.key !== entries[j]!.key) duels.push([i, j], [j, i])
    }
  }
  return duels
}

/** Index of the winner; null when the LLM did not say or was not asked. */
async function fight(context: MethodContext, entries: readonly Entry[], duel: Duel): Promise<number | null> {
  const [first, second] = duel.map(i => entries[i]!) as [Entry, Entry]
  const aim = { kind: 'compare', first: first.candidate.solution, second: second.candidate.solution } as const
  const { max_tokens: maxTokens } = context.params
  const ask = { aim, steps: [], until: 'end', temperature: 0, maxTokens } as const
  const outcome = await context.calls.propose([first.branch, second.branch], ask)
  if (outcome.kind !== 'proposal') return null
  const verdict = context.world.verdict(outcome.proposal.text)
  if (verdict === null) return null
  return verdict === 'first' ? duel[0] : duel[1]
}

/** Part of a pair's one win that the verdict of one order moves: a pair without any verdict is half a win each. */
const STAKE = 0.25

/** Win rates against all others; between solutions that agree, and where nothing was found out, half a win each. */
async function compareAll(context: MethodContext, entries: readonly Entry[], rates: Rates): Promise<void> {
  const duels = duelsOf(entries)
  const winners = await Promise.all(duels.map(duel => fight(context, entries, duel)))
  const others = Math.max(1, entries.length - 1)
  const wins = entries.map(() => others / 2)
  for (const [d, duel] of duels.entries()) {
    if (winners[d] === null) continue
    for (const i of duel) wins[i]! += i === winners[d] ? STAKE : -STAKE
  }
  for (const [i, entry] of entries.entries()) rates.set(entry, wins[i]! / others)
}

/**
 * Samples `n` solutions and takes the one with the highest win rate against the others (SPO, Swamy et al. 2024). Each pair is
 * judged in both orders, which cancels a judge's liking for a position. Solutions without an answer do not take part.
 */
export const pairwise: Method = async function* pairwise(context) {
  requireInstruction(context, 'pairwise')
  const entries: Entry[] = []
  const rates: Rates = new Map()
  const choose = byRate(rates)
  const watchBest = createBestWatch(choose)
  yield* sampleMany(context, { first: 0, count: context.params.n, entries, watchBest })
  const answers = entries.filter(({ key }) => key !== null)
  await compareAll(context, answers, rates)
  yield* watchBest(entries)
  return select(entries, choose)
}
