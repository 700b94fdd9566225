// Steps per second through HTTP against the bare session and against a plain peer, on the same short solutions in the same run.
// `npm run -s bench -- serve [--seconds 8] [--items 128] [--threads 1]`; the seconds are those of one phase, of which there are eight.
// All three run on the device that SPAR_DEVICE names, cpu when it is not set.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { cpus } from 'node:os'
import { createInterface } from 'node:readline'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { SHIPPED_CRITIC } from '../src/cli/options.ts'
import { type RunningService, startService } from '../src/cli/service-process.ts'
import type { Device } from '../src/critic/device.ts'
import { generateProblems } from '../src/train/recipe/built-in.ts'
import { createRng } from '../src/train/rng.ts'
import { openBareSession } from './lib/bare-session.ts'
import { benchDevice } from './lib/device.ts'
import { quantile, type Seen, startLoad, type Work } from './lib/load.ts'

/** prom-client measures the time between two timers of 10 ms: an idle loop shows 10. */
const LOOP_TIMER_MS = 10
/** Until the clients have their pace. */
const RAMP_MS = 1000
const PEER = fileURLToPath(new URL('./lib/plain-peer.ts', import.meta.url))
const say = (text: string): void => void process.stderr.write(`${text}\n`)

/** Generated problems with their right solutions: a few short steps each. */
function makeWork(count: number): Work[] {
  return generateProblems(createRng('bench serve'), count, 'train').map(({ problem, steps }) => ({
    problem,
    steps,
  }))
}

async function load(url: string, work: readonly Work[], clients: number, seconds: number): Promise<Seen> {
  const running = startLoad(url, work, clients)
  await sleep(RAMP_MS)
  running.forget()
  await sleep(seconds * 1000)
  const seen = await running.stop()
  if (seen.failures.length > 0)
    throw new Error(`${seen.failures.length} requests failed: ${seen.failures[0]}`)
  say(`${clients} clients at ${url}: ${seen.stepsPerS.toFixed(0)} steps/s`)
  return seen
}

/** Delay of the service's event loop beyond its timer, p99 since this was last asked. */
async function loopDelay({ url }: RunningService): Promise<number> {
  const text = await (await fetch(`${url}/metrics`)).text()
  const seconds = Number(/^nodejs_eventloop_lag_p99_seconds (\S+)$/m.exec(text)![1])
  return Math.max(0, seconds * 1000 - LOOP_TIMER_MS)
}

async function startPeer(options: {
  readonly dir: string
  readonly device: Device
  readonly threads: number
}) {
  const child = spawn(process.execPath, [PEER, JSON.stringify(options)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const [port] = await once(createInterface({ input: child.stdout }), 'line')
  return {
    url: `http://127.0.0.1:${port}`,
    async stop() {
      child.kill('SIGKILL') // ending a session while it computes is an ugly death in any case
      await once(child, 'exit')
    },
  }
}

export async function run(args: readonly string[]) {
  const { values } = parseArgs({
    args: [...args],
    options: {
      seconds: { type: 'string', default: '8' },
      items: { type: 'string', default: '128' },
      threads: { type: 'string', default: String(Math.max(1, cpus().length - 1)) },
    },
  })
  const [seconds, threads] = [Number(values.seconds), Number(values.threads)]
  const work = makeWork(Number(values.items))
  const device = benchDevice()
  const bare = await openBareSession(SHIPPED_CRITIC, work, { device, threads })
  // The same solutions come over and over: with a prefix cache the service would compute nothing, and be compared with nothing.
  const service = await startService({
    SPAR_LOG_LEVEL: 'info',
    SPAR_DEVICE: device,
    SPAR_THREADS: String(threads),
    SPAR_PREFIX_CACHE_MB: '0',
  })
  const peer = await startPeer({ dir: SHIPPED_CRITIC, device, threads })
  try {
    await load(service.url, work, 4, 1) // both warm up
    await load(peer.url, work, 4, 1)
    const bareBefore = await bare.best(seconds)
    const single = await bare.single(seconds)
    const one = await load(service.url, work, 1, seconds)
    const sixteen = await load(service.url, work, 16, seconds)
    await loopDelay(service)
    const many = await load(service.url, work, 64, seconds)
    const loopDelayMs = await loopDelay(service)
    const plain = await load(peer.url, work, 64, seconds)
    const again = await load(service.url, work, 64, seconds)
    const best = Math.max(bareBefore, await bare.best(seconds))
    return {
      bench: 'serve',
      fraction_1: round(one.stepsPerS / best),
      fraction_16: round(sixteen.stepsPerS / best),
      fraction_64: round(many.stepsPerS / best),
      p50_ms_64: round(quantile(many.ms, 0.5)),
      p99_ms_64: round(quantile(many.ms, 0.99)),
      p99_over_bare_1: round(quantile(one.ms, 0.99) / quantile(single, 0.99)),
      loop_delay_p99_ms: round(loopDelayMs),
      // The peer ran between two phases of the service, so that a machine that slows down favours neither.
      gain_over_unbatched_64: round((many.stepsPerS + again.stepsPerS) / 2 / plain.stepsPerS),
      bare_steps_per_s: Math.round(best),
      bare_run_ms: { p50: round(quantile(single, 0.5)), p99: round(quantile(single, 0.99)) },
      one_client_ms: { p50: round(quantile(one.ms, 0.5)), p99: round(quantile(one.ms, 0.99)) },
      device,
      threads,
      node: process.version,
    }
  } finally {
    await service.stop()
    await peer.stop()
    await bare.close()
  }
}

const round = (x: number): number => Number(x.toPrecision(4))
