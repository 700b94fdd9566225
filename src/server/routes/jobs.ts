// The admin routes of jobs: start a round, list, look at one or follow it, pause, resume, cancel it. Knows nothing of training.
import { randomInt } from 'node:crypto'
import type { Response } from 'express'
import type { Job, JobChange, JobState } from '../../store/types.ts'
import type { components } from '../api.d.ts'
import type { Deps } from '../deps.ts'
import { whileWanted } from '../gone.ts'
import { findJob, followJob, hasEnded, startJob } from '../jobs.ts'
import type { Operation } from '../operations.ts'
import { frame, openEventStream } from '../sse.ts'

const JOBS_LISTED = 50

export const retrain =
  (deps: Deps): Operation<'retrain'> =>
  async (req, res) => {
    const { minutes, seed = randomInt(2 ** 32) } = req.body
    const job = await startJob(deps, { minutes, seed })
    res.status(202).location(`/admin/jobs/${job.id}`).json(wordJob(job))
  }

export const listJobs =
  (deps: Deps): Operation<'listJobs'> =>
  async (_req, res) => {
    res.json({ jobs: (await deps.store.listJobs(JOBS_LISTED)).map(wordJob) })
  }

export const getJob =
  (deps: Deps): Operation<'getJob'> =>
  async (req, res) => {
    const job = await findJob(deps, req.params.id)
    res.vary('Accept')
    if (req.accepts(['application/json', 'text/event-stream']) === 'text/event-stream')
      await streamJob(deps, job, res)
    else res.json(wordJob(job))
  }

/** What a hand can do to a job, and from which states: in any other it stays as it is. */
const BY_HAND = {
  pause: { from: ['queued', 'running'], change: { state: 'paused', reason: 'Paused by hand.' } },
  resume: { from: ['paused'], change: { state: 'queued', reason: null } },
  cancel: {
    from: ['queued', 'running', 'paused'],
    change: { state: 'cancelled', reason: 'Cancelled by hand.' },
  },
} as const satisfies Record<string, { from: readonly JobState[]; change: JobChange }>

export const pauseJob = (deps: Deps): Operation<'pauseJob'> => byHand(deps, 'pause')
export const resumeJob = (deps: Deps): Operation<'resumeJob'> => byHand(deps, 'resume')
export const cancelJob = (deps: Deps): Operation<'cancelJob'> => byHand(deps, 'cancel')

function byHand(deps: Deps, what: keyof typeof BY_HAND): Operation<'cancelJob'> {
  const { from, change } = BY_HAND[what]
  return async (req, res) => {
    const { id } = await findJob(deps, req.params.id)
    await deps.store.updateJob(id, { ...change, updated_at: deps.now() }, { states: from })
    res.json(wordJob(await findJob(deps, id)))
  }
}

async function streamJob(deps: Deps, job: Job, res: Response): Promise<void> {
  const stream = openEventStream(res, deps.config)
  let last = job
  for await (const now of followJob(deps, job, whileWanted(res, deps.closing))) {
    last = now
    await stream.send(frame('progress', wordJob(now)))
  }
  if (hasEnded(last)) await stream.send(frame('done', wordJob(last)))
  stream.close()
}

/** Times leave as RFC 3339, not as numbers. */
function wordJob(job: Job): components['schemas']['Job'] {
  const { created_at, updated_at, figures, params, ...rest } = job
  return {
    ...rest,
    figures: { ...figures },
    params: { ...params },
    created_at: new Date(created_at).toISOString(),
    updated_at: new Date(updated_at).toISOString(),
  }
}
