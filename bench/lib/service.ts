// Starts the real service as a process of its own for a benchmark: free port, fresh data folder. Measures nothing itself.
import { spawn } from 'node:child_process'
import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
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
  stop(): Promise<void>
}

const ADMIN_KEY = 'bench'
const MAIN = fileURLToPath(new URL('../../src/main.ts', import.meta.url))

/** Folder of the newest shipped critic, which the service starts with. */
export function shippedCritic(): string {
  const root = fileURLToPath(new URL('../../models/critic/', import.meta.url))
  const byVersion = new Intl.Collator('en', { numeric: true })
  return join(root, readdirSync(root).toSorted(byVersion.compare).at(-1)!)
}

/** Resolves when /readyz answers 200. */
export async function startService(env: Readonly<Record<string, string>> = {}): Promise<RunningService> {
  const dataDir = mkdtempSync(join(tmpdir(), 'spar-bench-'))
  const child = spawn(process.execPath, [MAIN], {
    env: { ...process.env, PORT: '0', SPAR_DATA: dataDir, SPAR_ADMIN_KEY: ADMIN_KEY, ...env },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const port = await new Promise<number>((resolve, reject) => {
    child.once('exit', code => reject(new Error(`the service ended with ${code}`)))
    createInterface({ input: child.stdout! }).on('line', line => {
      const entry = JSON.parse(line) as { message: string; port?: number }
      if (entry.message === 'listening') resolve(entry.port!)
    })
  })
  const url = `http://127.0.0.1:${port}`
  const headers = { 'content-type': 'application/json', authorization: `Bearer ${ADMIN_KEY}` }
  while (!(await fetch(`${url}/readyz`)).ok) await new Promise(resolve => setTimeout(resolve, 50))
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
      const ended = new Promise(resolve => child.once('exit', resolve))
      child.kill('SIGTERM')
      await ended
      rmSync(dataDir, { recursive: true, force: true })
    },
  }
}
