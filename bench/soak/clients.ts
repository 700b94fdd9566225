// Clients behind a load balancer, one request after the other: critiques, searches, chats and feedback. What breaks with a
// killed server is sent to the other one. Knows not what is broken when.
import { setTimeout as sleep } from 'node:timers/promises'
import { createRng, type Rng } from '../../src/train/rng.ts'
import { type Posted, post, type Work } from '../lib/load.ts'
import { readChat, readCritiques, readSearch } from './answers.ts'
import type { Fleet, Server } from './fleet.ts'
import { type Ledger, tally } from './ledger.ts'

/** What a request needs besides itself. */
export interface Sending {
  readonly fleet: Fleet
  readonly ledger: Ledger
  readonly rng: Rng
  readonly say: (text: string) => void
}

export interface ClientOptions extends Omit<Sending, 'rng'> {
  readonly work: readonly Work[]
  readonly clients: number
  readonly seed: string
}

/** A machine with other work may take long; what matters here is whether an answer comes, not when. */
const PATIENCE_MS = 300_000
/** Between two requests of a client. */
const THINK_MS = [500, 2500] as const
const KINDS = ['critique', 'batch', 'feedback', 'search', 'chat'] as const
const SHARES = [66, 8, 20, 4, 2]
const METHODS = ['best_of_n', 'weighted_best_of_n', 'self_consistency', 'beam'] as const
const SEARCH_SEEDS = 3

/** Starts them; the function returned resolves when each has its last answer. */
export function startClients({ work, clients, seed, ...shared }: ClientOptions): () => Promise<void> {
  const { ledger } = shared
  let isStopped = false
  const problems = [...new Set(work.map(({ problem }) => problem))]

  async function client(name: string, rng: Rng): Promise<void> {
    const open: string[] = [] // ids that nothing was said about yet
    for (let n = 0; !isStopped; n++) {
      const kind = KINDS[rng.weighted(SHARES)]!
      const before = ledger.promised.size
      const ask = (path: string, body: object, headers: Record<string, string> = {}) =>
        send({ ...shared, rng }, path, body, { 'x-api-key': name, 'x-spar-log': 'on', ...headers })
      if (kind === 'critique') {
        const item = rng.pick(work)
        // Half of the clients' requests have names of their own, which a second try keeps.
        const id = rng.uniform() < 0.5 ? `${name}-${n}` : undefined
        const answer = await ask('/critique', item, id === undefined ? {} : { 'x-request-id': id })
        if (answer) open.push(...readCritiques(ledger, [item], answer, id))
      } else if (kind === 'batch') {
        const items = [rng.pick(work), rng.pick(work), rng.pick(work)]
        const answer = await ask('/critique', { items })
        if (answer) open.push(...readCritiques(ledger, items, answer))
      } else if (kind === 'search') {
        const request = {
          problem: rng.pick(problems),
          llm: { upstream: 'builtin' },
          method: rng.pick(METHODS),
          params: { n: 3 },
          seed: rng.int(1, SEARCH_SEEDS),
          budget: { max_calls: 64, deadline_ms: PATIENCE_MS / 2 },
        }
        const answer = await ask('/search', request)
        if (answer) open.push(...readSearch(ledger, request, answer))
      } else if (kind === 'chat') {
        const messages = [{ role: 'user', content: rng.pick(problems) }]
        const spar = { method: 'best_of_n', params: { n: 2 }, budget: { deadline_ms: PATIENCE_MS / 2 } }
        const answer = await ask('/v1/chat/completions', { model: 'builtin', messages, spar, seed: 1 })
        if (answer) readChat(ledger, answer)
      } else if (open.length > 0) {
        const [id] = open.splice(rng.int(0, open.length - 1), 1) as [string]
        const isRight = rng.uniform() < 0.5
        if (!(await tellFeedback(ask, ledger, id, isRight))) open.push(id)
      }
      if (open.length > 50) open.shift()
      if (ledger.promised.size > before || kind === 'feedback')
        await sleep(rng.int(...(THINK_MS as [number, number])))
      else await sleep(1000) // as a client that was refused would
    }
  }

  const running = Promise.all(
    Array.from({ length: clients }, (_, i) => client(`soak-${i}`, createRng(`${seed}/client/${i}`))),
  )
  return async () => {
    isStopped = true
    await running
  }
}

type Ask = (path: string, body: object) => Promise<Posted | null>

/** Says what became of an answer; false when it was refused and is to be said again. */
export async function tellFeedback(ask: Ask, ledger: Ledger, id: string, isRight: boolean): Promise<boolean> {
  const named = id.startsWith('search_') ? { search_id: id } : { request_id: id }
  const answer = await ask('/feedback', { ...named, answer_correct: isRight })
  if (answer === null) return false
  const { accepted } = JSON.parse(answer.body) as { accepted: number }
  if (accepted === 1) ledger.feedback.set(id, isRight)
  else ledger.unknown.set(id, isRight)
  return true
}

/** Sends a request to one of the servers that are ready, and to the other where that was killed meanwhile. Null: it was noted why. */
export async function send(
  { fleet, ledger, rng, say }: Sending,
  path: string,
  body: object,
  headers: Readonly<Record<string, string>>,
): Promise<Posted | null> {
  const start = performance.now()
  const text = JSON.stringify(body)
  let last: Server | undefined
  ledger.requests++
  for (;;) {
    const others = fleet.servers().filter(server => server !== last)
    if (others.length === 0) return note('no server is ready')
    const server = rng.pick(others)
    try {
      const signal = AbortSignal.timeout(PATIENCE_MS)
      const answer = await post(server.url + path, server.agent, text, { headers, signal })
      ledger.ms.push(performance.now() - start)
      return answer.status === 200 ? answer : refusal(answer)
    } catch (error) {
      const { code, name } = error as { code?: string; name: string }
      if (!server.isKilled) return note(`${code ?? name} from a server that lives`)
      ledger.broken++
      last = server // both may be killed while one long search is under way, one after the other
    }
  }

  function note(why: string): null {
    tally(ledger.failed, `${path}: ${why}`)
    say(`failed after ${Math.round(performance.now() - start)} ms: ${path}: ${why}`)
    return null
  }

  /** The log cannot take feedback without Redis (documented: 503 with Retry-After); everything else answers without it. */
  function refusal({ status, headers, body }: Posted): null {
    const { code } = JSON.parse(body) as { code?: string }
    const isTold = headers['retry-after'] !== undefined
    const isAllowed =
      status === 429 ||
      (status === 503 && path === '/feedback' && fleet.wasRedisAway(start, performance.now()))
    if (isTold && isAllowed) tally(ledger.refused, `${path}: ${status} ${code}`)
    else note(`${status} ${code}`)
    return null
  }
}
