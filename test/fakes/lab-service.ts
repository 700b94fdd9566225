// A service for the traffic lab that learns at once: after a round with feedback it orders candidates rightly, after one without
// the wrong way around. Keeps what it was sent. Knows no model.
import { once } from 'node:events'
import { createServer } from 'node:http'
import { json } from 'node:stream/consumers'
import type { LabService } from '../../src/train/lab/service.ts'

interface Item {
  readonly problem: string
  readonly steps: readonly string[]
}

export interface PupilService extends LabService {
  /** Items that were logged, by request id. */
  readonly logged: ReadonlyMap<string, Item>
  /** Problems that were asked about without being logged. */
  readonly measured: ReadonlySet<string>
  /** Words on outcomes, by request id. */
  readonly told: ReadonlyMap<string, boolean>
  readonly stopped: () => boolean
}

/** Some step of each wrong candidate holds this word. */
export const WRONG = 'wrong'

/** Starts one whose rounds end as `decision` says. */
export async function startPupil(
  decision: 'promoted' | 'rejected' | 'failed' | 'running',
): Promise<PupilService> {
  const logged = new Map<string, Item>()
  const measured = new Set<string>()
  const told = new Map<string, boolean>()
  let stopped = false

  const score = (critic: string, steps: readonly string[]): number => {
    if (critic === 'before') return 0.5
    return steps.join().includes(WRONG) === told.size > 0 ? 0.2 : 0.8
  }
  const critique = ({ items, critic = 'before' }: { items: Item[]; critic?: string }, isLogged: boolean) => ({
    results: items.map(item => {
      const request_id = `req_${logged.size}`
      if (isLogged) logged.set(request_id, item)
      else measured.add(item.problem)
      const steps = item.steps.map(() => ({ score: score(critic, item.steps) }))
      return { critic, threshold: 0.5, steps, request_id }
    }),
  })
  const feedback = ({ items }: { items: { request_id: string; answer_correct: boolean }[] }) => {
    for (const { request_id, answer_correct } of items) told.set(request_id, answer_correct)
    return { unknown: items.filter(({ request_id }) => !logged.has(request_id)).length }
  }
  const job = { id: 'job_1', stage: 'done', reason: 'So it was.' }
  /** Where outcomes were told, they were learned. */
  const figures = () =>
    told.size > 0 ? { candidate_from: { outcomes: { loss_before: 0.5, loss_after: 0.25 } } } : {}

  const server = createServer(async (req, res) => {
    const body = req.method === 'POST' ? await json(req) : null
    const answers: Record<string, () => unknown> = {
      '/critique': () =>
        critique(body as Parameters<typeof critique>[0], req.headers['x-spar-log'] !== 'off'),
      '/feedback': () => feedback(body as Parameters<typeof feedback>[0]),
      '/admin/retrain': () => ({ ...job, state: 'queued', figures: {} }),
      '/admin/jobs/job_1': () => ({ ...job, state: decision, figures: figures() }),
      '/admin/critics': () => ({
        critics: [
          { version: 'before', source: 'shipped' },
          { version: 'after', source: 'trained' },
        ],
      }),
    }
    res.setHeader('content-type', 'application/json')
    res.end(JSON.stringify(answers[req.url!]!()))
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const url = `http://127.0.0.1:${(server.address() as { port: number }).port}`
  return {
    url,
    logged,
    measured,
    told,
    stopped: () => stopped,
    async call(method, path, body) {
      const init = body === undefined ? { method } : { method, body: JSON.stringify(body) }
      const res = await fetch(url + path, init)
      return { status: res.status, body: await res.json() }
    },
    async stop() {
      stopped = true
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    },
  }
}
