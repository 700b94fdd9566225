// `spar round`: starts a sparring round on a running service, or lets a paused one go on, and shows how it goes. Speaks HTTP only.
import type { CliValues } from './options.ts'
import { numberOption } from './options.ts'
import { untilSignalled } from './run-control.ts'

interface Job {
  readonly id: string
  readonly state: string
  readonly stage: string
  readonly percent: number
  readonly reason: string | null
  readonly figures: Readonly<Record<string, unknown>>
}

const ENDED = ['promoted', 'rejected', 'failed', 'cancelled']
const WIDTH = 30

type Ask = (method: string, path: string, body?: object) => Promise<Job>

/**
 * Starts a round (or resumes one), draws its progress, and prints the job as the last line. Interrupted, it pauses the round and says how
 * to go on. @throws Error when the service refuses, the round failed, or it was interrupted
 */
export async function roundCommand(values: CliValues): Promise<void> {
  const base = (values.url ?? 'http://127.0.0.1:8080').replace(/\/$/, '')
  const key = process.env['SPAR_ADMIN_KEY']
  if (!key) throw new Error('SPAR_ADMIN_KEY must hold the admin key of the service')
  const minutes = numberOption(values.minutes, 'minutes', 5, 0.1, 120)
  const seed = numberOption(values.seed, 'seed', 1, 0, 2 ** 32 - 1)
  const ask: Ask = async (method, path, body) => {
    const answer = await fetch(base + path, {
      method,
      headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
      ...(body && { body: JSON.stringify(body) }),
    })
    const told = (await answer.json()) as Job & { title?: string; detail?: string }
    if (!answer.ok) throw new Error(`${told.title}: ${told.detail}`)
    return told
  }
  const job =
    values.resume === undefined
      ? await ask('POST', '/admin/retrain', { minutes, seed })
      : await ask('POST', `/admin/jobs/${encodeURIComponent(values.resume)}/resume`)
  const ended = await untilSignalled(async signal => {
    try {
      return await follow(ask, job, signal)
    } catch (error) {
      if (!signal.aborted) throw error
      throw new Error(await leave(ask, job, values.url))
    }
  })
  process.stdout.write(`${JSON.stringify(ended)}\n`)
  if (ended.state === 'failed') throw new Error(ended.reason ?? 'the round failed')
}

async function follow(ask: Ask, started: Job, signal: AbortSignal): Promise<Job> {
  let job = started
  let shown = ''
  for (;;) {
    const line = progressLine(job)
    if (line !== shown) process.stderr.write(process.stderr.isTTY ? `\r\x1b[K${line}` : `${line}\n`)
    shown = line
    if (ENDED.includes(job.state)) break
    await new Promise(resolve => setTimeout(resolve, 250))
    signal.throwIfAborted()
    job = await ask('GET', `/admin/jobs/${job.id}`)
  }
  if (process.stderr.isTTY) process.stderr.write('\n')
  return job
}

/** Pauses a round whose follower was interrupted; says what became of it. */
async function leave(ask: Ask, { id }: Job, url: string | undefined): Promise<string> {
  const again = `spar round --resume ${id}${url === undefined ? '' : ` --url ${url}`}`
  try {
    const { state } = await ask('POST', `/admin/jobs/${id}/pause`)
    if (state !== 'paused') return `\nStopped; the round had ended: ${state}.`
    return `\nThe round is paused. To go on: ${again}\nTo give it up: POST /admin/jobs/${id}/cancel`
  } catch (error) {
    return `\nStopped, but the round could not be paused (${(error as Error).message}). To look at it again: ${again}`
  }
}

/** A bar, the percent and the stage, and at the end the decision with its reason. */
export function progressLine({
  state,
  stage,
  percent,
  reason,
}: Pick<Job, 'state' | 'stage' | 'percent' | 'reason'>): string {
  const full = Math.round((WIDTH * Math.min(100, Math.max(0, percent))) / 100)
  const bar = '█'.repeat(full) + '░'.repeat(WIDTH - full)
  const going = state === 'paused' ? `${stage}, paused` : stage
  const what = ENDED.includes(state) ? `${state}${reason === null ? '' : `: ${reason}`}` : going
  return `${bar} ${String(Math.round(percent)).padStart(3)} % ${what}`
}
