// `spar round`: starts a sparring round on a running service and shows how it goes. Speaks HTTP only.
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

/**
 * Starts a round, draws its progress, and prints the job as the last line. Interrupted, it cancels the round.
 * @throws Error when the service refuses, or the round failed
 */
export async function roundCommand(values: CliValues): Promise<void> {
  const base = (values.url ?? 'http://127.0.0.1:8080').replace(/\/$/, '')
  const key = process.env['SPAR_ADMIN_KEY']
  if (!key) throw new Error('SPAR_ADMIN_KEY must hold the admin key of the service')
  const minutes = numberOption(values.minutes, 'minutes', 5, 0.1, 120)
  const seed = numberOption(values.seed, 'seed', 1, 0, 2 ** 32 - 1)
  const ask = async (method: string, path: string, body?: object): Promise<Job> => {
    const answer = await fetch(base + path, {
      method,
      headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
      ...(body && { body: JSON.stringify(body) }),
    })
    const told = (await answer.json()) as Job & { title?: string; detail?: string }
    if (!answer.ok) throw new Error(`${told.title}: ${told.detail}`)
    return told
  }
  const job = await ask('POST', '/admin/retrain', { minutes, seed })
  const ended = await untilSignalled(signal => follow(ask, job, signal)).catch(async error => {
    await ask('POST', `/admin/jobs/${job.id}/cancel`).catch(() => {})
    throw error
  })
  process.stdout.write(`${JSON.stringify(ended)}\n`)
  if (ended.state === 'failed') throw new Error(ended.reason ?? 'the round failed')
}

async function follow(
  ask: (method: string, path: string) => Promise<Job>,
  started: Job,
  signal: AbortSignal,
): Promise<Job> {
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

/** A bar, the percent and the stage, and at the end the decision with its reason. */
export function progressLine({
  state,
  stage,
  percent,
  reason,
}: Pick<Job, 'state' | 'stage' | 'percent' | 'reason'>): string {
  const full = Math.round((WIDTH * Math.min(100, Math.max(0, percent))) / 100)
  const bar = '█'.repeat(full) + '░'.repeat(WIDTH - full)
  const what = ENDED.includes(state) ? `${state}${reason === null ? '' : `: ${reason}`}` : stage
  return `${bar} ${String(Math.round(percent)).padStart(3)} % ${what}`
}
