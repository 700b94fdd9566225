// A client of a running Spar, as a lab plays one: candidates as traffic, words on their outcomes, a round. Knows no figure.
import { setTimeout as sleep } from 'node:timers/promises'
import type { Pool } from '../eval/pool-data.ts'

/** A service of one's own that can be thrown away. */
export interface LabService {
  readonly url: string
  /** Sends a JSON body with the admin key and reads a JSON answer. */
  call(method: string, path: string, body?: unknown): Promise<{ status: number; body: unknown }>
  stop(): Promise<void>
}

export interface Round {
  readonly decision: 'promoted' | 'rejected'
  readonly reason: string
  /** Version of the critic that the round made; it can be asked whatever was decided. */
  readonly candidate: string
  /** From the request for it to its end. */
  readonly seconds: number
  readonly figures: Readonly<Record<string, unknown>>
}

/** What a lab or a benchmark reads of a job. */
export interface Job {
  readonly id: string
  readonly state: string
  readonly stage: string
  readonly reason: string | null
  readonly figures: Readonly<Record<string, unknown>>
}

/** The contract's limits on one request. */
const CRITIQUES = 64
const WORDS = 1000
const POLL_MS = 250
const RUNNING = ['queued', 'running']

/** Posts each candidate as a critique of its own, as a client would who knows nothing of pools. @returns for each pool the request ids of its candidates */
export async function sendTraffic(
  service: LabService,
  pools: readonly Pool[],
  signal?: AbortSignal,
): Promise<string[][]> {
  const ids: string[][] = []
  for (const { problem, candidates } of pools) {
    const own: string[] = []
    for (let from = 0; from < candidates.length; from += CRITIQUES) {
      signal?.throwIfAborted()
      const items = candidates.slice(from, from + CRITIQUES).map(({ steps }) => ({ problem, steps }))
      const { results } = await ask<{ results: { request_id: string }[] }>(service, 'POST', '/critique', {
        items,
      })
      own.push(...results.map(result => result.request_id))
    }
    ids.push(own)
  }
  return ids
}

/** Tells of each candidate whether its answer was right. @throws Error when the service does not know all of them */
export async function sendFeedback(
  service: LabService,
  pools: readonly Pool[],
  ids: readonly (readonly string[])[],
): Promise<void> {
  const words = pools.flatMap(({ candidates }, p) =>
    candidates.map(({ correct }, c) => ({ request_id: ids[p]![c]!, answer_correct: correct })),
  )
  for (let from = 0; from < words.length; from += WORDS) {
    const items = words.slice(from, from + WORDS)
    const { unknown } = await ask<{ unknown: number }>(service, 'POST', '/feedback', { items })
    if (unknown > 0) throw new Error(`the service does not know ${unknown} of its critiques`)
  }
}

/** Starts a round and waits for its end. @throws Error when it fails, with the reason it gave; the signal's reason when aborted */
export async function retrain(
  service: LabService,
  params: { readonly minutes: number; readonly seed: number },
  now: () => number,
  signal?: AbortSignal,
): Promise<Round> {
  const start = now()
  let job = await ask<Job>(service, 'POST', '/admin/retrain', params)
  while (RUNNING.includes(job.state)) {
    await sleep(POLL_MS, undefined, signal && { signal }).catch(() => {}) // its error is not the signal's reason
    signal?.throwIfAborted()
    job = await ask<Job>(service, 'GET', `/admin/jobs/${job.id}`)
  }
  const seconds = (now() - start) / 1000
  if (job.state !== 'promoted' && job.state !== 'rejected')
    throw new Error(`the round ended ${job.state}: ${job.reason}`)
  const { critics } = await ask<{ critics: { version: string; source: string }[] }>(
    service,
    'GET',
    '/admin/critics',
  )
  const candidate = critics.find(critic => critic.source === 'trained')
  if (candidate === undefined) throw new Error('the round left no critic')
  return {
    decision: job.state,
    reason: job.reason ?? '',
    candidate: candidate.version,
    seconds,
    figures: job.figures,
  }
}

async function ask<T>(service: LabService, method: string, path: string, body?: unknown): Promise<T> {
  const answer = await service.call(method, path, body)
  if (answer.status >= 400)
    throw new Error(`${method} ${path} was answered ${answer.status}: ${JSON.stringify(answer.body)}`)
  return answer.body as T
}
