// A soak: clients and rounds on two servers and a Redis while servers, rounds and Redis are killed. Is any answer wrong, does any
// request fail, is anything lost that was acknowledged, does memory grow? Ends with code 1 when so.
// `npm run -s bench -- soak [--minutes 30] [--clients 16] [--seed 1] [--round-minutes 1]`; needs redis-server on the PATH and Linux.
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { openRedisStore } from '../src/store/redis.ts'
import { generateProblems } from '../src/train/recipe/built-in.ts'
import { createRng } from '../src/train/rng.ts'
import { findRedisServer } from '../test/fakes/redis-server.ts'
import { quantile, type Work } from './lib/load.ts'
import { watchMemory } from './lib/memory.ts'
import { auditScores, auditStore, untilDelivered } from './soak/audit.ts'
import { startChaos } from './soak/chaos.ts'
import { send, startClients, tellFeedback } from './soak/clients.ts'
import { type Fleet, startFleet } from './soak/fleet.ts'
import { createLedger, tally, total } from './soak/ledger.ts'
import { keepRounds } from './soak/rounds.ts'

const PROBLEMS = 20
const CANDIDATES = 4
/** Until what a killed server had not delivered must be in the log. */
const DELIVERY_MS = 120_000
const SETTINGS = {
  SPAR_THREADS: '1',
  SPAR_SHADOW_MINUTES: '0.2',
  SPAR_CANARY_MINUTES: '0.2',
  SPAR_SHADOW_SHARE: '0.5',
  SPAR_CANARY_SHARE: '0.5',
  SPAR_WATCH_MINUTES: '2',
}

/** Solutions of the built-in solver, right ones and wrong ones. */
async function makeWork(fleet: Fleet): Promise<Work[]> {
  const work: Work[] = []
  for (const { problem } of generateProblems(createRng('bench soak'), PROBLEMS, 'train')) {
    const request = { problem, llm: { upstream: 'builtin' }, method: 'best_of_n', seed: 1 }
    const { body } = await fleet.servers()[0]!.call('POST', '/search', {
      ...request,
      params: { n: CANDIDATES },
    })
    const { candidates } = body as { candidates: { steps: { text: string }[] }[] }
    for (const { steps } of candidates) work.push({ problem, steps: steps.map(({ text }) => text) })
  }
  return work.filter(({ steps }) => steps.length > 0)
}

export async function run(args: readonly string[]) {
  const { values } = parseArgs({
    args: [...args],
    options: {
      minutes: { type: 'string', default: '30' },
      clients: { type: 'string', default: '16' },
      seed: { type: 'string', default: '1' },
      'round-minutes': { type: 'string', default: '1' },
    },
  })
  const binary = findRedisServer()
  if (binary === null) throw new Error('there is no redis-server on the PATH')
  const begun = performance.now()
  const say = (text: string) =>
    void process.stderr.write(`${((performance.now() - begun) / 1000).toFixed(0)} s: ${text}\n`)
  const minutes = Number(values.minutes)
  const fleet = await startFleet(binary, SETTINGS)
  try {
    const work = await makeWork(fleet)
    const ledger = createLedger()
    const rng = createRng(`soak ${values.seed}`)
    const memory = watchMemory(fleet.processes)
    const rounds = keepRounds(fleet, Number(values['round-minutes']), say)
    const stopClients = startClients({
      fleet,
      ledger,
      say,
      work,
      clients: Number(values.clients),
      seed: `soak ${values.seed}`,
    })
    const stopChaos = startChaos({ fleet, rng: rng.fork('chaos'), rounds, say })
    const telling = setInterval(() => say(`${ledger.requests} requests, ${summary()}`), 30_000)
    const summary = () =>
      JSON.stringify(Object.fromEntries([...ledger.wrong, ...ledger.failed, ...ledger.refused]))
    await new Promise(resolve => setTimeout(resolve, minutes * 60_000))
    const kills = await stopChaos()
    say('no more chaos')
    const roundCounts = await rounds.stop()
    await stopClients()
    clearInterval(telling)
    memory.stop()
    const store = openRedisStore(fleet.redisUrl)
    /** Waits for what killed servers had not delivered, says again what was unknown then, and compares. */
    const settle = async () => {
      await untilDelivered(store, ledger, DELIVERY_MS)
      ledger.unknown.clear()
      const ask = (path: string, body: object) => send({ fleet, ledger, rng, say }, path, body, {})
      for (const [id, isRight] of late) await tellFeedback(ask, ledger, id, isRight)
      for (const _ of ledger.unknown) tally(ledger.wrong, 'feedback on an answer is unknown in the end')
      return auditStore(store, ledger)
    }
    const late = [...ledger.unknown]
    const audit = await settle().finally(() => store.close())
    const compared = await auditScores(ledger, join(fleet.dataDir, 'critics'))
    const ms = ledger.ms.toSorted((a, b) => a - b)
    const growth = memory.growth()
    const wrong = total(ledger.wrong)
    const failed = total(ledger.failed)
    if (wrong + failed + audit.lost_traffic + audit.lost_feedback + roundCounts.failed > 0)
      process.exitCode = 1
    return {
      bench: 'soak',
      minutes,
      requests: ledger.requests,
      wrong,
      failed,
      refused: total(ledger.refused),
      broken_connections: ledger.broken,
      lost_traffic: audit.lost_traffic,
      lost_feedback: audit.lost_feedback,
      kills,
      rounds: roundCounts,
      rss_growth_mb: growth,
      rss_mb_max: memory.peaks(),
      p50_ms: Math.round(quantile(ms, 0.5)),
      p99_ms: Math.round(quantile(ms, 0.99)),
      records: ledger.promised.size,
      feedback: ledger.feedback.size,
      feedback_late: late.length,
      critics: ledger.first.size,
      inputs_compared: compared,
      decisions: audit.decisions,
      details: Object.fromEntries([...ledger.wrong, ...ledger.failed, ...ledger.refused]),
      log: fleet.complaints(),
      node: process.version,
    }
  } finally {
    await fleet.close()
  }
}
