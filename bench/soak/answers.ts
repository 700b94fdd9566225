// Reads what a service answered and notes it, or what is wrong with it. Knows no connection.
import type { Posted, Work } from '../lib/load.ts'
import { type Ledger, tally } from './ledger.ts'

interface Critique {
  readonly critic: string
  readonly threshold: number
  readonly request_id: string
  readonly steps: readonly { readonly score: number | null; readonly verdict: string | null }[]
}

/** @returns ids to give feedback on */
export function readCritiques(
  ledger: Ledger,
  items: readonly Work[],
  { body }: Posted,
  id?: string,
): string[] {
  const answer = JSON.parse(body) as Critique & { readonly results?: readonly Critique[] }
  const critiques = answer.results ?? [answer]
  if (critiques.length !== items.length) tally(ledger.wrong, 'not as many critiques as items')
  if (id !== undefined && answer.request_id !== id) tally(ledger.wrong, 'another id than was sent')
  return critiques.map(({ critic, threshold, request_id, steps }, i) => {
    const scores = steps.map(({ score }) => score)
    const isWorded = steps.every(
      ({ score, verdict }) => score === null || (score >= threshold ? 'right' : 'wrong') === verdict,
    )
    if (!isWorded) tally(ledger.wrong, 'a verdict contradicts its score')
    ledger.answered(request_id, critic, { ...items[i]!, scores })
    return request_id
  })
}

interface SearchAnswer {
  readonly id: string
  readonly critic: string
  readonly answer: string | null
  readonly finish_reason: string
  readonly steps: readonly { readonly text: string; readonly score: number | null }[]
  readonly candidates: readonly { readonly answer: string | null }[]
  readonly usage: { readonly llm: { readonly calls: number } }
}

/** @returns the id to give feedback on */
export function readSearch(
  ledger: Ledger,
  { problem, budget }: { readonly problem: string; readonly budget: { readonly max_calls: number } },
  { body }: Posted,
): string[] {
  const found = JSON.parse(body) as SearchAnswer
  const { id, critic, answer, finish_reason, steps, candidates, usage } = found
  if (usage.llm.calls > budget.max_calls) tally(ledger.wrong, 'a search over its budget')
  if (steps.length === 0) tally(ledger.wrong, 'a search without a solution')
  if (answer === null && candidates.some(candidate => candidate.answer !== null))
    tally(ledger.wrong, 'a search without an answer')
  const scores = steps.map(({ score }) => score)
  // What a deadline cut short may have steps that nobody judged: there is nothing to compare.
  const isJudged = scores.every(score => score !== null)
  if (!isJudged && finish_reason === 'complete') tally(ledger.wrong, 'a search left a step without a score')
  if (isJudged) ledger.answered(id, critic, { problem, steps: steps.map(({ text }) => text), scores })
  else ledger.promise(id, { critic, scores: [] })
  return [id]
}

interface ChatAnswer {
  readonly choices: readonly { readonly message: { readonly content: string | null } }[]
  readonly spar: { readonly id: string; readonly critic: string }
}

export function readChat(ledger: Ledger, { body }: Posted): void {
  const { choices, spar } = JSON.parse(body) as ChatAnswer
  if (!choices[0]?.message.content) tally(ledger.wrong, 'a chat without content')
  ledger.promise(spar.id, { critic: spar.critic, scores: [] })
}
