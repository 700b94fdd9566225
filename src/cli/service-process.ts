// Starts the real service as a process of its own for a lab or a benchmark: free port, fresh data folder. Measures nothing itself.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'

export interface RunningService {
  readonly url: string
  readonly pid: number
  /** Its database and trained critics. */
  readonly dataDir: string
  /** Sends a JSON body and reads a JSON answer. */
  call(method: string, path: string, body?: unknown): Promise<{ status: number; body: unknown }>
  /** Ends it and removes its data, critics and all. */
  stop(): Promise<void>
}

const ADMIN_KEY = 'letmein'
/** A round's winner serves at once: nobody else is there to try it out on. */
const AT_ONCE = { SPAR_SHADOW_MINUTES: '0', SPAR_CANARY_MINUTES: '0' }
const MAIN = fileURLToPath(new URL('../main.ts', import.meta.url))

/** What a reader of its log needs of a line. */
export interface LogLine {
  readonly level: string
  readonly message: string
  readonly port?: number
}

/**
 * Resolves when /readyz answers 200; `env` wins over the environment of this process. `onLine` hears every line of its log.
 * @throws Error when it ends before that
 */
export async function startService(
  env: Readonly<Record<string, string>> = {},
  onLine?: (line: LogLine) => void,
): Promise<RunningService> {
  const dataDir = mkdtempSync(join(tmpdir(), 'spar-service-'))
  const child = spawn(process.execPath, [MAIN], {
    env: {
      ...process.env,
      PORT: '0',
      SPAR_DATA: dataDir,
      SPAR_ADMIN_KEY: ADMIN_KEY,
      REDIS_URL: '',
      ...AT_ONCE,
      ...env,
    },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const ended = once(child, 'exit').then(([code, signal]) => {
    rmSync(dataDir, { recursive: true, force: true })
    return code ?? signal
  })
  const early = ended.then(code => {
    throw new Error(`the service ended with ${code}`)
  })
  early.catch(() => {}) // once it is ready it may end when it likes
  const listening = new Promise<number>(resolve => {
    createInterface({ input: child.stdout }).on('line', line => {
      const entry = JSON.parse(line) as LogLine
      onLine?.(entry)
      if (entry.message === 'listening') resolve(entry.port!)
    })
  })
  const url = `http://127.0.0.1:${await Promise.race([listening, early])}`
  const headers = { 'content-type': 'application/json', authorization: `Bearer ${ADMIN_KEY}` }
  while (!(await fetch(`${url}/readyz`).catch(() => early)).ok)
    await new Promise(resolve => setTimeout(resolve, 50))
  return {
    url,
    pid: child.pid!,
    dataDir,
    async call(method, path, body) {
      const res = await fetch(url + path, {
        method,
        headers,
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      })
      return { status: res.status, body: await res.json() }
    },
    async stop() {
      child.kill('SIGTERM')
      await ended
    },
  }
}
