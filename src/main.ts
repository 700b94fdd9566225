// The service: reads the environment, wires everything, listens, shuts down in order. The only file that knows all parts.
import { randomBytes, randomInt } from 'node:crypto'
import { mkdirSync, readdirSync } from 'node:fs'
import { hostname } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { createSameAnswer } from './answer/equivalence.ts'
import { createSymbolicThread, SYMBOLIC_MS } from './answer/symbolic-thread.ts'
import { readConfig } from './config.ts'
import { openRegistry, type Registry } from './critic/registry.ts'
import { lazySolver, type Solver, startSolver } from './critic/solver.ts'
import { startWorkerCritic, type WorkerCritic } from './critic/worker-critic.ts'
import { createCritics } from './critics.ts'
import { switchFacts } from './decision-facts.ts'
import { AppError } from './errors.ts'
import { gatesOf } from './llm/gate.ts'
import { startGguf } from './llm/gguf-host.ts'
import { createLlms } from './llms.ts'
import { createLog } from './log.ts'
import { createMetrics } from './metrics.ts'
import { startMonitor } from './monitor.ts'
import { openRemoteCritics } from './remote/open.ts'
import { type Desk, openDesk } from './rollout/desk.ts'
import { showRollout } from './rollout/show.ts'
import { GAUGES, roundReadings } from './round-metrics.ts'
import { openSchedule, startScheduler } from './schedule.ts'
import { createApp } from './server/app.ts'
import { answerClientErrors } from './server/client-error.ts'
import { startJob } from './server/jobs.ts'
import { openJournal } from './store/journal.ts'
import { createRecorder } from './store/recorder.ts'
import { openRedisStore } from './store/redis.ts'
import { startRetention } from './store/retention.ts'
import { openSqliteStore } from './store/sqlite.ts'
import { startTelemetry } from './telemetry.ts'
import { startTrainer, type Trainer } from './trainer.ts'

const START_RETRY_MS = 2000
/** Longer than balancers keep a connection that nothing is sent on, which for most is a minute. */
const IDLE_CONNECTION_MS = 75_000

const config = readConfig(process.env)
const log = createLog({ level: config.logLevel })
const metrics = createMetrics(GAUGES)
const telemetry = config.sendsSpans ? await startTelemetry({ service: 'spar', log }) : null
const trainedDir = join(config.dataDir, 'critics')
mkdirSync(trainedDir, { recursive: true })
const sqlitePath = join(config.dataDir, 'spar.sqlite')
const store = config.redisUrl
  ? openRedisStore(config.redisUrl, { log })
  : openSqliteStore(sqlitePath, { log })
const journal = openJournal(join(config.dataDir, 'spool'), { log })
const recorder = createRecorder(store, { log, journal })
const stopRetention = startRetention(store, { ...config.traffic.retention, now: Date.now, log })
const closing = new AbortController()

let registry: Registry | null = null
let trainer: Trainer | null = null
let desk: Desk | null = null
let stopScheduler: (() => Promise<void>) | null = null
let stopMonitor: (() => Promise<void>) | null = null
let unready = 'The critic is loading.'

const localCritics = (): Registry => {
  if (registry === null) throw new AppError('NOT_READY', unready, { retryAfterS: 1 })
  return registry
}

/** Of the named upstreams, which searches and critics call. */
const gates = gatesOf(config.upstreams)
const remoteCritics = openRemoteCritics({
  specs: config.critics,
  upstreams: config.upstreams,
  gates,
  local: version => (version === null ? localCritics().current() : localCritics().get(version)),
  onFailed: failure => log.warn(failure, 'steps without a score'),
  onAnswer: answer => metrics.criticCall({ ...answer, device: 'remote' }),
})

/** The newest base that is shipped; the solver starts with the first search that needs it. */
async function startBuiltInSolver(): Promise<Solver> {
  const root = join(config.modelsDir, 'base')
  const newest = readdirSync(root).toSorted().at(-1)
  if (newest === undefined) throw new AppError('LLM_ERROR', 'This installation ships no base model.')
  return startSolver(join(root, newest), { threads: config.threads })
}

const symbolic = createSymbolicThread({ deadlineMs: SYMBOLIC_MS })
const owner = `${hostname()}:${process.pid}`
const solver = lazySolver(startBuiltInSolver)
const { gguf: ggufFile, threads, devices } = config
const gguf =
  ggufFile === null
    ? null
    : lazySolver(() => startGguf({ ...ggufFile, threads, gpu: devices.some(device => device !== 'cpu') }))
const newId = (prefix: string): string => `${prefix}_${randomBytes(8).toString('hex')}`

const app = createApp({
  critics: createCritics({
    registry: localCritics,
    route: (serving, client) => desk?.criticFor(client) ?? { critic: serving, fallback: null },
    remote: remoteCritics,
    specs: config.critics,
    first: config.firstCritic,
  }),
  llms: createLlms({
    upstreams: config.upstreams,
    gates,
    allowedHosts: config.allowedHosts,
    guard: { privateRanges: config.privateRanges },
    first: config.chatUpstream,
    sampler: solver.sample,
    gguf: gguf?.sample,
  }),
  recorder: {
    record: record => recorder.record(config.traffic.redact(record)),
    flush: signal => recorder.flush(signal),
  },
  store,
  sameAnswer: createSameAnswer(symbolic),
  rollout: showRollout(store),
  schedule: openSchedule(store, Date.now),
  log,
  metrics,
  config: { ...(config.adminKey !== undefined && { adminKey: config.adminKey }), privacy: config.traffic },
  ready: () =>
    registry === null
      ? { ready: false, reason: unready }
      : { ready: true, critic: registry.current().version, ...registry.runsOn()! },
  newId,
  now: Date.now,
  closing: closing.signal,
})

const server = app.listen(config.port, config.host, error => {
  if (error) {
    log.error({ error }, 'cannot listen')
    void shutDown(1)
    return
  }
  const address = server.address()
  const port = typeof address === 'object' && address ? address.port : config.port
  log.info({ host: config.host, port, data: config.dataDir }, 'listening')
})

// A balancer that finds its connection closed as it sends a request has an error to answer with: it must be the one who hangs up.
server.keepAliveTimeout = IDLE_CONNECTION_MS
server.on('clientError', answerClientErrors({ newId, log }))

/** Queues a round; false when there is one that has not ended. */
async function startScheduled({ minutes }: { minutes: number }): Promise<boolean> {
  try {
    await startJob({ store, newId, now: Date.now }, { minutes, seed: randomInt(2 ** 32), by: 'schedule' })
    return true
  } catch (error) {
    if (error instanceof AppError && error.code === 'JOB_RUNNING') return false
    throw error
  }
}

async function startCritic(dir: string): Promise<WorkerCritic> {
  const worker = await startWorkerCritic(dir, {
    devices: config.devices,
    threads: config.threads,
    prefixCacheBytes: config.prefixCacheMb * 2 ** 20,
    precision: config.precision,
    onRun: metrics.criticRun,
    onAnswer: metrics.criticCall,
    onEnd({ critic, device, failure }) {
      metrics.criticEnded({ critic, device })
      if (failure !== null) log.error({ critic, device, error: failure }, 'critic ended')
    },
  })
  const { version, device, precision, passedOver } = worker
  log.info(
    { critic: version, device, precision, ...(passedOver.length > 0 && { passed_over: passedOver }) },
    'critic loaded',
  )
  return worker
}

/** Loads the critic that serves, then starts looking for retraining jobs. */
async function start(): Promise<void> {
  registry = await openRegistry({
    shippedDir: join(config.modelsDir, 'critic'),
    trainedDir,
    pointer: {
      load: () => store.getServing(),
      save: serving => store.setServing(serving),
      async move(from, to, why) {
        const happening = { at: Date.now(), id: newId('decision') }
        const facts = switchFacts(from, to, why, version => localCritics().originOf(version), happening)
        const entry = await store.moveServing(from, to, facts)
        if (entry === null) return false
        metrics.decided(why.kind)
        log.info({ decision: entry.seq, hash: entry.hash, critic: to.version }, 'decision recorded')
        return true
      },
    },
    start: startCritic,
    onServing: version => log.info({ critic: version }, 'critic serves'),
    onDamaged: (version, error) =>
      log.error({ critic: version, error }, 'critic is damaged; the shipped one serves'),
  })
  log.info({ critic: registry.current().version, ...registry.runsOn() }, 'ready')
  desk = openDesk({ store, registry, owner, log, now: Date.now })
  stopScheduler = startScheduler({ store, start: startScheduled, now: Date.now, log })
  stopMonitor = startMonitor({
    store,
    critic: () => localCritics().current(),
    gauge: metrics.gauge,
    now: Date.now,
    log,
  })
  trainer = startTrainer({
    store,
    storeAddress: config.redisUrl ?? sqlitePath,
    registry,
    trainedDir,
    log,
    now: Date.now,
    owner,
    rollout: config.rollout,
    onEnded(decision, figures) {
      metrics.roundEnded(decision)
      for (const reading of roundReadings(figures)) metrics.gauge(reading)
    },
    threads: config.threads,
    admit: { share: config.traffic.clientShare, without: config.traffic.optedOut },
    sparring: config.sparring,
  })
}

/** Tries until there is a critic: a store that is away for a moment must not keep the service down for good. */
async function startForSure(): Promise<void> {
  while (!closing.signal.aborted) {
    try {
      return await start()
    } catch (error) {
      const reason =
        error instanceof AppError ? error.message : 'The critic could not be loaded; the log has the reason.'
      if (reason !== unready) log.error({ error }, 'no critic to serve') // once, not at every try
      unready = reason
      await sleep(START_RETRY_MS, undefined, { signal: closing.signal }).catch(() => {})
    }
  }
}

const started = startForSure()

/** Stops taking requests, lets those in flight finish, writes pending traffic, then ends. Workers end before the process does. */
async function shutDown(exitCode: number): Promise<never> {
  closing.abort(new AppError('NOT_READY', 'The service is shutting down.'))
  const closed = new Promise(resolve => server.close(resolve))
  server.closeIdleConnections()
  await Promise.race([closed, new Promise(resolve => setTimeout(resolve, 10_000).unref())])
  await started
  await trainer?.close()
  await stopScheduler?.()
  await stopMonitor?.()
  await desk?.close()
  await stopRetention()
  await recorder.close()
  await registry?.close()
  await solver.close()
  await symbolic.close()
  await gguf?.close()
  await store.close()
  await telemetry?.close()
  process.exit(exitCode)
}

for (const signal of ['SIGTERM', 'SIGINT'] as const) {
  process.once(signal, () => {
    log.info({ signal }, 'shutting down')
    void shutDown(0)
  })
}
