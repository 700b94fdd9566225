// One sparring round through the admin endpoint while clients critique: does it decide, and does any request fail?
// `npm run -s bench -- round [--minutes 5] [--clients 20] [--problems 40]`
import { parseArgs } from 'node:util'
import { canonAnswer } from '../src/answer/equal.ts'
import { type RunningService, startService } from '../src/cli/service-process.ts'
import type { Job } from '../src/train/lab/service.ts'
import { generateProblems } from '../src/train/recipe/built-in.ts'
import { createRng } from '../src/train/rng.ts'
import { quantile, startLoad, type Work } from './lib/load.ts'

interface SearchAnswer {
  readonly id: string
  readonly answer: string | null
  readonly candidates: readonly { readonly steps: readonly { readonly text: string }[] }[]
}

const ENDED = ['promoted', 'rejected', 'failed', 'cancelled']
const say = (text: string): void => void process.stderr.write(`${text}\n`)

/** Lets the built-in solver solve generated problems through /search and tells the service which answers were right. */
async function makeTraffic(service: RunningService, problems: number): Promise<Work[]> {
  const work: Work[] = []
  for (const { problem, answer } of generateProblems(createRng('bench round'), problems, 'train')) {
    const request = { problem, llm: { upstream: 'builtin' }, method: 'best_of_n', params: { n: 8 }, seed: 1 }
    const { body } = await service.call('POST', '/search', request)
    const found = body as SearchAnswer
    const answer_correct = found.answer !== null && canonAnswer(found.answer) === canonAnswer(answer)
    await service.call('POST', '/feedback', { search_id: found.id, answer_correct })
    for (const candidate of found.candidates)
      work.push({ problem, steps: candidate.steps.map(step => step.text) })
  }
  return work.filter(item => item.steps.length > 0)
}

export async function run(args: readonly string[]) {
  const { values } = parseArgs({
    args: [...args],
    options: {
      minutes: { type: 'string', default: '5' },
      clients: { type: 'string', default: '20' },
      problems: { type: 'string', default: '40' },
    },
  })
  const service = await startService({ SPAR_LOG_LEVEL: 'info' })
  try {
    const work = await makeTraffic(service, Number(values.problems))
    say(`${work.length} candidates in the traffic`)
    const clients = startLoad(service.url, work, Number(values.clients))
    const start = performance.now()
    let job = (await service.call('POST', '/admin/retrain', { minutes: Number(values.minutes), seed: 1 }))
      .body as Job
    let stage = ''
    while (!ENDED.includes(job.state)) {
      await new Promise(resolve => setTimeout(resolve, 500))
      job = (await service.call('GET', `/admin/jobs/${job.id}`)).body as Job
      if (job.stage === stage) continue
      stage = job.stage
      say(`${((performance.now() - start) / 1000).toFixed(0)} s: ${stage}`)
    }
    const seconds = (performance.now() - start) / 1000
    await new Promise(resolve => setTimeout(resolve, 2000)) // requests on the critic that serves now
    const { ms, failures, critics } = await clients.stop()
    const rollback = job.state === 'promoted' ? await service.call('POST', '/admin/critics/rollback') : null
    say(job.reason ?? '')
    return {
      bench: 'round',
      decision: job.state,
      reason: job.reason,
      seconds: Math.round(seconds),
      clients: Number(values.clients),
      requests: ms.length,
      failed: failures.length,
      failures: [...new Set(failures)].slice(0, 5),
      critics_seen: critics.length,
      p50_ms: Math.round(quantile(ms, 0.5)),
      p99_ms: Math.round(quantile(ms, 0.99)),
      rollback: rollback?.body,
      figures: job.figures,
    }
  } finally {
    await service.stop()
  }
}
