// Starts a real redis-server for tests: on loopback, keeping nothing unless it is given a folder to keep it in. Knows no test.
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { accessSync, constants, mkdtempSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'

export interface RedisServer {
  readonly url: string
  readonly port: number
  readonly pid: number
  /** Ends the process, by SIGKILL when left out; its folder goes with it unless it was given. */
  stop(signal?: NodeJS.Signals): Promise<void>
}

interface RedisOptions {
  /** A free one when left out. */
  readonly port?: number
  /** Every write is on disk in here before it is answered, and found again by the next server. */
  readonly keepIn?: string
}

/** The path of `redis-server` on the PATH; null when there is none. */
export function findRedisServer(): string | null {
  for (const folder of (process.env.PATH ?? '').split(delimiter)) {
    const path = join(folder, 'redis-server')
    try {
      accessSync(path, constants.X_OK)
      return path
    } catch {
      // Not here.
    }
  }
  return null
}

/** Starts a server and waits until it takes connections. */
export async function startRedisServer(
  binary: string,
  { port, keepIn }: RedisOptions = {},
): Promise<RedisServer> {
  // A free port can be gone by the time the server asks for it.
  for (let attempt = 1; ; attempt++) {
    try {
      return await start(binary, port ?? (await freePort()), keepIn)
    } catch (error) {
      if (port !== undefined || attempt === 3) throw error
    }
  }
}

async function start(binary: string, port: number, keepIn: string | undefined): Promise<RedisServer> {
  const folder = keepIn ?? mkdtempSync(join(tmpdir(), 'spar-redis-'))
  const keeping = keepIn === undefined ? ['no'] : ['yes', '--appendfsync', 'always']
  const server = spawn(
    binary,
    [
      '--bind',
      '127.0.0.1',
      '--port',
      String(port),
      '--save',
      '',
      '--dir',
      folder,
      '--appendonly',
      ...keeping,
    ],
    { stdio: ['ignore', 'pipe', 'pipe'] },
  )
  const kill = () => server.kill('SIGKILL')
  process.once('exit', kill)
  const stop = async (signal: NodeJS.Signals = 'SIGKILL') => {
    if (server.exitCode === null && server.signalCode === null) {
      server.kill(signal)
      await once(server, 'exit')
    }
    process.off('exit', kill)
    if (keepIn === undefined) rmSync(folder, { recursive: true, force: true })
  }
  try {
    await untilReady(server)
  } catch (error) {
    await stop()
    throw error
  }
  return {
    url: `redis://127.0.0.1:${port}`,
    port,
    pid: server.pid!,
    stop,
  }
}

function untilReady(server: ChildProcess): Promise<void> {
  return new Promise((resolve, reject) => {
    let output = ''
    const onOutput = (chunk: Buffer) => {
      output += chunk
      if (output.includes('Ready to accept connections')) resolve()
    }
    server.stdout?.on('data', onOutput)
    server.stderr?.on('data', onOutput)
    server.once('error', reject)
    server.once('exit', () => reject(new Error(`redis-server ended before it was ready:\n${output}`)))
    setTimeout(() => reject(new Error(`redis-server is not ready after 10 s:\n${output}`)), 10_000).unref()
  })
}

async function freePort(): Promise<number> {
  const probe = createServer().listen(0, '127.0.0.1')
  await once(probe, 'listening')
  const { port } = probe.address() as { port: number }
  probe.close()
  await once(probe, 'close')
  return port
}
