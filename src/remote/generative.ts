// A chat model as a critic: asked about one step at a time, several times, and the share of its votes is the score
// (SPC's critic, arXiv 2504.19162). Knows no transport.
import { createHash } from 'node:crypto'
import type { Critic, CritiqueItem, JudgedExample } from '../critic/types.ts'
import type { Chat } from '../llm/chat.ts'
import {
  type Calls,
  createRemoteCritic,
  type ItemJudgement,
  type Judgement,
  type RemoteOptions,
  wordReason,
} from './judging.ts'
import { createMemory } from './memory.ts'
import { spcMessages } from './spc-prompt.ts'
import { rationaleOf, readJudgement } from './spc-reply.ts'

export interface GenerativeOptions extends RemoteOptions {
  readonly chat: Chat
  /** Votes on a step. */
  readonly samples: number
  readonly temperature: number
  readonly maxTokens: number
  readonly examples: readonly JudgedExample[]
}

interface Vote {
  readonly right: boolean | null
  readonly text: string
  readonly tokens: number
}

interface JudgedStep {
  readonly judgement: Judgement
  readonly tokens: number
}

/** Steps whose judgement is remembered: a search asks about the same steps again and again as its paths grow. */
const REMEMBERED = 4096

/** A critic by words. Its judgement of a step depends on the steps before it and never on those after. */
export function createGenerativeCritic(options: GenerativeOptions): Critic {
  const create = createRemoteCritic(options)
  const memory = createMemory<Judgement>(REMEMBERED)

  async function judgeStep(
    key: string,
    item: CritiqueItem,
    examples: readonly JudgedExample[],
    calls: Calls,
  ): Promise<JudgedStep> {
    const kept = memory.get(key)
    if (kept !== undefined) return { judgement: kept, tokens: 0 }
    const messages = spcMessages(item, examples)
    const settled = await Promise.allSettled(
      Array.from({ length: options.samples }, (_, i) => vote(options, messages, i + 1, calls)),
    )
    const votes = settled.flatMap(one => (one.status === 'fulfilled' ? [one.value] : []))
    const failed = settled.find(one => one.status === 'rejected')
    const judgement = count(votes, failed?.reason)
    // What an endpoint failed at may go well the next time.
    if (failed === undefined) memory.set(key, judgement)
    return { judgement, tokens: votes.reduce((sum, { tokens }) => sum + tokens, 0) }
  }

  function withExamples(examples: readonly JudgedExample[]): Critic {
    const critic = create((items, calls) => {
      const asked = new Map<string, Promise<JudgedStep>>()
      /** The paths of one call share steps: each is asked about once. */
      const judgeOnce = ({ problem, steps }: CritiqueItem, step: number): Promise<JudgedStep> => {
        const upTo = { problem, steps: steps.slice(0, step + 1) }
        const key = keyOf(upTo, examples)
        const earlier = asked.get(key)
        if (earlier !== undefined) return earlier.then(({ judgement }) => ({ judgement, tokens: 0 }))
        const judged = judgeStep(key, upTo, examples, calls)
        asked.set(key, judged)
        return judged
      }
      return items.map(item => judgeItem(item, step => judgeOnce(item, step)))
    })
    return { ...critic, withExamples }
  }

  return withExamples(options.examples)
}

async function judgeItem(
  { steps }: CritiqueItem,
  judge: (step: number) => Promise<JudgedStep>,
): Promise<ItemJudgement> {
  const judged = await Promise.all(steps.map((_, i) => judge(i)))
  return {
    steps: judged.map(({ judgement }) => judgement),
    tokens: judged.reduce((sum, { tokens }) => sum + tokens, 0),
  }
}

async function vote(
  { chat, temperature, maxTokens }: GenerativeOptions,
  messages: ReturnType<typeof spcMessages>,
  seed: number,
  { run, signal }: Calls,
): Promise<Vote> {
  const { text, usage } = await run(() => chat({ messages, temperature, maxTokens, seed }, signal))
  return { right: readJudgement(text), text, tokens: usage.prompt_tokens + usage.completion_tokens }
}

/** The share of the votes for right, with the words of one on the winning side; a draw shows what is held against the step. */
function count(votes: readonly Vote[], failure: unknown): Judgement {
  const right = votes.filter(vote => vote.right === true)
  const wrong = votes.filter(vote => vote.right === false)
  const valid = right.length + wrong.length
  const reason = wordMissing(votes.length - valid, failure)
  if (valid === 0) return { score: null, ...reason }
  const [winner] = right.length > wrong.length ? right : wrong
  return { score: right.length / valid, ...reason, rationale: rationaleOf(winner!.text) }
}

function wordMissing(unread: number, failure: unknown): { reason?: string } {
  if (failure !== undefined) return { reason: wordReason(failure) }
  if (unread === 0) return {}
  const replies = unread === 1 ? '1 reply holds' : `${unread} replies hold`
  return { reason: `LLM_BAD_RESPONSE: ${replies} no verdict.` }
}

const keyOf = (item: CritiqueItem, examples: readonly JudgedExample[]): string =>
  createHash('sha256')
    .update(JSON.stringify([item.problem, item.steps, examples]))
    .digest('base64')
