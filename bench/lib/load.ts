// Clients that critique one solution after the other until told to stop, and what they saw. Knows no service but its URL.
import { Agent, type IncomingHttpHeaders, request } from 'node:http'
import { text } from 'node:stream/consumers'

export interface Work {
  readonly problem: string
  readonly steps: readonly string[]
}

/** What the clients saw from start to stop. */
export interface Seen {
  readonly requests: number
  readonly stepsPerS: number
  /** Of every request, ascending. */
  readonly ms: readonly number[]
  /** Longest time in which no client got an answer. */
  readonly longestPauseMs: number
  /** One for each request that was not answered with 200. */
  readonly failures: readonly string[]
  /** Versions that answered. */
  readonly critics: readonly string[]
}

/** The p-th part of ascending figures, e.g. 0.99. */
export const quantile = (sorted: readonly number[], p: number): number =>
  sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * p))]!

interface PostOptions {
  readonly headers?: Readonly<Record<string, string>>
  readonly signal?: AbortSignal
}

export interface Posted {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly body: string
}

/** One request on a connection that is kept: `fetch` costs the load's own process more than the service spends. */
export function post(url: string, agent: Agent, body: string, more: PostOptions = {}): Promise<Posted> {
  return new Promise((resolve, reject) => {
    const headers = {
      ...more.headers,
      'content-type': 'application/json',
      'content-length': Buffer.byteLength(body),
    }
    const sent = request(url, { method: 'POST', agent, headers, signal: more.signal }, res => {
      text(res).then(
        answer => resolve({ status: res.statusCode!, headers: res.headers, body: answer }),
        reject,
      )
    })
    sent.on('error', reject)
    sent.end(body)
  })
}

export interface Load {
  /** Forgets what was seen so far: the start, where no answer is due yet, is not the pace. */
  forget(): void
  stop(): Promise<Seen>
}

/** Starts the clients at `<url>/critique`; each takes every `clients`-th piece of work, over and over. */
export function startLoad(url: string, work: readonly Work[], clients: number): Load {
  const agent = new Agent({ keepAlive: true, maxSockets: clients })
  const bodies = work.map(item => JSON.stringify(item))
  let ms: number[] = []
  const failures: string[] = []
  const critics = new Set<string>()
  let startedAt = performance.now()
  let lastAnswerAt = startedAt
  let longestPauseMs = 0
  let steps = 0
  let stopped = false

  const client = async (first: number) => {
    for (let i = first; !stopped; i += clients) {
      const start = performance.now()
      try {
        const { status, body } = await post(`${url}/critique`, agent, bodies[i % bodies.length]!)
        const answer = JSON.parse(body) as { critic: string; code?: string }
        if (status === 200) {
          critics.add(answer.critic)
          steps += work[i % work.length]!.steps.length
        } else failures.push(`${status} ${answer.code}`)
      } catch (error) {
        failures.push((error as Error).message)
      }
      const now = performance.now()
      ms.push(now - start)
      longestPauseMs = Math.max(longestPauseMs, now - lastAnswerAt)
      lastAnswerAt = now
    }
  }

  const running = Promise.all(Array.from({ length: clients }, (_, i) => client(i)))
  return {
    forget() {
      startedAt = performance.now()
      steps = 0
      ms = []
      longestPauseMs = 0
    },
    async stop() {
      stopped = true
      const seconds = (performance.now() - startedAt) / 1000
      const stepsPerS = steps / seconds
      await running
      agent.destroy()
      return {
        requests: ms.length,
        stepsPerS,
        ms: ms.toSorted((a, b) => a - b),
        longestPauseMs,
        failures,
        critics: [...critics],
      }
    },
  }
}
