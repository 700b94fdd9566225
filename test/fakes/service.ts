// Starts the real service, with the shipped models, as a process of its own on a free port.
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'

export interface TestService {
  readonly url: string
  /** From the start of the process to the first 200 of /readyz, or until it listens. */
  readonly readyMs: number
  readonly child: ChildProcess
  /** Log lines so far. */
  readonly lines: readonly string[]
  get(path: string): Promise<unknown>
  post(path: string, body?: unknown): Promise<unknown>
  /** Ends it with a signal; resolves to its exit code, null when it was killed. */
  stop(signal?: NodeJS.Signals): Promise<number | null>
}

export const TEST_ADMIN_KEY = 'letmein'
const MAIN = fileURLToPath(new URL('../../src/main.ts', import.meta.url))

export interface TestServiceOptions {
  /** Environment variables besides those that every test needs. */
  readonly settings?: Readonly<Record<string, string>>
  /** Told each log line as it comes. */
  readonly onLine?: (line: string) => void
  /** Only until it listens: it will not be ready. */
  readonly untilListening?: boolean
}

/** A service that is not ready by then is ended, so that its test fails instead of hanging. */
const READY_WITHIN_MS = 100_000

/** Resolves when the service is ready, or only listens. @throws Error when it ends before that, or takes 100 s */
export async function startTestService(
  dataDir: string,
  { settings = {}, onLine, untilListening = false }: TestServiceOptions = {},
): Promise<TestService> {
  const start = performance.now()
  const env = {
    ...process.env,
    PORT: '0',
    SPAR_DATA: dataDir,
    SPAR_ADMIN_KEY: TEST_ADMIN_KEY,
    SPAR_DEVICE: 'cpu',
    SPAR_SHADOW_MINUTES: '0',
    SPAR_CANARY_MINUTES: '0',
    ...settings,
  }
  const child = spawn(process.execPath, [MAIN], { env, stdio: ['ignore', 'pipe', 'inherit'] })
  const overdue = setTimeout(() => child.kill('SIGKILL'), READY_WITHIN_MS)
  const lines: string[] = []
  const ended = once(child, 'exit').then(([code, signal]) => {
    clearTimeout(overdue)
    throw new Error(`the service ended with ${code ?? signal}: ${lines.at(-1)}`)
  })
  const listening = new Promise<number>(resolve => {
    createInterface({ input: child.stdout! }).on('line', line => {
      lines.push(line)
      onLine?.(line)
      const entry = JSON.parse(line) as { message: string; port?: number }
      if (entry.message === 'listening') resolve(entry.port!)
    })
  })
  const url = `http://127.0.0.1:${await Promise.race([listening, ended])}`
  while (!untilListening && !(await isReady(url).catch(() => ended)))
    await new Promise(resolve => setTimeout(resolve, 20))
  clearTimeout(overdue)
  ended.catch(() => {}) // from now on it may end when it likes
  const readyMs = performance.now() - start
  const headers = { 'content-type': 'application/json', authorization: `Bearer ${TEST_ADMIN_KEY}` }
  return {
    url,
    readyMs,
    child,
    lines,
    get: async path => (await fetch(url + path, { headers })).json(),
    post: async (path, body) => {
      const res = await fetch(url + path, {
        method: 'POST',
        headers,
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      })
      return res.json()
    },
    async stop(signal = 'SIGTERM') {
      if (child.exitCode !== null || child.signalCode !== null) return child.exitCode
      const ended = once(child, 'exit')
      child.kill(signal)
      const [code] = await ended
      return code as number | null
    },
  }
}

async function isReady(url: string): Promise<boolean> {
  const response = await fetch(`${url}/readyz`)
  await response.text() // an unread body keeps its connection
  return response.ok
}
