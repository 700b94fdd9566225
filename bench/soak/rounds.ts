// Keeps a sparring round running on a fleet, whichever server answers, and says how the rounds ended. Knows no chaos.
import { setTimeout as sleep } from 'node:timers/promises'
import type { Job } from '../../src/train/lab/service.ts'
import type { Fleet } from './fleet.ts'

export interface Rounds {
  /** The round that runs has lost its process, or the server of its trainer. */
  hit(): void
  /** Whether that happened to it often enough: a round that begins anew every minute never ends. */
  isSpared(): boolean
  /** Lets the last one end, or cancels it when that takes too long. */
  stop(): Promise<RoundCounts>
}

interface RoundCounts {
  readonly started: number
  /** Decided on. */
  readonly finished: number
  /** Of those: went on after their process or their trainer was killed. */
  readonly taken_over: number
  readonly promoted: number
  /** Candidates that the gate or a trial refused, promoted by hand all the same: on a busy machine nothing else may ever serve. */
  readonly promoted_by_hand: number
  readonly rejected: number
  readonly failed: number
}

const ENDED = ['promoted', 'rejected', 'failed', 'cancelled']
const POLL_MS = 500
const MOST_HITS = 2
/** The last round may take so long when the soak is over: a lease, and a round run again. */
const LAST_MS = 180_000

/** Starts one after the other, of `minutes` each. */
export function keepRounds(fleet: Fleet, minutes: number, say: (text: string) => void): Rounds {
  const jobs = new Map<string, { state: string; hits: number }>()
  let current: string | null = null
  let byHand = 0
  let stopAt = Number.POSITIVE_INFINITY

  /** Null when no server could say: Redis is away, or the server was killed meanwhile. */
  async function call(method: string, path: string, body?: object) {
    const [server] = fleet.servers()
    const answer = await server?.call(method, path, body).catch(() => null)
    return answer && answer.status < 500 ? answer : null
  }

  async function work(): Promise<void> {
    while (stopAt === Number.POSITIVE_INFINITY) {
      const begun = await call('POST', '/admin/retrain', { minutes, seed: jobs.size + 1 })
      if (begun?.status === 409) await adopt()
      else if (begun?.status === 202) await follow((begun.body as Job).id)
      await sleep(POLL_MS)
    }
  }

  /** The answer to a start was lost, but it was heard. */
  async function adopt(): Promise<void> {
    const listed = await call('GET', '/admin/jobs')
    const active = (listed?.body as { jobs: Job[] } | undefined)?.jobs.find(job => !ENDED.includes(job.state))
    if (active) await follow(active.id)
  }

  async function follow(id: string): Promise<void> {
    current = id
    const known = jobs.get(id) ?? { state: 'queued', hits: 0 }
    jobs.set(id, known)
    let stage = ''
    for (;;) {
      const answer = await call('GET', `/admin/jobs/${id}`)
      const job = answer?.status === 200 ? (answer.body as Job) : null
      if (job) known.state = job.state
      if (job && ENDED.includes(job.state)) {
        say(`round ${jobs.size}: ${job.state}, ${job.reason}`)
        if (job.state === 'rejected') await promoteByHand(`trained-${id.replace('job_', '')}`)
        break
      }
      if (job && job.stage !== stage) say(`round ${jobs.size}: ${job.stage}`)
      stage = job?.stage ?? stage
      if (performance.now() > stopAt) await call('POST', `/admin/jobs/${id}/cancel`)
      await sleep(POLL_MS)
    }
    current = null
  }

  async function promoteByHand(version: string): Promise<void> {
    const answer = await call('POST', `/admin/critics/${version}/promote`)
    if (answer?.status === 200) byHand++
    say(`${version} by hand: ${answer?.status ?? 'no answer'}`)
  }

  const working = work()
  return {
    hit() {
      const job = jobs.get(current ?? '')
      if (job) job.hits++
    },
    isSpared: () => (jobs.get(current ?? '')?.hits ?? 0) >= MOST_HITS,
    async stop() {
      stopAt = performance.now() + LAST_MS
      await working
      const all = [...jobs.values()]
      const count = (state: string) => all.filter(job => job.state === state).length
      const decided = all.filter(({ state }) => state === 'promoted' || state === 'rejected')
      return {
        started: all.length,
        finished: decided.length,
        taken_over: decided.filter(({ hits }) => hits > 0).length,
        promoted: count('promoted'),
        promoted_by_hand: byHand,
        rejected: count('rejected'),
        failed: count('failed'),
      }
    },
  }
}
