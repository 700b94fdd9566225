// Starts the real service, with the shipped models, as a process of its own on a free port.
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'

export interface TestService {
  readonly url: string
  /** From the start of the process to the first 200 of /readyz. */
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

/** Resolves when the service is ready. @throws Error when it ends before that */
export async function startTestService(dataDir: string): Promise<TestService> {
  const start = performance.now()
  const env = {
    ...process.env,
    PORT: '0',
    SPAR_DATA: dataDir,
    SPAR_ADMIN_KEY: TEST_ADMIN_KEY,
    SPAR_DEVICE: 'cpu',
  }
  const child = spawn(process.execPath, [MAIN], { env, stdio: ['ignore', 'pipe', 'inherit'] })
  const lines: string[] = []
  const port = await new Promise<number>((resolve, reject) => {
    child.once('exit', code => reject(new Error(`the service ended with ${code}: ${lines.at(-1)}`)))
    createInterface({ input: child.stdout! }).on('line', line => {
      lines.push(line)
      const entry = JSON.parse(line) as { message: string; port?: number }
      if (entry.message === 'listening') resolve(entry.port!)
    })
  })
  const url = `http://127.0.0.1:${port}`
  while (!(await fetch(`${url}/readyz`)).ok) await new Promise(resolve => setTimeout(resolve, 20))
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
